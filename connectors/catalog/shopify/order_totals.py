"""Do the parts of a Shopify order make its total? One minor unit per line is carried, more is held."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.money import Money, minor_units
from connectors.sdk.message import HoldRecord, JsonObject
from connectors.sdk.payload import amount_or

CODE = "order.totals_differ"


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of one order in one currency, as read from its parts and from its head.

    `parts`: gross lines, shipping and fees in sum. `discounts`: on lines, order discounts included.
    `count`: lines and shipping lines, for the tolerance.
    """

    number: str
    currency: str
    total: Decimal
    parts: Decimal
    discounts: Decimal
    shipping_discount: Decimal
    count: int


def checked_rounding(payload: JsonObject, told: Told) -> Decimal:
    """Give the difference between total and parts, to be carried as rounding; holds a real one."""
    _check_discounts(payload, told)
    difference = told.total - told.parts
    if abs(difference) > _tolerance(told):
        words = (
            f"Order {told.number} says {told.total} {told.currency} in total, but its lines, taxes,"
            f" shipping and fees make {told.parts} {told.currency}. Correct it in Shopify."
        )
        raise HoldRecord(CODE, "/total_price", words, _stake(told))
    return difference


def _check_discounts(payload: JsonObject, told: Told) -> None:
    """Check that the parts of the discount make the discount.

    Shopify counts a shipping discount in `total_discounts` for codes, not for shipping scripts; so
    it may be in or out, but nothing in between.
    """
    said = amount_or(payload, "/total_discounts", told.currency, told.discounts)
    with_shipping = told.discounts + told.shipping_discount
    if min(abs(said - told.discounts), abs(said - with_shipping)) > _tolerance(told):
        words = (
            f"Order {told.number} says {said} {told.currency} of discount, but its lines and"
            f" shipping carry {with_shipping} {told.currency}. Correct it in Shopify."
        )
        raise HoldRecord(CODE, "/total_discounts", words, _stake(told))


def _tolerance(told: Told) -> Decimal:
    return told.count * Decimal(1).scaleb(-minor_units(told.currency))


def _stake(told: Told) -> Money:
    return Money(amount=told.total, currency=told.currency)
