"""What is wrong with an order although all of it was told: goods that left and should not have."""

from __future__ import annotations

from app.retail.breaks import Seen
from app.retail.orders.agreements import gross_of
from app.retail.orders.kept import NOTHING, KeptOrder

OVER_SHIPPED = "order_over_shipped"
SHIPPED_THOUGH_CANCELLED = "order_shipped_though_cancelled"
OVER_REFUNDED = "order_over_refunded"


def troubles_of(order: KeptOrder, channel: str) -> list[Seen]:
    """Give what a person has to settle; `channel` is what the order's connection is called."""
    if order.rank is None or order.is_test:
        return []
    return [*_over_shipped(order, channel), *_shipped_though_cancelled(order, channel),
            *_over_refunded(order, channel)]  # fmt: skip


def _over_shipped(order: KeptOrder, channel: str) -> list[Seen]:
    found = []
    for line_id, ordered, sent in order.over_sent():
        words = (
            f"{sent.normalize():f} left for line {line_id} of order {order.number}, but"
            f" {ordered.normalize():f} were ordered. The order stays at {ordered.normalize():f}; ask"
            " the warehouse, and get the rest back or charge it."
        )
        key = f"{channel}/{order.order_id}/{line_id}"
        found.append(Seen(OVER_SHIPPED, key, words, channel, order.day))
    return found


def _shipped_though_cancelled(order: KeptOrder, channel: str) -> list[Seen]:
    if not (order.is_cancelled and order.is_shipped) or order.kind == "pos":
        return []
    words = (
        f"Order {order.number} was cancelled, but its goods have left. It cannot be cancelled any"
        " more: have the carrier bring it back, or open a return and refund it when it is here."
    )
    key = f"{channel}/{order.order_id}"
    amount = gross_of(order.content)
    return [Seen(SHIPPED_THOUGH_CANCELLED, key, words, channel, order.day, amount, order.currency)]


def _over_refunded(order: KeptOrder, channel: str) -> list[Seen]:
    given_back = sum((each.amount for each in order.refunds.values()), NOTHING)
    over = given_back - max(order.paid, gross_of(order.content))
    if over <= 0:
        return []
    words = (
        f"{given_back} {order.currency} went back for order {order.number}, {over} {order.currency}"
        " more than was paid. Stop further refunds of it, and ask who gave them."
    )
    key = f"{channel}/{order.order_id}"
    return [Seen(OVER_REFUNDED, key, words, channel, order.day, over, order.currency)]
