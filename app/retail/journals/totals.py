"""What the tickets of a day come to, by currency: for the audit, and for booking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from app.retail.journals.audit import DayTotals
from app.retail.journals.facts import signed
from app.retail.journals.fold import Balances, RoleKey
from app.retail.journals.tellings import Contribution
from app.retail.journals.templates import LEGS

# Facts that are worth of the sale before tax, and those that are tax.
_NET = frozenset({
    "goods", "returned_goods", "shipping", "refunded_shipping", "fee", "tip", "deposit",
    "gift_card_sold", "rounding", "unexplained",
})  # fmt: skip
_TAX = frozenset({"tax", "marketplace_tax"})
_TENDERS = {
    "tender": "", "gift_card_tender": "gift_card", "store_credit_tender": "store_credit",
    "marketplace_tender": "marketplace", "rounding_tender": "rounding",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DaySums:
    """Totals for people and balances for the books, of one place, day and currency."""

    totals: DayTotals
    balances: Balances


@dataclass(slots=True)
class _Sum:
    """What one currency comes to so far."""

    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_kind: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    tenders: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    balances: defaultdict[RoleKey, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, part: Contribution) -> None:
        """Take one contribution in."""
        worth = Decimal(0)
        for fact in part.facts:
            self.by_kind[fact.kind] += fact.amount
            self.balances[LEGS[fact.kind].role, fact.detail] += signed(fact)
            if fact.kind in _TENDERS:
                self.tenders[_TENDERS[fact.kind] or fact.detail] += fact.amount
            worth += fact.amount if fact.kind in _NET | _TAX else Decimal(0)
        told, counts = part.telling, self.counts
        counts["tickets"] += part.is_first
        counts["changed"] += not part.is_first
        counts["negative"] += part.is_last and worth < 0
        if part.is_last:
            counts["lines"] += told.lines
            counts["unmapped"] += told.unmapped_lines
            counts["clocks"] += told.is_clock_suspect

    def sums(self, currency: str) -> DaySums:
        """Give what it came to."""
        kinds, counts = self.by_kind, self.counts
        net = sum((kinds[kind] for kind in _NET), -kinds["discount"])
        tax = sum((kinds[kind] for kind in _TAX), Decimal(0))
        totals = DayTotals(
            currency=currency,
            tickets=counts["tickets"],
            lines=counts["lines"],
            unmapped_lines=counts["unmapped"],
            negative_tickets=counts["negative"],
            changed_tickets=counts["changed"],
            suspect_clocks=counts["clocks"],
            unexplained=kinds["unexplained"],
            net=net,
            tax=tax,
            gross=net + tax,
            tenders={name: amount for name, amount in sorted(self.tenders.items()) if amount},
        )
        return DaySums(totals, {key: each for key, each in self.balances.items() if each})


def sum_up(parts: Iterable[Contribution]) -> dict[str, DaySums]:
    """Sum contributions up by currency."""
    sums: defaultdict[str, _Sum] = defaultdict(_Sum)
    for part in parts:
        sums[part.currency].add(part)
    return {currency: each.sums(currency) for currency, each in sorted(sums.items())}
