"""What must come first: the object that an event is about, under the id its source uses for it."""

from __future__ import annotations

from connectors.canonical.event import ORDER_PLACED, TILL_SALE, Event
from connectors.canonical.order import Fulfilment, Order, Refund

# Events that begin the life of an object: nothing comes before them.
FIRST = frozenset({ORDER_PLACED, TILL_SALE})


def parent_of(event: Event) -> str:
    """Give the order that must be there before this event; "" when nothing has to be."""
    if event.type in FIRST:
        return ""
    match event.body:
        case Refund(order_id=order_id) | Fulfilment(order_id=order_id) | Order(order_id=order_id):
            return order_id
    return ""
