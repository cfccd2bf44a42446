"""`tillwire hooks rotate`: a new address at once, the earlier one for a day more."""

from __future__ import annotations

import json
from pathlib import Path

from app.connections.hooks import HookOwner, find_hook, issue_hook
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tests.app.cli.conftest import Run
from tests.app.retailer import Retailer, make_retailer


async def name_of(retailer: Retailer, database: Database) -> str:
    async with begin(OperatorScope("test"), database) as session:
        slugs = await session.fetch_one(
            "select p.slug as partner, t.slug as retailer from tenant t"
            " join partner p on p.id = t.partner_id where t.id = $1",
            retailer.id,
        )
    assert slugs is not None
    return f"{slugs['partner']}/{slugs['retailer']}"


async def test_a_rotated_hook_is_shown_once_and_the_old_one_goes_on(
    database: Database, run: Run
) -> None:
    retailer = await make_retailer(database)
    shop = await retailer.connect("shop", "shopify")
    async with begin(retailer.scope, database) as session:
        old = await issue_hook(session, shop)
    name = await name_of(retailer, database)

    told = await run("hooks", "rotate", name, "shop", "--json")

    (row,) = json.loads(told.stdout)
    assert (told.exit_code, row["connection"]) == (0, f"{name}/shop")
    new = row["path"].removeprefix("/hooks/")
    assert new != old
    owners = [await find_hook(token, database) for token in (old, new)]
    assert owners == [HookOwner(retailer.id, shop)] * 2
    async with begin(retailer.scope, database) as session:
        ends = await session.fetch_value(
            "select count(*) from hook_token where connection_id = $1 and expires_at is not null",
            shop,
        )
    assert ends == 1


async def test_a_rotated_hook_goes_to_a_file_instead_of_the_screen(
    database: Database, run: Run, tmp_path: Path
) -> None:
    retailer = await make_retailer(database)
    shop = await retailer.connect("shop", "shopify")
    name, file = await name_of(retailer, database), tmp_path / "hooks.json"

    told = await run("hooks", "rotate", name, "shop", "--hooks-file", str(file))

    path = json.loads(file.read_text())[f"{name}/shop"]
    assert told.exit_code == 0
    assert path.removeprefix("/hooks/") not in told.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    owner = await find_hook(path.removeprefix("/hooks/"), database)
    assert owner == HookOwner(retailer.id, shop)


async def test_an_unknown_connection_is_named_and_nothing_is_made(
    database: Database, run: Run
) -> None:
    retailer = await make_retailer(database)
    name = await name_of(retailer, database)

    told = await run("hooks", "rotate", name, "till")

    assert (told.exit_code, told.stderr) == (2, f"{name} has no connection till.\n")
    async with begin(retailer.scope, database) as session:
        assert await session.fetch_value("select count(*) from hook_token") == 0
