"""Buying: what is announced is what is packed, and an invoice differs for reasons."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.gs1 import check_digit
from connectors.canonical.purchase import (
    GoodsReceipt,
    InvoicedLine,
    NoticeLine,
    Pack,
    PurchaseLine,
    PurchaseOrder,
    ReceivedLine,
    ShipNotice,
    VendorInvoice,
    invoice_breaches,
    notice_breaches,
    purchase_breaches,
    receipt_breaches,
)
from connectors.canonical.three_way import match_invoice

D = Decimal
NOTHING = D(0)
AT = datetime(2026, 11, 20, tzinfo=UTC)
SSCC = "006141411234567890"
cents = st.decimals("0.01", 500, places=2)
units = st.integers(0, 200).map(D)


def order(*lines: tuple[str, str, str]) -> PurchaseOrder:
    made = tuple(
        PurchaseLine(line_id=name, sku=f"SKU-{name}", quantity=D(quantity), cost=D(cost))
        for name, quantity, cost in lines
    )
    return PurchaseOrder(
        number="PO-1",
        vendor="Nordic Mills",
        ship_to="dc",
        currency="USD",
        ordered_at=AT,
        lines=made,
    )


def announced(quantity: str, *packed: str, sscc: str = "", line: str = "1") -> ShipNotice:
    packs = tuple(
        Pack(sscc=sscc or _sscc(place), lines=(told(line, each),))
        for place, each in enumerate(packed)
    )
    return ShipNotice(
        notice_id="N",
        vendor="Nordic Mills",
        shipped_at=AT,
        packs=packs,
        lines=(told("1", quantity),),
    )


def told(line: str, quantity: str) -> NoticeLine:
    return NoticeLine(order_number="PO-1", line_id=line, quantity=D(quantity))


def received(*lines: tuple[str, Decimal]) -> GoodsReceipt:
    made = tuple(
        ReceivedLine(order_number="PO-1", line_id=name, sku="A", counted=counted)
        for name, counted in lines
    )
    return GoodsReceipt(receipt_id="R", location="dc", received_at=AT, lines=made)


def invoice(*lines: tuple[str, Decimal, Decimal], beyond: Decimal = NOTHING) -> VendorInvoice:
    made = tuple(
        InvoicedLine(order_number="PO-1", line_id=name, quantity=quantity, cost=cost)
        for name, quantity, cost in lines
    )
    goods = sum((line.quantity * line.cost for line in made), D(0))
    return VendorInvoice(
        number="I", vendor="Nordic Mills", currency="USD", issued_on=date(2026, 11, 21),
        lines=made, tax=beyond, total=goods + beyond,
    )  # fmt: skip


def _sscc(number: int) -> str:
    body = f"{number:017d}"
    return body + str(check_digit(body))


@pytest.mark.parametrize(
    ("notice", "wanted"),
    [
        (announced("12", "12", sscc=SSCC), []),
        (announced("12", "6", "6"), []),
        (announced("12"), []),
        (announced("12", "12", sscc="006141411234567891"), ["PO-2"]),
        (announced("12", "6", "6", sscc=SSCC), ["PO-2"]),
        (announced("12", "6", "5"), ["PO-3"]),
        (announced("12", "12", line="2"), ["PO-3", "PO-3"]),
    ],
)
def test_packs_hold_what_is_announced(notice: ShipNotice, wanted: list[str]) -> None:
    assert [breach.rule for breach in notice_breaches(notice)] == wanted


@given(st.lists(st.integers(1, 50), min_size=1, max_size=10))
def test_however_goods_are_packed_their_sum_is_the_announced_line(packed: list[int]) -> None:
    assert notice_breaches(announced(str(sum(packed)), *map(str, packed))) == []
    assert notice_breaches(announced(str(sum(packed) + 1), *map(str, packed))) != []


def test_an_order_a_notice_a_receipt_and_an_invoice_break_their_rules() -> None:
    stray = NoticeLine(order_number="", line_id="1", quantity=D(1))
    notice = ShipNotice(notice_id="N", vendor="V", shipped_at=AT, lines=(stray,))
    worse = ReceivedLine(sku="A", counted=D(3), damaged=D(4))
    receipt = GoodsReceipt(receipt_id="R", location="dc", received_at=AT, lines=(worse,))
    wrong = VendorInvoice(
        number="I", vendor="V", currency="USD", issued_on=date(2026, 11, 21),
        lines=(InvoicedLine(order_number="PO-1", line_id="1", quantity=D(2), cost=D(3)),),
        total=D("6.01"),
    )  # fmt: skip
    found: list[Any] = [
        *purchase_breaches(order(("1", "12", "4.00"), ("1", "0", "4.00"))),
        *notice_breaches(notice),
        *receipt_breaches(receipt),
        *invoice_breaches(wrong),
    ]

    assert [breach.rule for breach in found] == ["PO-1", "PO-1", "PO-4", "PO-5", "PO-6"]


lines = st.dictionaries(st.sampled_from("1234"), st.tuples(units, cents), max_size=4)


@given(lines, lines, lines, st.decimals(0, 99, places=2))
def test_what_is_owed_and_every_difference_make_the_invoice_exactly(
    ordered: dict[str, tuple[Decimal, Decimal]],
    came: dict[str, tuple[Decimal, Decimal]],
    asked: dict[str, tuple[Decimal, Decimal]],
    beyond: Decimal,
) -> None:
    wanted = order(*((name, str(each), str(cost)) for name, (each, cost) in ordered.items()))
    receipt = received(*((name, each) for name, (each, _) in came.items()))
    told = invoice(*((name, each, cost) for name, (each, cost) in asked.items()), beyond=beyond)

    matched = match_invoice([wanted], [receipt], told)

    assert matched.owed + sum(each.amount for each in matched.differences) == matched.wanted
    assert matched.wanted == told.total


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ((D(12), D("4.00")), []),
        ((D(12), D("4.05")), [("price", D("0.60"), True)]),
        ((D(12), D("4.06")), [("price", D("0.72"), False)]),
        ((D(13), D("4.00")), [("quantity", D("4.00"), False)]),
        ((D(11), D("4.10")), [("quantity", D("-4.00"), False), ("price", D("1.10"), False)]),
    ],
)
def test_an_invoice_may_be_off_by_little_and_by_no_piece(
    asked: tuple[Decimal, Decimal], wanted: list[tuple[str, Decimal, bool]]
) -> None:
    matched = match_invoice(
        [order(("1", "12", "4.00"))], [received(("1", D(12)))], invoice(("1", *asked))
    )

    found = [(each.kind, each.amount, each.is_tolerated) for each in matched.differences]
    assert found == wanted
    assert matched.may_be_paid == all(tolerated for _, _, tolerated in wanted)


def test_what_was_never_ordered_is_not_paid_even_if_it_came() -> None:
    matched = match_invoice([order()], [received(("9", D(5)))], invoice(("9", D(5), D(2))))

    assert (matched.owed, matched.wanted, matched.may_be_paid) == (D(0), D(10), False)
    assert [each.kind for each in matched.differences] == ["not_ordered"]
