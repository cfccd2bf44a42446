"""A return runs over stock, payment, books and history, and finishes; or says what it waits for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.exceptions.release import release_hold
from app.retail.returns.decide import decide
from app.retail.returns.listing import list_returns
from app.retail.returns.terms import Terms, set_terms
from tests.scenarios.return_shop import (
    MOVEMENT,
    ORDER,
    REFUND,
    RETURN,
    TICKET,
    ReturnShop,
    a_return,
    a_return_shop,
    an_order,
    returns_go_on,
)
from tests.stage import Stage

D = Decimal


async def answer(shop: ReturnShop, asked: dict[str, Any], choice: str) -> None:
    which = (asked["question"], asked["subject"])
    await decide(shop.retailer.scope, shop.stage.database, asked["return_id"], which, choice)


async def test_a_return_told_at_the_front_door_is_moved_paid_booked_and_told(stage: Stage) -> None:
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="2"))
        await shop.ends()

        assert [step["moves"] for step in shop.effects("stock")] == [
            [{"line_id": "r1", "sku": "SCARF", "location": "store-1", "state": "available",
              "quantity": "2"}]
        ]  # fmt: skip
        # Two of three pieces; the gift card first, the card gets the rest.
        assert shop.paid() == {"gift_card": D("5.00"), "card": D("16.86")}
        assert shop.booked("money:") == shop.booked("tender:") == D("21.86")
        assert [step["refunded"] for step in shop.effects("history")] == ["21.86"]
        assert [step["refunded"] for step in shop.effects("customer")] == ["21.86"]
        assert (await stage.ledger(shop.retailer)).unaccounted == 0


async def test_a_return_told_before_its_order_asks_and_goes_on_when_the_order_comes(
    stage: Stage,
) -> None:
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(RETURN, a_return())
        asked = await shop.asked("sale_unknown")
        held = await stage.rows(shop.retailer, "select 1 from hold")
        await shop.tell(ORDER, an_order())
        await shop.ends()

        assert asked["words"].startswith("Order o-1 is not known here.")
        assert held == []
        assert shop.paid() == {"gift_card": D("5.00"), "card": D("16.86")}


async def test_a_closed_card_becomes_a_question_and_its_held_record_is_taken_over(
    stage: Stage,
) -> None:
    """2.1. R5 done, R7 fails: alternative tender; the stock stays."""
    refuses = {"refund:card": 1}
    async with a_return_shop(stage, refuses=refuses) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return())
        await answer(shop, await shop.asked("alternative_tender"), "store_credit")
        await shop.ends()

        assert shop.paid() == {"gift_card": D("5.00"), "store_credit": D("16.86")}
        assert len(shop.effects("stock")) == 1
        holds = await stage.rows(shop.retailer, "select state, reason from hold")
        assert holds == [
            {"state": "discarded", "reason": "The return decides what becomes of this."}
        ]


async def test_books_that_refuse_three_times_get_it_in_suspense_and_finance_is_asked(
    stage: Stage,
) -> None:
    """2.1. R7 done, R8 refused: the refund stands; suspense, and a question to finance."""
    async with a_return_shop(stage, refuses={"reversal": 3}) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return())
        await answer(shop, await shop.asked("erp_refuses"), "retry")
        await shop.ends()

        books = [(step.get("book", "erp"), step.get("clears", False)) for step in shop.reversals()]
        assert books == [("suspense", False), ("erp", True)]
        assert shop.paid() == {"gift_card": D("5.00"), "card": D("16.86")}


async def test_a_step_without_a_system_is_a_persons_question_never_skipped(stage: Stage) -> None:
    async with (
        a_return_shop(stage, without=("credit", "customer")) as shop,
        returns_go_on(stage),
    ):
        await set_terms(
            shop.retailer.scope, stage.database, Terms(elsewhere=frozenset({"customer"}))
        )
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return())
        asked = await shop.asked("no_system")
        booked_before = shop.effects("reversal")
        await answer(shop, asked, "done")
        await shop.ends()

        assert asked["words"] == (
            "No system is connected that gives store credit, gift cards or exchange credit."
            " Return R-1: pay 5.00 USD back by gift card, then say that it was done; or install a"
            " flow and ask again."
        )
        assert booked_before == []
        assert shop.paid() == {"card": D("16.86")}
        assert shop.booked("tender:gift_card") == D("5.00")
        assert shop.effects("customer") == []


async def test_a_marketplace_that_paid_first_is_only_completed(stage: Stage) -> None:
    """2.1. A refund that happened already is a fact; the remaining steps only."""
    tenders = [{"kind": "marketplace", "name": "Market", "amount": "32.79", "reference": "mp"}]
    line = an_order()["lines"][0]
    refund = {
        "refund_id": "mp-7", "order_id": "o-1", "currency": "USD", "amount": "32.79",
        "happened_at": "2026-11-19T10:00:00+00:00", "lines": [line], "tenders": tenders,
    }  # fmt: skip
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order(kind="marketplace", tenders=tenders))
        await shop.tell(REFUND, refund)
        await shop.waits_at("R3")
        await shop.tell(RETURN, a_return(quantity="3", kind="marketplace"))
        await shop.ends()

        assert await shop.status() == ["closed_complete"]
        assert shop.paid() == {}
        assert shop.booked("tender:marketplace") == shop.booked("money:") == D("32.79")
        assert [step["moves"][0]["quantity"] for step in shop.effects("stock")] == ["3"]


async def test_a_refund_told_twice_by_till_and_portal_stops_all_payment(stage: Stage) -> None:
    """2.1. R7 executed twice: over-refund, a person decides."""
    line = an_order()["lines"][0]
    refund = {
        "refund_id": "till-1", "order_id": "o-1", "currency": "USD", "amount": "32.79",
        "happened_at": "2026-11-20T10:01:00+00:00", "lines": [line],
        "tenders": [{"kind": "card", "name": "Visa", "amount": "32.79", "reference": "card-1"}],
    }  # fmt: skip
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="3", line={"received": "0"}))
        await shop.tell(REFUND, refund)
        await shop.tell(REFUND, refund | {"refund_id": "portal-1"})
        asked = await shop.asked("over_refund")

        assert asked["words"].startswith("65.58 USD went back for an order of which 32.79 USD")
        assert shop.paid() == {}


async def test_two_returns_of_one_order_never_take_more_than_the_order_had(stage: Stage) -> None:
    """Worked on by three workers at once: the gift card is paid back once."""
    async with a_return_shop(stage) as shop, returns_go_on(stage, workers=3):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return(quantity="2"))
        await shop.tell(RETURN, a_return(quantity="1") | {"return_id": "r-2", "number": "R-2"})
        await shop.ends()

        assert await shop.status() == ["closed_complete", "closed_complete"]
        assert shop.paid() == {"gift_card": D("5.00"), "card": D("27.79")}


async def test_a_till_that_took_goods_back_has_done_it_all(stage: Stage) -> None:
    ticket = an_order() | {
        "order_id": "t-9", "number": "9", "kind": "pos", "store": "S1", "workstation": "2",
        "sequence": "9", "business_day": "2026-11-20", "total": "-10.93",
        "lines": [{"line_id": "1", "sku": "SCARF", "title": "Scarf", "quantity": "-1",
                   "unit_price": "10.00", "net": "-10.00", "gross": "-10.93",
                   "taxes": [{"name": "State", "rate": "0.093", "amount": "-0.93"}]}],
        "tenders": [{"kind": "cash", "name": "Cash", "amount": "-10.93"}],
    }  # fmt: skip
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(TICKET, ticket)
        await shop.ends()

        (row,) = await stage.rows(
            shop.retailer, "select owed, refunded, agreement, breaks from return_process"
        )
        assert row == {
            "owed": D("10.93"),
            "refunded": D("10.93"),
            "agreement": "1111",
            "breaks": [],
        }
        assert await stage.rows(shop.retailer, "select 1 from return_command") == []


async def test_a_warehouse_that_moves_returned_goods_by_itself_is_believed(stage: Stage) -> None:
    movement = {
        "movement_id": "mv-1", "sku": "SCARF", "quantity": "2", "reason": "return",
        "from_place": {"location": "customer"},
        "to_place": {"location": "3pl", "state": "damaged"},
        "document": "R-1", "occurred_at": "2026-11-21T08:00:00+00:00",
    }  # fmt: skip
    announced = a_return(kind="mail_in", line={"received": "0", "disposition": None})
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, announced)
        await shop.waits_at("R3")
        await shop.tell(MOVEMENT, movement)
        await shop.ends()

        assert shop.effects("stock") == []
        assert shop.booked("goods:r1:damaged") == D(2)
        assert shop.paid() == {"gift_card": D("5.00"), "card": D("16.86")}


async def test_without_a_receipt_the_lowest_price_of_ninety_days_is_store_credit(
    stage: Stage,
) -> None:
    cheap = an_order(2, total="12.00", tenders=[])
    cheap["lines"] = [cheap["lines"][0] | {"quantity": "2", "unit_price": "5.50", "net": "11.00",
                                           "gross": "12.00"}]  # fmt: skip
    cheap["lines"][0]["taxes"] = [{"name": "State", "rate": "0.0909", "amount": "1.00"}]
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(ORDER, cheap)
        await stage.settled(shop.retailer)
        await shop.tell(RETURN, a_return(order_id=None, line={"order_line_id": None}))
        await shop.ends()

        assert shop.paid() == {"store_credit": D("12.00")}
        assert [step.get("has_receipt", True) for step in shop.reversals()] == [False]


async def test_what_the_warehouse_refuses_waits_as_a_record_until_a_person_releases_it(
    stage: Stage,
) -> None:
    async with a_return_shop(stage, refuses={"stock": 1}) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return())
        await stage.until(shop.retailer, "select count(*) from hold where state = 'open'", 1)
        await stage.until(
            shop.retailer,
            "select count(*) from return_command where step = 'R5' and words like 'It is held:%'",
            1,
        )
        (held,) = await stage.rows(shop.retailer, "select id from hold")
        await release_hold(
            shop.retailer.scope, stage.database, held["id"], "Try again.", lambda: None
        )
        await shop.ends()

        assert len(shop.effects("stock")) == 1
        assert shop.paid() == {"gift_card": D("5.00"), "card": D("16.86")}


async def test_what_systems_tell_back_of_our_own_steps_is_not_counted_again(stage: Stage) -> None:
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(RETURN, a_return())
        await shop.ends()
        (stock,) = shop.effects("stock")
        (paid,) = await stage.rows(
            shop.retailer,
            "select body::jsonb ->> 'reference' as reference from return_fact"
            " where kind = 'refunded' and body like '%\"card\"%'",
        )
        tender = {"kind": "card", "name": "Visa", "amount": "16.86", "reference": "card-1"}
        await shop.tell(
            REFUND,
            {"refund_id": paid["reference"], "order_id": "o-1", "currency": "USD",
             "amount": "16.86", "happened_at": "2026-11-20T12:00:00+00:00", "tenders": [tender]},
        )  # fmt: skip
        await shop.tell(
            MOVEMENT,
            {"movement_id": "wms-77", "sku": "SCARF", "quantity": "2", "reason": "return",
             "from_place": {"location": "customer"}, "to_place": {"location": "store-1"},
             "document": stock["step_id"], "occurred_at": "2026-11-20T12:00:00+00:00"},
        )  # fmt: skip
        await stage.settled(shop.retailer)
        await stage.until(shop.retailer, "select count(*) from return_due", 0)

        (row,) = await stage.rows(
            shop.retailer, "select status, refunded, agreement from return_process"
        )
        assert row == {"status": "closed_complete", "refunded": D("21.86"), "agreement": "1111"}
        assert len(shop.effects("stock")) == 1
        assert len(shop.reversals()) == 1


async def test_a_shops_refund_waits_unseen_for_the_return_that_it_belongs_to(stage: Stage) -> None:
    tender = {"kind": "card", "name": "Visa", "amount": "16.86", "reference": "card-1"}
    refund = {
        "refund_id": "f-1", "order_id": "o-1", "currency": "USD", "amount": "16.86",
        "happened_at": "2026-11-20T09:00:00+00:00", "lines": an_order()["lines"],
        "tenders": [tender],
    }  # fmt: skip
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(REFUND, refund)
        await shop.waits_at("R1")
        await stage.until(shop.retailer, "select count(*) from return_due", 0)
        listed = await list_returns(shop.retailer.scope, stage.database)
        await shop.tell(RETURN, a_return(quantity="2"))
        asked = await shop.asked("refund_differs")
        await answer(shop, asked, "pay_rest")
        await shop.ends()

        assert listed == []
        assert await shop.status() == ["closed_complete"]
        # The card had its part; what is missing goes to the gift card.
        assert shop.paid() == {"gift_card": D("5.00")}
        assert shop.booked("tender:card") == D("16.86")


async def test_goodwill_paid_before_counts_in_what_the_order_has_left(stage: Stage) -> None:
    tender = {"kind": "card", "name": "Visa", "amount": "10.00", "reference": "card-1"}
    goodwill = {
        "refund_id": "g-1", "order_id": "o-1", "currency": "USD", "amount": "10.00",
        "happened_at": "2026-11-12T09:00:00+00:00", "tenders": [tender],
    }  # fmt: skip
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        await shop.tell(ORDER, an_order())
        await shop.tell(REFUND, goodwill)
        await stage.until(shop.retailer, "select count(*) from return_process", 1)
        await shop.tell(RETURN, a_return(quantity="3"))
        asked = await shop.asked("nothing_left")

        assert shop.paid() == {"gift_card": D("5.00"), "card": D("17.79")}
        assert asked["words"] == (
            "The return comes to 32.79 USD, but no more than 22.79 USD is left of what was paid"
            " for the order."
        )
