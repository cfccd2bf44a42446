"""Quantities with their unit: conversions are exact fractions, and nothing is rounded unasked.

Units are UN/ECE Recommendation 20 codes (EA, KGM, GRM, LTR, MTR, PR ...), as in GS1 EPCIS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

PIECE = "EA"
DECIMALS = 6


class DoesNotDivide(ValueError):
    """The converted quantity has no exact decimal, or no whole number where one is needed."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much, in which unit; negative where goods come back."""

    value: Decimal
    uom: str = PIECE


# How many of the base unit one of this unit is, for one variant: {"CS": Fraction(12)}.
Conversions = Mapping[str, Fraction]


def in_base(quantity: Quantity, base: str, conversions: Conversions) -> Fraction:
    """Give the exact quantity in the variant's base unit; raises KeyError for an unknown unit."""
    factor = Fraction(1) if quantity.uom == base else conversions[quantity.uom]
    return Fraction(quantity.value) * factor


def converted(quantity: Quantity, to: str, base: str, conversions: Conversions) -> Quantity:
    """Convert exactly, for posting; raises DoesNotDivide rather than round, KeyError when unknown."""
    exact = in_base(quantity, base, conversions)
    if to != base:
        exact /= conversions[to]
    value = _decimal(exact)
    if value is None:
        raise DoesNotDivide(
            f"{quantity.value} {quantity.uom} is no exact quantity of {to}. Post it in {base}."
        )
    return Quantity(value, to)


def whole_units(quantity: Quantity, to: str, base: str, conversions: Conversions) -> int:
    """Give the whole units that are there, for publishing: 23 pieces are one case of twelve."""
    exact = in_base(quantity, base, conversions)
    if to != base:
        exact /= conversions[to]
    return exact.numerator // exact.denominator


def _decimal(exact: Fraction) -> Decimal | None:
    scaled = exact * 10**DECIMALS
    if scaled.denominator != 1:
        return None
    return Decimal(scaled.numerator).scaleb(-DECIMALS).normalize() + 0
