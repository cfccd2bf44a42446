"""What a delivery is called, what money is in it and what it counts as, in one table."""

from __future__ import annotations

from app.deliveries.settle import Priced
from connectors.canonical.event import ORDER_PLACED, ORDER_REFUNDED, TILL_SALE, Event

# Billable kinds by event type; stock and prices are never metered.
USAGE_KINDS = {ORDER_PLACED: "order", TILL_SALE: "ticket", ORDER_REFUNDED: "return"}


def priced(event: Event) -> Priced:
    """Say what a delivery of this event is called, holds in money and counts as."""
    return Priced(
        label=event.label[:200],
        amount=event.amount.amount if event.amount else None,
        currency=event.amount.currency if event.amount else None,
        usage_kind=USAGE_KINDS.get(event.type, ""),
        business_key=event.object_id[:500],
        event_type=event.type,
        object_id=event.object_id[:500],
    )
