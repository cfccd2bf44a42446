"""What must hold of every order, each rule with an order that breaks just it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.canonical.order import Line, Order, Tax, Tender
from connectors.canonical.order_checks import RULES, breaches

D = Decimal
LINE = Line(
    line_id="1",
    sku="A-1",
    title="Scarf",
    quantity=D(2),
    unit_price=D("10.00"),
    net=D("20.00"),
    taxes=(Tax(name="Tax", rate=D("0.0825"), amount=D("1.65")),),
    gross=D("21.65"),
)
ORDER = Order(
    order_id="1",
    number="#1",
    kind="web",
    currency="USD",
    placed_at=datetime(2026, 11, 20, tzinfo=UTC),
    lines=(LINE,),
    total=D("21.65"),
    tenders=(Tender(kind="card", name="Card", amount=D("21.65")),),
)


def with_line(**changes: Any) -> Order:
    return replace(ORDER, lines=(replace(LINE, **changes),))


def test_an_order_that_adds_up_breaks_no_rule() -> None:
    assert breaches(ORDER) == []


@pytest.mark.parametrize(
    ("order", "rule", "severity", "pointer"),
    [
        (replace(ORDER, total=D("21.66")), "O-1", "error", "/total"),
        (with_line(unit_price=D("11.00")), "O-2", "warning", "/lines/0/net"),
        (
            replace(ORDER, kind="pos", tenders=(Tender(kind="cash", name="Cash", amount=D(20)),)),
            "O-3",
            "error",
            "/tenders",
        ),
        (
            replace(ORDER, tenders=(Tender(kind="card", name="Card", amount=D(30)),)),
            "O-3",
            "warning",
            "/tenders",
        ),
        (
            with_line(taxes=(Tax(name="Tax", rate=D("0.1"), amount=D("1.65")),)),
            "O-5",
            "warning",
            "/lines/0/taxes/0/amount",
        ),
        (
            with_line(quantity=D("2.5"), unit_price=D(8)),
            "O-8",
            "warning",
            "/lines/0/quantity",
        ),
        (with_line(sku=None), "O-11", "warning", "/lines/0/sku"),
    ],
)
def test_a_rule_that_is_broken_is_named_with_its_place(
    order: Order, rule: str, severity: str, pointer: str
) -> None:
    found = breaches(order)

    assert [(each.rule, each.severity, each.pointer) for each in found] == [
        (rule, severity, pointer)
    ]
    assert found[0].words.endswith(".")


def test_a_short_till_is_told_by_how_much() -> None:
    short = replace(ORDER, kind="pos", tenders=(Tender(kind="cash", name="Cash", amount=D(20)),))

    assert breaches(short)[0].words.endswith("the till is short by 1.65.")


def test_a_voided_line_counts_for_nothing_and_a_notice_without_lines_has_no_sum() -> None:
    voided = replace(LINE, line_id="2", is_voided=True, sku=None)

    assert breaches(replace(ORDER, lines=(LINE, voided))) == []
    assert breaches(replace(ORDER, lines=())) == []


def test_every_rule_has_a_name_of_the_specification() -> None:
    assert [rule.name for rule in RULES] == sorted(
        (rule.name for rule in RULES), key=lambda name: int(name.partition("-")[2])
    )
