"""The duties over settlements: due ones of all retailers are taken, unsettled orders are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest_asyncio

from app.retail.journals.rule_book import publish_rules
from app.retail.journals.rules import PostingRules
from app.retail.journals.take import take_sales
from app.retail.settlements.keep import keep_settlements
from app.retail.settlements.unsettled import look_for_unsettled
from infra import clock
from infra.database.pool import Database
from tests.app.retail.settlements.report import settlement_event
from tests.stage import Retailer, Stage, open_stage, order_event

KIND = "missing_in_settlement"
COUNTS = """
select (select count(*) from settlement) as settlements, (select count(*) from settlement_due) as due,
    (select count(*) from journal) as journals
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def shop_with(stage: Stage, settlement_id: str, sold: int) -> Retailer:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.accept(retailer, "source", settlement_event(settlement_id), order_event(sold))
    async with stage.engine():
        await stage.until(retailer, "select count(*) from message where state = 'received'", 0)
    return retailer


async def test_due_settlements_of_all_retailers_are_taken_once(stage: Stage) -> None:
    shops = [await shop_with(stage, "1", 1), await shop_with(stage, "1", 2)]
    assert await stage.rows(shops[0], COUNTS) == [{"settlements": 0, "due": 1, "journals": 0}]

    first = await keep_settlements(stage.database, stage.vault)
    again = await keep_settlements(stage.database, stage.vault)

    assert (first, again) == (2, 0)
    for shop in shops:
        assert await stage.rows(shop, COUNTS) == [{"settlements": 1, "due": 0, "journals": 1}]


async def test_another_settlement_of_the_same_number_is_told_and_blocks_no_other(
    stage: Stage,
) -> None:
    shop = await shop_with(stage, "7", 1)
    await keep_settlements(stage.database, stage.vault)
    other = settlement_event("7")
    line = {**other["data"]["lines"][0], "amount": "21.00"}
    other["data"] |= {"payout": "21.00", "lines": [line]}
    await stage.accept(shop, "source", {**other, "id": "7b", "objectversion": "2"})
    await stage.accept(shop, "source", settlement_event("8"))
    async with stage.engine():
        await stage.until(shop, "select count(*) from message where state = 'received'", 0)

    taken = await keep_settlements(stage.database, stage.vault)

    assert taken == 1
    told = await stage.rows(shop, "select key, words from break where kind = 'settlement_refused'")
    assert [each["key"] for each in told] == ["amazon//7"]
    assert "was taken before with other content" in told[0]["words"]
    assert (await stage.rows(shop, COUNTS))[0]["due"] == 0


async def test_an_order_that_is_due_for_long_is_told_by_the_duty(stage: Stage) -> None:
    """E-F03. Sold thirty days ago on a connection that this channel pays for."""
    shop = await stage.retailer()
    await stage.connect(shop, "source", "http")
    await stage.connect(shop, "target", "http", base_url="http://127.0.0.1:9")
    await stage.flow(shop, "source", "target")
    await stage.write(shop, "update flow set is_paused = true")
    rules = PostingRules(settled_by={"source": "amazon"})
    await publish_rules(shop.scope, stage.database, stage.vault, rules)
    sold_at = (clock.now() - timedelta(days=30)).isoformat()
    sold = order_event(1, kind="marketplace", placed_at=sold_at) | {"time": sold_at}
    await stage.accept(shop, "source", sold)
    async with stage.engine():
        await stage.until(shop, "select count(*) from message where state = 'received'", 0)
    await take_sales(shop.scope, stage.database, stage.vault)

    await look_for_unsettled(stage.database)

    told = await stage.rows(shop, "select key, amount from break where kind = $1", KIND)
    assert told == [{"key": "amazon/o-1", "amount": Decimal("-20.000000")}]
