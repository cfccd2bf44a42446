"""Lines of a settlement against what was sold: order by order, exactly, every difference with money.

Left are the lines of one settlement, in the middle what the channel owes by our own sale records.
Price and tax must agree to the minor unit; fees are compared where a contract says what to expect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from app.retail.settlements.categories import Classified
from connectors.canonical.settlement import Category

MatchBreak = Literal[
    "orphan_settlement", "missing_in_settlement", "amount_differs", "refund_differs",
    "fee_variance", "deferred_overdue",
]  # fmt: skip
# What together makes what a customer paid for an order, tax that stays with the channel taken off.
_OF_SALE: frozenset[Category] = frozenset({
    "principal", "shipping", "gift_wrap", "promotion", "tax_collected", "tax_withheld",
})  # fmt: skip
_FEES: frozenset[Category] = frozenset({"selling_fee", "fulfilment_fee", "payment_fee"})
# Source: sales audit of marketplaces; money of Amazon's orders is due after 21 days, cards after 3.
MATURITY_D = {"amazon": 21, "stripe": 3}
DEFAULT_MATURITY_D = 14
DEFERRED_GRACE_D = 3
FEE_TOLERANCE = Decimal("0.01")
FEE_TOLERANCE_SHARE = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Expected:
    """What one order should bring by our records; `fees` is negative, None where no contract tells.

    `sale` and `refunds` (negative) are what the channel owes of it: without tax that it keeps.
    """

    order_ref: str
    sold_on: date
    sale: Decimal
    refunds: Decimal = Decimal(0)
    fees: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One break of one order: what we expected, what the settlement says, and the money between."""

    kind: MatchBreak
    order_ref: str
    expected: Decimal
    settled: Decimal

    @property
    def amount(self) -> Decimal:
        """Give what came more (positive) or less (negative) than expected."""
        return self.settled - self.expected

    def words(self, currency: str) -> str:
        """Say in plain words what is off and what to do."""
        return _WORDS[self.kind].format(
            order=self.order_ref, expected=self.expected, settled=self.settled, currency=currency,
            off=abs(self.amount),
        )  # fmt: skip


_WORDS: dict[MatchBreak, str] = {
    "orphan_settlement": (
        "The settlement pays {settled} {currency} for order {order}, which was never received."
        " Fetch the order; until then the money is in suspense."
    ),
    "missing_in_settlement": (
        "Order {order} was sold for {expected} {currency} and is in no settlement by now. Ask the"
        " channel for it."
    ),
    "amount_differs": (
        "Order {order} was sold for {expected} {currency}, the settlement says {settled}: off by"
        " {off}. Compare both and claim the difference or accept it."
    ),
    "refund_differs": (
        "Order {order} was refunded {expected} {currency} by our records, the settlement says"
        " {settled}: off by {off}. See whether a refund or a return is missing."
    ),
    "fee_variance": (
        "The fees of order {order} are {settled} {currency}, the contract says {expected}: off by"
        " {off}. Claim the difference or correct the contract."
    ),
    "deferred_overdue": (
        "{settled} {currency} of order {order} were deferred and are overdue. Ask the channel when"
        " they are released."
    ),
}


@dataclass(frozen=True, slots=True)
class Matched:
    """What a match came to: orders that agree, every difference, and money nobody explains."""

    orders: int
    agreed: int
    lines: int
    differences: tuple[Difference, ...]
    unexplained: Decimal


@dataclass(slots=True)
class _Settled:
    sale: Decimal = Decimal(0)
    refunds: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    is_sold: bool = False


def match(
    lines: Iterable[Classified], expected: Iterable[Expected], *, due_before: date | None = None
) -> Matched:
    """Compare order by order, to the minor unit; give the lines of all settlements of these orders.

    An order whose lines are all fees or refunds was paid in an earlier settlement: only its refunds
    and fees are compared. One that was sold on or after `due_before` may be paid in parts: what is
    still to come is no break.
    """
    settled, count = _by_order(lines)
    known = {each.order_ref: each for each in expected}
    differences: list[Difference] = []
    agreed = 0
    for order_ref, told in sorted(settled.items()):
        found = _compare(order_ref, told, known.get(order_ref), due_before)
        differences += found
        agreed += not found
    unexplained = sum((each.amount for each in differences), Decimal(0))
    return Matched(len(settled), agreed, count, tuple(differences), unexplained)


def missing(
    expected: Iterable[Expected], settled_orders: Iterable[str], channel: str, today: date
) -> list[Difference]:
    """Name orders that were sold, are due by the channel's terms and stand in no settlement."""
    due = today - timedelta(days=MATURITY_D.get(channel, DEFAULT_MATURITY_D))
    settled = set(settled_orders)
    return [
        Difference("missing_in_settlement", each.order_ref, each.sale, Decimal(0))
        for each in sorted(expected, key=lambda one: one.order_ref)
        if each.order_ref not in settled and each.sold_on < due and each.sale
    ]


def overdue(
    deferred: Mapping[str, tuple[date, Decimal]], released: Iterable[str], today: date
) -> list[Difference]:
    """Name deferred money (order -> due date, amount) that should be released by now, oldest first.

    Until it is due, and a few days after, it is a receivable and no break.
    """
    done = set(released)
    late = sorted(
        (due, order, amount)
        for order, (due, amount) in deferred.items()
        if order not in done and today > due + timedelta(days=DEFERRED_GRACE_D)
    )
    return [Difference("deferred_overdue", order, Decimal(0), amount) for _, order, amount in late]


def _by_order(lines: Iterable[Classified]) -> tuple[dict[str, _Settled], int]:
    settled: defaultdict[str, _Settled] = defaultdict(_Settled)
    count = 0
    for each in lines:
        count += 1
        if not each.line.order_ref:
            continue
        told = settled[each.line.order_ref]
        is_refund = each.category == "refund" or each.line.transaction_type == "Refund"
        if each.category in _FEES:
            told.fees += each.line.amount
        elif is_refund:
            told.refunds += each.line.amount
        elif each.category in _OF_SALE:
            told.sale += each.line.amount
            told.is_sold = True
    return dict(settled), count


def _compare(
    order_ref: str, told: _Settled, known: Expected | None, due_before: date | None
) -> list[Difference]:
    if known is None:
        if not told.is_sold and not told.refunds:
            return []
        worth = told.sale + told.refunds
        return [Difference("orphan_settlement", order_ref, Decimal(0), worth)]
    found: list[Difference] = []
    is_young = due_before is not None and known.sold_on >= due_before
    is_part = is_young and 0 < told.sale < known.sale
    if told.is_sold and told.sale != known.sale and not is_part:
        found.append(Difference("amount_differs", order_ref, known.sale, told.sale))
    if told.refunds and told.refunds != known.refunds:
        found.append(Difference("refund_differs", order_ref, known.refunds, told.refunds))
    if known.fees is not None and _is_off(told.fees, known.fees):
        found.append(Difference("fee_variance", order_ref, known.fees, told.fees))
    return found


def _is_off(actual: Decimal, wanted: Decimal) -> bool:
    return abs(actual - wanted) > max(FEE_TOLERANCE, abs(wanted) * FEE_TOLERANCE_SHARE)
