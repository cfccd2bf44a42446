"""Do the parts of an order make its total? One minor unit per line is carried, more is held."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from connectors.canonical.money import Money, minor_units
from connectors.canonical.order import Order
from connectors.sdk.message import HoldRecord


def with_checked_sums(order: Order, at: str) -> Order:
    """Give the order with a small difference carried as rounding; `at` points at the object.

    Raises HoldRecord `order.totals_differ` with both figures and the money at stake. An order
    without lines (a notice of cancellation) has nothing to add up.
    """
    if not order.lines:
        return order
    goods = sum((line.gross for line in order.lines if not line.is_voided), Decimal(0))
    parts = goods + order.shipping + order.fees + order.rounding
    difference = order.total - parts
    tolerance = len(order.lines) * Decimal(1).scaleb(-minor_units(order.currency))
    if abs(difference) > tolerance:
        words = (
            f"Order {order.number} says {order.total} {order.currency} in total, but its lines,"
            f" shipping, fees and rounding make {parts} {order.currency}. Correct it at the sender."
        )
        stake = Money(amount=order.total, currency=order.currency)
        raise HoldRecord("order.totals_differ", f"{at}/total", words, stake)
    return replace(order, rounding=order.rounding + difference) if difference else order
