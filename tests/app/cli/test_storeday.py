"""`tillwire storeday` and `tillwire journals`: list, show, close, publish accounts, export."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
from typer.testing import Result

from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tests.app.retail.journals.conftest import DAY, Shop, expected, open_shop, poslog, tickets
from tests.stage import Stage, open_stage

Run = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def name_of(shop: Shop) -> str:
    async with begin(OperatorScope("test"), shop.stage.database) as session:
        name: str = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            shop.tenant_id,
        )
    return name


async def test_a_day_from_list_to_export(stage: Stage, run: Run, tmp_path: Path) -> None:
    shop = await open_shop(stage)
    retailer = await name_of(shop)
    sold = tickets(50)
    lost = next(each for each in sold[10:] if each.sequence > 2)
    await shop.arrive("day.xml", poslog([each for each in sold if each is not lost]))
    accounts = tmp_path / "rules.yaml"
    accounts.write_text(
        "accounts: {revenue: '4000', returns: '4090', tax_payable: '2200', tender_clearing: '1010'}\n",
        encoding="utf-8",
    )

    listed = await run("storeday", "list", retailer, "--json")
    shown = await run("storeday", "show", retailer, "12", str(DAY), "--json")
    refused = await run("storeday", "close", retailer, "12", str(DAY), "--json")
    published = await run("journals", "rules", retailer, str(accounts))
    accepted = await run(
        "storeday", "close", retailer, "12", str(DAY), "--reason", "It comes later.", "--as", "Ada"
    )
    exported = await run("journals", "show", retailer, "--csv")

    (day,) = json.loads(listed.stdout)
    assert (day["store"], day["state"], day["tickets"], day["missing"]) == ("12", "open", 49, 1)
    (missing,) = json.loads(shown.stdout)["missing"]
    assert missing["what"] == f"12/{DAY}/{lost.workstation}/{lost.sequence}"
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["findings"][0]["rule"] == "gaps"
    assert published.stdout == "Version 1 is in force. 0 drafts are complete with it.\n"
    assert accepted.exit_code == 0, accepted.output
    rows = [row.split(",") for row in exported.stdout.splitlines()]
    good = expected([each for each in sold if each is not lost])
    assert len(rows) == 1 + len(good)
    assert {row[7] for row in rows[1:]} == {"balanced"}


async def test_a_wrong_word_is_refused_in_a_sentence(stage: Stage, run: Run) -> None:
    shop = await open_shop(stage)
    retailer = await name_of(shop)

    counted = await run("storeday", "close", retailer, "12", str(DAY), "--counted", "cash")
    missing = await run("storeday", "show", retailer, "12", str(DAY))

    assert (counted.exit_code, missing.exit_code) == (2, 2)
    assert counted.stderr == "'cash' is no name=value, such as cash=120.50.\n"
    assert missing.stderr == "There is nothing here, or you may not see it.\n"
