"""Returns of the catalogue of edge cases, through the front door to the systems' own logs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.retail.breaks import list_breaks
from app.retail.returns.backlog import read_backlog, watch_returns
from app.retail.returns.decide import decide
from app.retail.returns.facts import Policy
from app.retail.returns.terms import Terms, set_terms
from connectors.catalog.http.emulator.faults import Faults
from infra.database.unit import begin
from tests.scenarios.return_shop import (
    ORDER,
    REFUND,
    RETURN,
    ReturnShop,
    a_return,
    a_return_shop,
    an_order,
    returns_go_on,
)
from tests.scenarios.return_stories import MARKET, stock_of
from tests.stage import Stage

D = Decimal


async def answer(shop: ReturnShop, asked: dict[str, Any], choice: str) -> None:
    which = (asked["question"], asked["subject"])
    await decide(shop.retailer.scope, shop.stage.database, asked["return_id"], which, choice)


async def terms(shop: ReturnShop, policy: Policy) -> None:
    await set_terms(shop.retailer.scope, shop.stage.database, Terms(policy))


def a_channel_refund() -> dict[str, Any]:
    return {
        "refund_id": "mp-7", "order_id": "o-1", "currency": "USD", "amount": "32.79",
        "happened_at": "2026-11-19T10:00:00+00:00", "lines": an_order()["lines"],
        "tenders": MARKET,
    }  # fmt: skip


async def test_without_a_receipt_identity_is_asked_and_the_lowest_price_is_store_credit(
    stage: Stage,
) -> None:
    """E-R01. No order; lowest price of the last days as store credit, identity asked, own class."""
    cheap = an_order(2, total="12.00", tenders=[])
    cheap["lines"] = [
        cheap["lines"][0]
        | {"quantity": "2", "unit_price": "5.50", "net": "11.00", "gross": "12.00",
           "taxes": [{"name": "State", "rate": "0.0909", "amount": "1.00"}]}
    ]  # fmt: skip
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await terms(shop, Policy(asks_identity=True))
        await shop.tell(ORDER, an_order())
        await shop.tell(ORDER, cheap)
        await stage.settled(shop.retailer)
        await shop.tell(RETURN, a_return(order_id=None, line={"order_line_id": None}))
        asked = await shop.asked("identify")
        paid_before = shop.paid()
        await answer(shop, asked, "seen")
        await shop.ends()

        assert paid_before == {}
        assert shop.paid() == {"store_credit": D("12.00")}
        # Stock and margin of the books are those of returns without a receipt.
        assert [step.get("has_receipt", True) for step in shop.effects("stock")] == [False]
        assert [step.get("has_receipt", True) for step in shop.reversals()] == [False]


async def test_what_came_but_was_not_what_was_announced_is_not_paid_for(stage: Stage) -> None:
    """E-R03. One of two is dismissed: refund and stock for the other alone."""
    line = {"received": "1", "dismissed": "1"}
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="2", line=line))
        await shop.ends()

        assert shop.paid() == {"gift_card": D("5.00"), "card": D("5.93")}
        assert stock_of(shop) == {("store-1", "available"): D(1)}


async def test_paid_first_and_the_goods_never_come_ages_is_claimed_and_written_off(
    stage: Stage,
) -> None:
    """E-R06. Refund first, goods never arrive: it ages, a claim is proposed, then it is a loss."""
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await terms(shop, Policy(goods_wait_days=0))
        await shop.tell(ORDER, an_order(kind="marketplace", tenders=MARKET))
        await shop.tell(REFUND, a_channel_refund())
        asked = await shop.asked("goods_missing")
        await stage.write(
            shop.retailer, "update return_process set limit_at = now() - interval '1 minute'"
        )
        await watch_returns(stage.database)
        async with begin(shop.retailer.scope, stage.database) as session:
            (halted,) = await list_breaks(session, shop.retailer.tenant_id, kind="return_stuck")
        backlog = await read_backlog(shop.retailer.scope, stage.database)
        await answer(shop, asked, "write_off")
        await shop.ends("written_off")
        async with begin(shop.retailer.scope, stage.database) as session:
            left = await list_breaks(session, shop.retailer.tenant_id, kind="return_stuck")

        assert (halted.amount, halted.currency) == (D("32.79"), "USD")
        assert "Whose turn: customer service." in halted.words
        assert "Claim the goods at the carrier or channel, or write them off." in halted.words
        assert left == []
        assert [(each.step, each.age, each.count, each.stuck, each.amount) for each in backlog] == [
            ("R3", "0-1 days", 1, 1, D("32.79"))
        ]
        assert shop.booked("tender:marketplace") == shop.booked("money:") == D("32.79")
        (ended,) = await stage.rows(shop.retailer, "select breaks from return_process")
        assert ended["breaks"] == ["goods_missing_write_off"]
        assert shop.effects("stock") == []


async def test_goods_that_stay_in_the_marketplaces_warehouse_are_no_stock_of_ours(
    stage: Stage,
) -> None:
    """E-R08. Return to the marketplace's warehouse: no stock to us; refund and books all the same."""
    kept = {"received": "0", "disposition": None}
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order(kind="marketplace", tenders=MARKET))
        await shop.tell(RETURN, a_return(quantity="3", kind="marketplace_fba", line=kept))
        await shop.waits_at("R7")
        await shop.tell(REFUND, a_channel_refund())
        await shop.ends()

        assert shop.effects("stock") == []
        assert shop.paid() == {}
        assert shop.booked("tender:marketplace") == shop.booked("money:") == D("32.79")


async def test_fees_for_restocking_and_the_label_are_lines_of_their_own(stage: Stage) -> None:
    """E-R13. Restocking fee and return label are deducted as lines with their names."""
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await terms(shop, Policy(restocking_fee=D("3.00"), label_fee=D("4.95")))
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="3"))
        await shop.ends()

        assert shop.booked("money:restocking_fee") == D("-3.00")
        assert shop.booked("money:return_shipping") == D("-4.95")
        assert sum(shop.paid().values()) == shop.booked("money:") == D("24.84")


async def test_a_store_that_does_not_stock_it_quarantines_it_until_it_is_moved_on(
    stage: Stage,
) -> None:
    """E-R15. Received in quarantine where it is not stocked, then transferred to where it is."""
    quarantine = {"disposition": "quarantine", "restock_location": "store-9"}
    onward = {"disposition": "restock", "restock_location": "main"}
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="2", line=quarantine))
        await shop.ends()
        first = stock_of(shop)
        await shop.tell(RETURN, a_return(quantity="2", line=onward), version="2")
        await stage.until(
            shop.retailer,
            "select count(*) from return_command where step = 'R5' and state = 'done'",
            2,
        )
        await shop.ends()

        assert first == {("store-9", "quality_control"): D(2)}
        assert stock_of(shop) == {("main", "available"): D(2)}
        assert sum(shop.paid().values()) == D("21.86")


async def test_who_brings_a_gift_gets_credit_and_the_buyer_nothing(stage: Stage) -> None:
    """E-R16. Gift return: credit to whoever brings it, no tender of the buyer is touched."""
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="3", is_gift=True))
        await shop.ends()

        assert shop.paid() == {"store_credit": D("32.79")}


async def test_while_the_books_are_away_the_return_waits_and_says_so_then_goes_on(
    stage: Stage,
) -> None:
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        shop.systems["erp"].faults = Faults(unavailable=1.0)
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="3"))
        await shop.waits_at("R8")
        await stage.until(
            shop.retailer, "select least(count(*), 1) from attempt where status = 503", 1
        )
        await stage.write(
            shop.retailer, "update return_process set limit_at = now() - interval '1 minute'"
        )
        await watch_returns(stage.database)
        async with begin(shop.retailer.scope, stage.database) as session:
            (halted,) = await list_breaks(session, shop.retailer.tenant_id, kind="return_stuck")
        shop.systems["erp"].faults = Faults()
        await shop.ends(at_most_s=60)
        async with begin(shop.retailer.scope, stage.database) as session:
            left = await list_breaks(session, shop.retailer.tenant_id, kind="return_stuck")

        assert halted.words.startswith(
            "Return R-1: 'Reverse revenue and tax' is without word since"
        )
        assert "Whose turn: finance." in halted.words
        assert halted.amount == D("32.79")
        assert left == []
        assert len(shop.reversals()) == 1


async def test_a_refund_that_orders_post_already_is_not_booked_twice(stage: Stage) -> None:
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await stage.flow(shop.retailer, "core", "erp", types=["retail.order.posted.v1"])
        await shop.tell(ORDER, an_order(kind="marketplace", tenders=MARKET))
        await shop.tell(RETURN, a_return(quantity="3", kind="marketplace"))
        await shop.tell(REFUND, a_channel_refund())
        asked = await shop.asked("no_system")
        await answer(shop, asked, "done")
        await shop.ends()

        assert "would book it twice" in asked["words"]
        assert shop.reversals() == []
