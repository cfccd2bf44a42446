"""Money: an exact decimal amount with its ISO 4217 currency; never float, never rounded silently."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

import msgspec

# Minor units other than 2. Source: ISO 4217 table A.1 (amendment 177), the currencies in retail use.
MINOR_UNITS = {
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3,
    "JPY": 0, "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3,
    "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in one currency; written as `{"amount": "12.34", "currency": "USD"}`."""

    amount: Decimal
    currency: str

    def is_payable(self) -> bool:
        """Say whether the amount has no more decimals than the currency's minor unit allows."""
        return self.amount == quantized(self.amount, self.currency)


def minor_units(currency: str) -> int:
    """Give the number of decimals of a currency's minor unit (USD 2, JPY 0, KWD 3)."""
    return MINOR_UNITS.get(currency, 2)


def quantized(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's minor unit; only for amounts that a rule allows to round."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_UP)


def in_minor_units(money: Money) -> int:
    """Count minor units (12.34 USD is 1234); raises ValueError when the amount is not payable."""
    if not money.is_payable():
        raise ValueError(f"{money.amount} has more decimals than {money.currency} has")
    return int(money.amount.scaleb(minor_units(money.currency)))


def from_minor_units(units: int, currency: str) -> Money:
    """Make money from a count of minor units (1234 USD is 12.34)."""
    return Money(amount=Decimal(units).scaleb(-minor_units(currency)), currency=currency)


def allocate(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split an amount over weights by largest remainder; ties go to the earlier part; sums exactly.

    Takes a payable amount and at least one weight >= 0 (all zero: equal parts).
    """
    unit = Decimal(1).scaleb(-minor_units(currency))
    total = sum(weights, Decimal(0))
    shares = weights if total else [Decimal(1)] * len(weights)
    total = total or Decimal(len(weights))
    exact = [amount * share / total for share in shares]
    parts = [part.quantize(unit, rounding=ROUND_FLOOR) for part in exact]
    missing = int((amount - sum(parts, Decimal(0))) / unit)
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[:missing]:
        parts[i] += unit
    return parts
