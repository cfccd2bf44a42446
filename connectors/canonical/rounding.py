"""Rounding as data: which mode, to which step; what is rounded off is a line with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Literal

from connectors.canonical.money import minor_units

Mode = Literal["half_up", "half_even", "up", "down"]

_MODES: dict[Mode, str] = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
}
# Smallest cash payment where the minor unit has no coin. Cash only: cards pay to the minor unit.
# Sources: central banks' rules as Shopify lists them for cash rounding (AUD, CAD, CHF, NZD, DKK,
# NOK, SEK, CZK, HUF, ILS), https://shopify.dev/docs/api/admin-graphql (CashRoundingAdjustment).
CASH_STEPS = {
    "AUD": Decimal("0.05"), "CAD": Decimal("0.05"), "CHF": Decimal("0.05"), "CZK": Decimal(1),
    "DKK": Decimal("0.50"), "HUF": Decimal(5), "ILS": Decimal("0.10"), "NOK": Decimal(1),
    "NZD": Decimal("0.10"), "SEK": Decimal(1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rounded:
    """An amount as it is paid, and the difference to what was owed: `paid` less `owed`."""

    paid: Decimal
    difference: Decimal


def to_step(amount: Decimal, step: Decimal, mode: Mode = "half_up") -> Decimal:
    """Round to a multiple of a step (> 0), away from nothing that the mode does not say."""
    steps = (amount / step).quantize(Decimal(1), rounding=_MODES[mode])
    return steps * step


def to_minor_unit(amount: Decimal, currency: str, mode: Mode = "half_up") -> Decimal:
    """Round to the currency's minor unit."""
    return to_step(amount, Decimal(1).scaleb(-minor_units(currency)), mode)


def in_cash(owed: Decimal, currency: str, mode: Mode = "half_up") -> Rounded:
    """Say what is paid when it is paid in cash, and what the till books as rounding."""
    paid = to_step(owed, CASH_STEPS.get(currency, Decimal(1).scaleb(-minor_units(currency))), mode)
    return Rounded(paid, paid - owed)


def tax_of_lines(
    nets: list[Decimal], rate: Decimal, currency: str, *, per_line: bool, mode: Mode = "half_up"
) -> Decimal:
    """Give the tax of an order as a source that rounds each line, or the sum, would state it.

    Only to explain a difference between two systems: the source's own tax is never recomputed.
    """
    if per_line:
        taxes = [to_minor_unit(net * rate, currency, mode) for net in nets]
        return sum(taxes, Decimal(0))
    return to_minor_unit(sum(nets, Decimal(0)) * rate, currency, mode)
