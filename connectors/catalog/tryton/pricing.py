"""Unit prices whose product with the quantity is the amount, to the minor unit.

Tryton keeps a quantity and a unit price with few decimals, and rounds their product. A shop keeps
the amount. Where no unit price gives the amount, the line is cut in two that do.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class Priced:
    """A quantity with its unit prices before and after tax."""

    quantity: Decimal
    net_unit: Decimal
    gross_unit: Decimal


def priced(quantity: Decimal, net: Decimal, gross: Decimal, decimals: int) -> tuple[Priced, ...]:
    """Cut a line so that every part's rounded products add up to `net` and `gross` exactly.

    Takes:  payable amounts (two decimals at most) of the same sign as `quantity`, which is not 0.
    Gives:  one part; two when the quantity is so large that the unit price's decimals do not do.
    """
    whole = Priced(quantity, _unit(net, quantity, decimals), _unit(gross, quantity, decimals))
    if _is_exact(whole.net_unit, quantity, net) and _is_exact(whole.gross_unit, quantity, gross):
        return (whole,)
    # Whole pieces at a price in minor units are exact; one piece and the fraction take the rest.
    pieces = quantity.to_integral_value(ROUND_DOWN) - Decimal(1).copy_sign(quantity)
    net_unit, gross_unit = (_unit(amount, quantity, 2, ROUND_DOWN) for amount in (net, gross))
    rest = quantity - pieces
    return (
        Priced(pieces, net_unit, gross_unit),
        Priced(
            rest,
            _unit(net - net_unit * pieces, rest, decimals),
            _unit(gross - gross_unit * pieces, rest, decimals),
        ),
    )


def _unit(
    amount: Decimal, quantity: Decimal, decimals: int, rounding: str = ROUND_HALF_EVEN
) -> Decimal:
    return (amount / quantity).quantize(Decimal(1).scaleb(-decimals), rounding=rounding)


def _is_exact(unit: Decimal, quantity: Decimal, amount: Decimal) -> bool:
    # Strictly less than half a minor unit away: the same whichever way a tie is rounded.
    return abs(unit * quantity - amount) < Decimal("0.005")
