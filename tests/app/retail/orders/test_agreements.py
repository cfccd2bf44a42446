"""Only differences are added, and their sum is the order as it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retail.orders.agreements import (
    CurrencyChanged,
    SaleRecord,
    agree,
    standing,
    total,
)
from connectors.canonical.order import Line, Order, Tax

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
D = Decimal

cents = st.decimals(0, 500, places=2)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    quantity, net, tax = D(draw(st.integers(1, 9))), draw(cents), draw(cents)
    return Line(
        line_id=str(draw(st.integers(1, 6))),
        sku=draw(st.none() | st.sampled_from(["A", "B"])),
        title="Article",
        quantity=quantity,
        unit_price=net,
        discount=draw(cents),
        net=net,
        taxes=(Tax(name="Tax", amount=tax),),
        gross=net + tax,
        is_voided=draw(st.booleans()),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    sold = draw(st.lists(lines(), max_size=5))
    shipping, fees = draw(cents), draw(cents)
    goods = sum((line.gross for line in sold if not line.is_voided), D(0))
    return Order(
        order_id="1",
        number="#1",
        kind="web",
        currency="USD",
        placed_at=AT,
        lines=tuple(sold),
        shipping=shipping,
        fees=fees,
        total=goods + shipping + fees,
    )


def order(*sold: tuple[str, int, str], shipping: str = "0", currency: str = "USD") -> Order:
    """Make an order of (line id, quantity, gross) without tax."""
    made = tuple(
        Line(
            line_id=name,
            title=name,
            quantity=D(quantity),
            unit_price=D(gross),
            net=D(gross),
            gross=D(gross),
        )
        for name, quantity, gross in sold
    )
    goods = sum((line.gross for line in made), D(0))
    return Order(
        order_id="1",
        number="#1",
        kind="web",
        currency=currency,
        placed_at=AT,
        lines=made,
        shipping=D(shipping),
        total=goods + D(shipping),
    )


@given(st.lists(orders(), min_size=1, max_size=5))
def test_however_often_an_order_is_changed_its_agreements_make_what_it_is_now(
    tellings: list[Order],
) -> None:
    before: Order | None = None
    records: list[SaleRecord] = []
    for telling in tellings:
        records += agree(before, telling, "order_edit" if before else "order", AT)
        before = telling

    assert total(records) == tellings[-1].total
    assert standing(records) == standing(agree(None, tellings[-1], "order", AT))


@given(orders())
def test_the_same_order_told_again_adds_nothing(told: Order) -> None:
    assert agree(told, told, "order_edit", AT) == ()


@given(orders())
def test_an_order_taken_back_leaves_nothing(told: Order) -> None:
    records = [*agree(None, told, "order", AT), *agree(told, None, "cancellation", AT)]

    assert standing(records) == {}
    assert total(records) == 0


def test_an_edit_after_export_posts_only_its_difference() -> None:
    first, edited = order(("1", 2, "20.00")), order(("1", 1, "10.00"), ("2", 1, "7.50"))

    records = agree(first, edited, "order_edit", AT)

    assert [(record.key, record.amounts.quantity, record.amounts.gross) for record in records] == [
        (("product", "1"), D(-1), D("-10.00")),
        (("product", "2"), D(1), D("7.50")),
    ]


def test_a_change_of_shipping_alone_is_one_record() -> None:
    records = agree(order(("1", 1, "5")), order(("1", 1, "5"), shipping="4.90"), "order_edit", AT)

    assert [(record.key, record.amounts.gross) for record in records] == [
        (("shipping", ""), D("4.90"))
    ]


def test_an_order_that_changes_its_currency_is_no_difference() -> None:
    with pytest.raises(CurrencyChanged, match="USD, then EUR"):
        agree(order(), order(currency="EUR"), "order_edit", AT)
