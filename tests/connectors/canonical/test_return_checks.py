"""Every named rule of returns and refunds, by a case that keeps it and one that breaks it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.canonical.return_checks import (
    GRANT_RULES,
    RETURN_RULES,
    Sold,
    grant_breaches,
    return_breaches,
)
from connectors.canonical.returns import Component, PayBack, RefundGrant, Return, ReturnLine

D = Decimal
SOLD = Sold(
    returnable={"1": D(2)},
    captured=D("21.40"),
    refunded=D(0),
    tender_kinds=frozenset({"card"}),
    tax_rates=frozenset({D("0.07")}),
)
LINE = ReturnLine(line_id="r1", order_line_id="1", title="Book", requested=D(2), received=D(2))
RETURN = Return(
    return_id="R",
    number="R",
    kind="in_store",
    order_id="1001",
    currency="USD",
    initiated_at=datetime(2026, 11, 20, tzinfo=UTC),
    lines=(LINE,),
)
PARTS = (
    Component(kind="item", amount=D("20.00"), line_id="1"),
    Component(kind="tax", amount=D("1.40"), line_id="1", name="Reduced", rate=D("0.07")),
)
GRANT = RefundGrant(
    return_id="R",
    order_id="1001",
    currency="USD",
    components=PARTS,
    tenders=(PayBack(tender_id="c", kind="card", amount=D("21.40")),),
)


def line(**changed: Any) -> Return:
    return msgspec.structs.replace(RETURN, lines=(msgspec.structs.replace(LINE, **changed),))


def grant(**changed: Any) -> RefundGrant:
    return msgspec.structs.replace(GRANT, **changed)


def paid(kind: Any, amount: str) -> tuple[PayBack, ...]:
    return (PayBack(tender_id="c", kind=kind, amount=D(amount)),)


def priced(*parts: Component) -> RefundGrant:
    total = sum((part.amount for part in parts), D(0))
    return grant(components=parts, tenders=paid("card", str(total)))


def test_a_return_and_a_refund_in_order_break_nothing() -> None:
    assert return_breaches(RETURN, SOLD) == []
    assert grant_breaches(GRANT, SOLD) == []


@pytest.mark.parametrize(
    ("rule", "of"),
    [
        ("R-1", line(requested=D(0), received=D(0))),
        ("R-2", line(received=D(2), dismissed=D(1))),
        ("R-3", line(requested=D(3))),
        ("R-4", line(received=D(0), disposition="restock")),
    ],
)
def test_a_return_that_breaks_a_rule_is_told_which(rule: str, of: Return) -> None:
    assert [each.rule for each in return_breaches(of, SOLD)] == [rule]


@pytest.mark.parametrize(
    ("rule", "of"),
    [
        ("R-5", grant(tenders=paid("card", "21.39"))),
        ("R-6", priced(*PARTS, Component(kind="shipping", amount=D("0.01")))),
        ("R-7", priced(Component(kind="item", amount=D("9.999")))),
        ("R-8", priced(PARTS[0], Component(kind="restocking_fee", amount=D(1)))),
        ("R-9", grant(tenders=paid("cash", "21.40"))),
        ("R-9", grant(order_id=None)),
        ("R-10", priced(PARTS[0], Component(kind="tax", amount=D(1), rate=D("0.19")))),
    ],
)
def test_a_refund_that_breaks_a_rule_is_told_which(rule: str, of: RefundGrant) -> None:
    assert [each.rule for each in grant_breaches(of, SOLD)] == [rule]


def test_approved_goodwill_may_go_beyond_what_was_paid() -> None:
    assert grant_breaches(priced(*PARTS, Component(kind="goodwill", amount=D(5))), SOLD) == []


def test_the_rules_are_numbered_without_a_gap() -> None:
    names = [name for name, _, _ in (*RETURN_RULES, *GRANT_RULES)]

    assert names == [f"R-{number}" for number in range(1, 11)]
