"""`tillwire names`: what systems call things, told and changed at a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.identities.bindings import Name
from app.identities.review import propose_matches
from app.identities.suggest import Described
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import Id
from tests.app.cli.conftest import Run
from tests.app.retailer import make_retailer

NOON = "2026-11-20T12:00:00"


async def called(database: Database, tenant_id: Id) -> str:
    async with begin(OperatorScope("test"), database) as session:
        slug: str = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            tenant_id,
        )
    return slug


async def test_an_article_is_named_renamed_and_shown(run: Run, database: Database) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    await retailer.connect("shop", "http")

    made = await run(
        *("names", "bind", name, "shop", "TS-1", "--label", "Shirt", "--reason", "New", "--json")
    )
    (shirt,) = json.loads(made.stdout)
    renamed = await run(
        *("names", "rename", name, "shop", "TS-1", "TEE-1", "--at", NOON, "--reason", "Spring")
    )
    shown = await run("names", "show", name, "shop", "TS-1", "--json")

    assert (made.exit_code, renamed.exit_code, shown.exit_code) == (0, 0, 0)
    (meaning,) = json.loads(shown.stdout)
    assert meaning["identity_id"] == shirt["id"]
    assert (meaning["label"], meaning["reason"]) == ("Shirt", "New")
    assert meaning["valid_to"] == "2026-11-20 12:00:00+00:00"
    assert meaning["created_by"] == meaning["ended_by"] == "operator.command_line"


async def test_objects_are_merged_split_and_untied(run: Run, database: Database) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    await retailer.connect("shop", "http")
    ids = []
    for each in ("A", "B"):
        made = await run("names", "bind", name, "shop", each, "--reason", "New", "--json")
        ids.append(json.loads(made.stdout)[0]["id"])
    late = ("--at", NOON, "--reason", "Seen on the shelf")

    merged = await run("names", "merge", name, *ids, *late)
    parted = await run("names", "split", name, ids[1], "shop", "A", *late, "--json")
    ended = await run("names", "end", name, "shop", "B", *late)

    assert (merged.exit_code, parted.exit_code, ended.exit_code) == (0, 0, 0)
    shown = json.loads((await run("names", "show", name, "shop", "A", "--json")).stdout)
    new = json.loads(parted.stdout)[0]["id"]
    assert [each["identity_id"] for each in shown if each["valid_to"] is None] == [new]
    assert [each["merged_into"] for each in shown if each["identity_id"] == ids[0]] == [ids[1]]


async def test_matches_are_listed_and_decided(run: Run, database: Database) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    shop = await retailer.connect("shop", "http")
    made = await run("names", "bind", name, "shop", "ERP-1", "--reason", "New", "--json")
    shirt = Id(json.loads(made.stdout)[0]["id"])
    newcomers = {Name(shop, "variant", f"gid-{n}"): Described(sku="TS-1") for n in (1, 2)}
    async with begin(retailer.scope, database) as session:
        assert await propose_matches(session, newcomers, {shirt: Described(sku="TS-1")}) == 2

    listed: list[Any] = json.loads((await run("names", "matches", name, "shop", "--json")).stdout)
    accepted = await run("names", "accept", name, listed[0]["id"])
    rejected = await run("names", "reject", name, listed[1]["id"])
    again = await run("names", "reject", name, listed[1]["id"])

    assert [(each["name"], each["score"]) for each in listed] == [
        ("gid-1", "0.900"),
        ("gid-2", "0.900"),
    ]
    assert (accepted.exit_code, rejected.exit_code, again.exit_code) == (0, 0, 2)
    assert again.stderr == "This was rejected already.\n"
    left = await run("names", "matches", name, "shop")
    assert left.stdout == "Matches: none\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "shop", "A", "--kind", "shoe"), "Write one of product, variant, listing"),
        (("show", "nowhere", "A"), "There is nothing here"),
        (("end", "shop", "A", "--at", NOON, "--reason", "x"), "A means nothing at that moment"),
        (("bind", "shop", "A", "--to", "no-id", "--reason", "x"), "There is nothing here"),
    ],
)
async def test_it_refuses_in_words(
    run: Run, database: Database, arguments: tuple[str, ...], words: str
) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    await retailer.connect("shop", "http")

    refused = await run("names", arguments[0], name, *arguments[1:])

    assert refused.exit_code == 2
    assert words in refused.stderr
