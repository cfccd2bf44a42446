"""The parts of a shop's business, as a retailer speaks of them, and which events belong to each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Domain:
    """One part of the business; `prefixes` begin the types of its events."""

    key: str
    name: str
    icon: str
    prefixes: tuple[str, ...]


# In the order in which they are asked: the first whose prefix fits has the event.
DOMAINS: tuple[Domain, ...] = (
    Domain("shipments", "Shipments", "send", ("retail.order.fulfilled.",)),
    Domain("orders", "Orders", "shopping-cart", ("retail.order.",)),
    Domain("sales", "Till sales", "receipt", ("retail.till.",)),
    Domain("stock", "Stock", "packages", ("retail.stock.",)),
    Domain("prices", "Prices", "tag", ("retail.price.", "retail.promotion.", "retail.product.")),
    Domain("returns", "Returns", "receipt-refund", ("retail.return.",)),
    Domain("payouts", "Payouts", "building-bank", ("retail.settlement.", "retail.journal.")),
)
# Messages that cannot be read, and events of the smaller kinds.
OTHER = Domain("other", "Other", "database", ())


def domain_of(event_type: str) -> Domain:
    """Give the part of the business that an event belongs to."""
    return next((each for each in DOMAINS if event_type.startswith(each.prefixes)), OTHER)
