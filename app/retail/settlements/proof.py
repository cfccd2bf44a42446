"""Whether a settlement adds up: if not, the file is incomplete, and nothing of it is booked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from connectors.canonical.money import Money
from connectors.canonical.settlement import Settlement, SettlementLine


@dataclass(frozen=True, slots=True)
class Proof:
    """Opening reserve + released lines - closing reserve against the payout, and what is off."""

    released: Decimal
    deferred: Decimal
    expected: Decimal
    told: Decimal

    @property
    def difference(self) -> Decimal:
        """Give what the payout is more (or less) than it should be."""
        return self.told - self.expected

    @property
    def is_exact(self) -> bool:
        """Say whether it adds up to the minor unit."""
        return self.difference == 0


def prove(settlement: Settlement) -> Proof:
    """Add a settlement up; deferred lines are owed, but not yet paid."""
    released = _sum(line for line in settlement.lines if line.release != "deferred")
    deferred = _sum(line for line in settlement.lines if line.release == "deferred")
    expected = settlement.opening_reserve + released - settlement.closing_reserve
    return Proof(released, deferred, expected, settlement.payout)


def not_payable(settlement: Settlement) -> list[SettlementLine]:
    """Name lines whose amount has more decimals than the currency: a number misread."""
    currency = settlement.currency
    return [
        line
        for line in settlement.lines
        if not Money(amount=line.amount, currency=currency).is_payable()
    ]


def accrual(settlement: Settlement, cut_off: datetime) -> Decimal:
    """Give what a settlement over a month's end earned up to the cut-off, by when lines were posted.

    It is booked at the month's end and taken back when the settlement is.
    """
    return _sum(line for line in settlement.lines if line.posted_at < cut_off)


def _sum(lines: Iterable[SettlementLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))
