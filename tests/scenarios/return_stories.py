"""Stories of returns from their first word to their end, and what must be so at every system then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.retail.returns.decide import NotAsked, decide
from app.retail.returns.facts import Policy
from app.retail.returns.terms import Terms, set_terms
from tests.scenarios.return_shop import (
    ORDER,
    REFUND,
    RETURN,
    ReturnShop,
    a_return,
    an_order,
)

D = Decimal
OPEN = "decided_at is null and withdrawn_at is null"
MARKET = [{"kind": "marketplace", "name": "Market", "amount": "32.79", "reference": "mp"}]


@dataclass(frozen=True, slots=True)
class Story:
    """What is told, what people answer, and the truth at the systems' own logs in the end.

    `paid` is what our payment systems paid; `refunded` all that went back, whoever paid it.
    """

    name: str
    tell: Callable[[ReturnShop], Awaitable[None]]
    paid: dict[str, Decimal]
    refunded: Decimal
    stock: dict[tuple[str, str], Decimal]
    points: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    refuses: dict[str, int] = field(default_factory=dict)
    end: str = "closed_complete"
    terms: Terms = field(default_factory=Terms)


async def _in_store(shop: ReturnShop) -> None:
    await shop.tell(ORDER, an_order())
    await shop.tell(RETURN, a_return(quantity="3"))


async def _some(shop: ReturnShop) -> None:
    await shop.tell(ORDER, an_order())
    await shop.tell(RETURN, a_return(quantity="2", line={"disposition": "damaged"}))


async def _by_mail(shop: ReturnShop) -> None:
    known = {"external_id": "c-1"}
    await shop.tell(ORDER, an_order(customer=known))
    nothing_yet = {"received": "0", "disposition": None}
    await shop.tell(RETURN, a_return(quantity="1", kind="mail_in", line=nothing_yet))
    await shop.waits_at("R3")
    await shop.tell(RETURN, a_return(quantity="1", kind="mail_in"), version="2")


async def _exchange(shop: ReturnShop) -> None:
    new = {"order_id": "o-99", "total": "20.00"}
    await shop.tell(ORDER, an_order())
    await shop.tell(RETURN, a_return(quantity="3", kind="exchange", exchange=new))


async def _no_receipt(shop: ReturnShop) -> None:
    await shop.tell(ORDER, an_order())
    await shop.stage.until(shop.retailer, "select count(*) from price_paid", 1)
    await shop.tell(RETURN, a_return(order_id=None, line={"order_line_id": None}))


async def _channel_paid(shop: ReturnShop) -> None:
    refund = {
        "refund_id": "mp-7", "order_id": "o-1", "currency": "USD", "amount": "32.79",
        "happened_at": "2026-11-19T10:00:00+00:00", "lines": an_order()["lines"],
        "tenders": MARKET,
    }  # fmt: skip
    await shop.tell(ORDER, an_order(kind="marketplace", tenders=MARKET))
    await shop.tell(REFUND, refund)
    await shop.waits_at("R3")
    await shop.tell(RETURN, a_return(quantity="3", kind="marketplace"))


def stories() -> list[Story]:
    """Give all stories."""
    all_in = {("store-1", "available"): D(3)}
    return [
        Story("split tender", _in_store, {"gift_card": D("5.00"), "card": D("27.79")},
              D("32.79"), all_in),
        Story("gift card first, two of three, damaged", _some,
              {"gift_card": D("5.00"), "card": D("16.86")}, D("21.86"),
              {("store-1", "damaged"): D(2)}),
        Story("one by mail, with a number and points", _by_mail,
              {"gift_card": D("5.00"), "card": D("5.93")}, D("10.93"),
              {("store-1", "available"): D(1)}, points=10,
              terms=Terms(Policy(points_per_money=D(1)))),
        Story("exchange", _exchange, {"exchange": D("20.00"), "card": D("12.79")}, D("32.79"),
              all_in),
        Story("no receipt", _no_receipt, {"store_credit": D("21.86")}, D("21.86"),
              {("store-1", "available"): D(2)}),
        Story("the marketplace paid first", _channel_paid, {}, D("32.79"), all_in),
        Story("the card is closed", _in_store,
              {"gift_card": D("5.00"), "store_credit": D("27.79")}, D("32.79"), all_in,
              answers={"alternative_tender": "store_credit"}, refuses={"refund:card": 1}),
        Story("the books refuse at first", _in_store,
              {"gift_card": D("5.00"), "card": D("27.79")}, D("32.79"), all_in,
              answers={"erp_refuses": "retry"}, refuses={"reversal": 3}),
    ]  # fmt: skip


async def begin_story(shop: ReturnShop, story: Story) -> None:
    """Set the terms and tell all of a story."""
    if story.terms != Terms():
        await set_terms(shop.retailer.scope, shop.stage.database, story.terms)
    await story.tell(shop)


async def answer_all(shop: ReturnShop, story: Story) -> None:
    """Answer what is asked now, as the story says; what it has no answer for stays open."""
    rows = await shop.stage.rows(
        shop.retailer,
        f"select return_id, question, subject from return_decision where {OPEN}",
    )
    for row in rows:
        choice = story.answers.get(row["question"])
        if choice is None:
            continue
        asked = (row["question"], row["subject"])
        try:
            await decide(shop.retailer.scope, shop.stage.database, row["return_id"], asked, choice)
        except NotAsked:
            continue


def judge(shop: ReturnShop, story: Story) -> None:
    """Hold the systems' own logs against the story: each effect once, money to the minor unit."""
    effects = [event["data"] for target in shop.systems.values() for event in target.events()]
    twice = {step: n for step, n in Counter(each["step_id"] for each in effects).items() if n > 1}
    assert twice == {}, story.name
    for target in shop.systems.values():
        assert all(count == 1 for count in target.book.effects.values()), story.name
    assert shop.paid() == story.paid, story.name
    assert shop.booked("money:") == shop.booked("tender:") == story.refunded, story.name
    assert stock_of(shop) == story.stock, story.name
    assert sum(each["points"] for each in shop.effects("points")) == story.points, story.name


def stock_of(shop: ReturnShop) -> dict[tuple[str, str], Decimal]:
    """Add up what the warehouse was told, by place and state."""
    sums: dict[tuple[str, str], Decimal] = {}
    moves: list[dict[str, Any]] = [move for each in shop.effects("stock") for move in each["moves"]]
    for move in moves:
        place = (move["location"], move["state"])
        sums[place] = sums.get(place, D(0)) + D(move["quantity"])
    return {place: quantity for place, quantity in sums.items() if quantity}
