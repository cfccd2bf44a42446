"""Σ agreements = what the order comes to now, for any history, in any order of arrival, with repeats."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.retail.orders.agreements import Amounts, LineKey, content_of, content_of_refund
from app.retail.orders.apply import apply_order, apply_refund, apply_shipment, shipment_of
from app.retail.orders.kept import KeptOrder
from app.retail.told import Told
from connectors.canonical.event import ORDER_CANCELLED, Event
from connectors.canonical.order import Fulfilment, Order, Refund
from infra.ids import new_id
from tests.app.retail.orders.telling import (
    AT,
    Channel,
    cancelled,
    changed,
    line,
    order,
    placed,
    refunded,
    shipped,
)

D = Decimal
cents = st.decimals(0, 300, places=2).map(str)
goods = st.lists(
    st.tuples(st.sampled_from("1234"), st.integers(1, 5), cents),
    max_size=4,
    unique_by=lambda each: each[0],
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Draw what a channel tells of one order over its life, as it happened."""
    tellings = [placed(order(*draw(goods), shipping=D(draw(cents))))]
    tellings += [
        changed(order(*draw(goods), shipping=D(draw(cents))), version)
        for version in range(2, 2 + draw(st.integers(0, 4)))
    ]
    for number in range(draw(st.integers(0, 3))):
        back = line(draw(st.sampled_from("1234")), -1, f"-{draw(cents)}")
        tellings.append(refunded(f"r-{number}", draw(cents), back))
    if draw(st.booleans()):
        tellings.append(cancelled(order(*draw(goods)), 9))
    if draw(st.booleans()):
        tellings.append(shipped("s-1", line("1", 1, "1.00")))
    return tellings


def arrivals(history: list[Event], seed: int) -> list[Event]:
    """Give a history as it may arrive: in any order, some of it twice."""
    drawn = random.Random(seed)  # noqa: S311 - repeatable, not secret
    arriving = [*history, *drawn.sample(history, drawn.randint(0, len(history)))]
    drawn.shuffle(arriving)
    return arriving


def expected(history: list[Event]) -> dict[tuple[str, LineKey], Amounts]:
    """Say from the whole history what stands in the end, without taking a single difference."""
    bodies = [each.body for each in history]
    is_gone = any(each.type == ORDER_CANCELLED for each in history)
    if is_gone and not any(isinstance(body, Fulfilment) for body in bodies):
        return {}
    newest = [
        each.body
        for each in sorted(history, key=lambda each: int(each.version))
        if isinstance(each.body, Order) and (each.body.lines or each.type != ORDER_CANCELLED)
    ][-1]
    assert isinstance(newest, Order)
    parts = {"": content_of(newest)}
    parts |= {
        each.refund_id: content_of_refund(each) for each in bodies if isinstance(each, Refund)
    }
    return {(part, key): found[1] for part, lines in parts.items() for key, found in lines.items()}


def taken(arriving: list[Event]) -> KeptOrder:
    """Take tellings one by one, without a database."""
    kept = KeptOrder(new_id(), new_id(), "o-1", AT, AT.date(), AT, AT)
    for event in arriving:
        one = Told(new_id(), kept.connection_id, event, AT)
        match event.body:
            case Order():
                assert apply_order(kept, one, event.body, "shop") is None
            case Refund():
                assert apply_refund(kept, one, event.body, "shop") is None
            case Fulfilment():
                apply_shipment(kept, shipment_of(one, event.body), one.event_id, "shop")
    return kept


def summed(kept: KeptOrder) -> dict[tuple[str, LineKey], Amounts]:
    """Add up all agreements by line."""
    sums: dict[tuple[str, LineKey], Amounts] = {}
    for agreed in kept.made:
        for each in agreed.lines:
            name = (each.part, each.key)
            sums[name] = sums.get(name, Amounts()) + each.amounts
    return {name: amounts for name, amounts in sums.items() if not amounts.is_nothing()}


@settings(max_examples=400)
@given(histories(), st.integers(0, 10_000))
def test_whatever_comes_when_the_agreements_make_what_the_order_comes_to(
    history: list[Event], seed: int
) -> None:
    kept = taken(arrivals(history, seed))

    assert summed(kept) == expected(history)
    assert sum((each.total for each in kept.made), D(0)) == kept.total - kept.refunded
    assert [each.number for each in kept.made] == list(range(1, len(kept.made) + 1))


@given(histories(), st.integers(0, 10_000))
def test_an_order_that_goes_on_never_goes_back(history: list[Event], seed: int) -> None:
    steps = ["awaited", "pending", "open", "closed", "cancelled"]
    arriving = [each for each in arrivals(history, seed) if not isinstance(each.body, Fulfilment)]

    seen = [steps.index(taken(arriving[:n]).status()) for n in range(1, len(arriving) + 1)]

    assert seen == sorted(seen)


@pytest.mark.parametrize("seed", range(12))
async def test_the_book_holds_the_same_sum_telling_by_telling(channel: Channel, seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311 - repeatable, not secret
    history = [placed(order(("1", 3, "30.00"), ("2", 1, "9.99"), shipping=D("4.90")))]
    for version in range(2, 5):
        price = f"{drawn.randint(1, 40)}.{drawn.randint(10, 99)}"
        history.append(changed(order(("1", drawn.randint(1, 4), price), ("3", 1, "1.01")), version))
    history.append(refunded("r-1", "3.33", line("1", -1, "-3.00")))
    if seed % 3 == 0:
        history.append(cancelled(order(("1", 1, "1.00")), 9))
    if seed % 4 == 0:
        history.append(shipped("s-1", line("1", 1, "1.00")))

    for event in arrivals(history, seed):
        await channel.tell(event)

    by_line: dict[LineKey, Amounts] = {}
    for (_, key), amounts in expected(history).items():
        by_line[key] = by_line.get(key, Amounts()) + amounts
    wanted = {
        key: (each.quantity, each.net, each.tax, each.gross)
        for key, each in by_line.items()
        if not each.is_nothing()
    }
    kept = await channel.order()
    assert await channel.standing() == wanted
    assert kept["standing"] == kept["total"] - kept["refunded"]
    assert kept["standing"] == sum((each[3] for each in wanted.values()), D(0))
