"""Numbers as tills write them, read exactly: amounts, unit prices and quantities."""

from __future__ import annotations

import re
from decimal import Decimal

from connectors.canonical.money import Money, minor_units
from connectors.sdk.message import HoldRecord

_NUMBER = re.compile(r"[+-]?(?=\.?[0-9])([0-9]{0,40})(?:\.([0-9]{0,40}))?", re.ASCII)
# numeric(19,6) holds a unit price; numeric(18,6) a quantity, and scales weigh to the gram.
_WHOLE_DIGITS = 12
UNIT_PRICE_DECIMALS = 6
QUANTITY_DECIMALS = 3
_RATIO = Decimal(1).scaleb(-UNIT_PRICE_DECIMALS)


def amount(text: str, currency: str, pointer: str) -> Decimal:
    """Read a payable amount; raises HoldRecord `amount.invalid`, `.range` or `.scale`."""
    return _number(text, pointer, ("amount", f"{currency} amount"), minor_units(currency))


def unit_price(text: str, pointer: str) -> Decimal:
    """Read a unit price, which may be finer than the currency (fuel, per 100 g)."""
    return _number(text, pointer, ("amount", "unit price"), UNIT_PRICE_DECIMALS)


def quantity(text: str, pointer: str) -> Decimal:
    """Read a quantity of pieces or weight."""
    return _number(text, pointer, ("quantity", "quantity"), QUANTITY_DECIMALS)


def told_amount(text: str, currency: str) -> Money | None:
    """Give an amount for a record that is held anyway, if it can be told."""
    try:
        return Money(amount=amount(text, currency, ""), currency=currency) if currency else None
    except HoldRecord:
        return None


def charged_unit_price(
    regular: Decimal, quantity: Decimal, extended: Decimal, cent: Decimal
) -> Decimal:
    """Give the price per unit that was charged.

    The shelf price holds as long as quantity times price is the charged amount to one minor unit
    (weights are rounded). Otherwise the till charged by another rule, which the record does not
    tell (2 for 5.00; a price printed in the barcode of a weighed pack): charged amount / quantity.
    """
    if not quantity or abs(quantity * regular - extended) <= cent:
        return regular
    return (extended / quantity).quantize(_RATIO).normalize() + Decimal("0.00")


def _number(text: str, pointer: str, kind: tuple[str, str], decimals: int) -> Decimal:
    area, noun = kind
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise HoldRecord(
            f"{area}.invalid",
            pointer,
            f'"{text[:40]}" is not a {noun}. Write digits with a point, such as 12.50.',
        )
    whole, fraction = found[1], (found[2] or "")
    if len(whole.lstrip("0")) > _WHOLE_DIGITS:
        raise HoldRecord(f"{area}.range", pointer, f"{text[:40]} is too large for a {noun}.")
    if len(fraction.rstrip("0")) > decimals:
        raise HoldRecord(
            f"{area}.scale",
            pointer,
            f"{text[:40]} has more decimals than a {noun} may have ({decimals}). "
            "It is never rounded; correct it at the till.",
        )
    value = Decimal(text)
    return value if len(fraction) <= decimals else value.quantize(Decimal(1).scaleb(-decimals))
