"""Settlements in the book: taken once, matched with sale records, booked, and told in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest
import pytest_asyncio

from app.retail.breaks import Break, list_breaks
from app.retail.journals.read import list_journals
from app.retail.journals.rule_book import publish_rules
from app.retail.journals.rules import PostingRules
from app.retail.journals.take import take_sales
from app.retail.settlements.take import TakenSettlement, take_settlement
from connectors.canonical.journal import Journal
from connectors.canonical.settlement import Settlement
from infra.database.pool import Database
from infra.database.unit import begin
from infra.errors import Conflict, Unprocessable
from tests.app.retail.settlements.report import D, Row, as_tsv, read
from tests.stage import Retailer, Stage, open_stage, order_event

ROWS: list[Row] = [
    ("Order", "o-1", "ItemPrice", "Principal", "20.00"),
    ("Order", "o-1", "ItemFees", "Commission", "-3.00"),
    ("Order", "o-2", "ItemPrice", "Principal", "20.00"),
    ("Order", "o-2", "ItemFees", "Unheard-of fee", "-1.00"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


@pytest_asyncio.fixture
async def shop(stage: Stage) -> Retailer:
    """A retailer with a marketplace; what it sells is read and sent nowhere."""
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    await stage.flow(retailer, "source", "target")
    await stage.write(retailer, "update flow set is_paused = true")
    return retailer


async def sell(stage: Stage, shop: Retailer, *numbers: int) -> None:
    await stage.accept(
        shop, "source", *(order_event(number, kind="marketplace") for number in numbers)
    )
    async with stage.engine():
        await stage.until(shop, "select count(*) from message where state = 'received'", 0)
    await take_sales(shop.scope, stage.database, stage.vault)


async def take(stage: Stage, shop: Retailer, told: Settlement) -> TakenSettlement:
    return await take_settlement(shop.scope, stage.database, stage.vault, told)


async def breaks(stage: Stage, shop: Retailer) -> list[Break]:
    async with begin(shop.scope, stage.database) as session:
        return await list_breaks(session, shop.tenant_id)


async def journals(stage: Stage, shop: Retailer) -> list[Journal]:
    async with begin(shop.scope, stage.database) as session:
        return await list_journals(session, shop.tenant_id, kind="settlement")


def balances(journal: Journal) -> dict[str, Decimal]:
    return {
        f"{line.role}/{line.detail}".rstrip("/"): line.debit - line.credit for line in journal.lines
    }


async def test_a_settlement_is_matched_booked_and_taken_again_adds_nothing(
    stage: Stage, shop: Retailer
) -> None:
    await sell(stage, shop, 1, 2)
    told = read(as_tsv(ROWS))

    first, again = await take(stage, shop, told), await take(stage, shop, told)

    assert (first.matched.orders, first.matched.agreed) == (2, 2)
    assert first.matched.unexplained == D(0)
    (journal,) = await journals(stage, shop)
    assert balances(journal) == {
        "cash_in_transit/amazon": D("36.00"),
        "fees_expense/selling_fee": D("3.00"),
        "marketplace_receivable": D("-40.00"),
        "settlement_suspense/ItemFees: Unheard-of fee": D("1.00"),
    }
    assert (again.id, again.journal) == (first.id, None)
    lines = await stage.rows(shop, "select count(*) as count from settlement_line")
    assert lines[0]["count"] == 4


async def test_words_never_seen_are_asked_about_once_and_booked_when_decided(
    stage: Stage, shop: Retailer
) -> None:
    """E-F06."""
    await sell(stage, shop, 1, 2)
    told = read(as_tsv(ROWS))
    await take(stage, shop, told)
    found = [each for each in await breaks(stage, shop) if each.kind == "unclassified"]
    assert [each.key for each in found] == ["amazon/ItemFees/Unheard-of fee"]

    words = {"amazon/ItemFees/Unheard-of fee": "selling_fee"}
    await publish_rules(
        shop.scope,
        stage.database,
        stage.vault,
        PostingRules.model_validate({"settlement_words": words}),
    )
    await take(stage, shop, told)

    _, second = await journals(stage, shop)
    assert second.revision == 2
    assert balances(second) == {
        "fees_expense/selling_fee": D("1.00"),
        "settlement_suspense/ItemFees: Unheard-of fee": D("-1.00"),
    }
    assert [each for each in await breaks(stage, shop) if each.kind == "unclassified"] == []


async def test_an_order_that_was_missing_moves_out_of_suspense_when_it_comes(
    stage: Stage, shop: Retailer
) -> None:
    """E-F02."""
    await sell(stage, shop, 1)
    told = read(as_tsv(ROWS[:3]))

    first = await take(stage, shop, told)

    assert [each.order_ref for each in first.matched.differences] == ["o-2"]
    assert first.matched.unexplained == D("20.00")
    (orphan,) = [each for each in await breaks(stage, shop) if each.kind == "orphan_settlement"]
    assert (orphan.amount, orphan.currency) == (D("20.00"), "USD")

    await sell(stage, shop, 2)
    second = await take(stage, shop, told)

    assert second.matched.differences == ()
    assert second.journal is not None
    assert balances(second.journal) == {
        "marketplace_receivable": D("-20.00"),
        "settlement_suspense/unknown orders": D("20.00"),
    }
    assert [each for each in await breaks(stage, shop) if each.kind == "orphan_settlement"] == []


async def test_a_settlement_that_does_not_add_up_is_refused_whole(
    stage: Stage, shop: Retailer
) -> None:
    with pytest.raises(Unprocessable, match="is not complete") as refused:
        await take(stage, shop, read(as_tsv(ROWS, off=D("0.01"))))

    assert refused.value.code == "settlement.incomplete"
    assert await stage.rows(shop, "select id from settlement") == []
    assert await journals(stage, shop) == []


async def test_a_settlement_that_comes_with_other_content_is_refused(
    stage: Stage, shop: Retailer
) -> None:
    told = read(as_tsv(ROWS))
    await take(stage, shop, told)
    fewer = msgspec.structs.replace(told, lines=told.lines[:2], payout=D("17.00"))

    with pytest.raises(Conflict, match="was taken before with other content"):
        await take(stage, shop, fewer)

    assert len(await journals(stage, shop)) == 1


async def test_an_order_over_two_settlements_is_matched_by_both(
    stage: Stage, shop: Retailer
) -> None:
    await sell(stage, shop, 1)
    halves = [read(as_tsv([("Order", "o-1", "ItemPrice", "Principal", "10.00")])) for _ in range(2)]

    first = await take(stage, shop, halves[0])
    second = await take(stage, shop, msgspec.structs.replace(halves[1], settlement_id="19875"))

    # Sold on the last days before the settlement's end: the rest may still come.
    assert first.matched.differences == ()
    assert second.matched.differences == ()
