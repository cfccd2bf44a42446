"""Read events as what they say about stock: goods moved, counted, wanted, sent. Pure.

Only goods that left or arrived move stock: a refund gives money back, and goods that come back are
told by a movement once somebody has looked at them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

from app.retail.inventory.facts import (
    AVAILABLE,
    CUSTOMER,
    Document,
    DocumentKind,
    StockFact,
    account_of,
    rank_of,
)
from app.retail.inventory.said import SKU_MAX, Booking, Heard, Said, source_of
from app.retail.inventory.stock_told import hear_count, hear_movement, hear_position
from app.retail.told import Told
from connectors.canonical import event as types
from connectors.canonical.order import Fulfilment, Line, Order

# Shipments that were not made after all, in the words of shops.
NOT_SENT = frozenset({"cancelled", "canceled", "error", "failure"})


def hear(told: Told, booking: Booking) -> Heard:
    """Read one event; raises HoldRecord for a movement or count that cannot be."""
    return _READERS[told.event.type](told, booking)


def _order(told: Told, booking: Booking) -> Heard:
    order = cast("Order", told.event.body)
    if order.kind == "pos" and order.store:
        return _ticket(told, booking)
    location = order.store or booking.get(told.connection_id) or account_of(told.connection_id)
    if order.is_test:
        return Heard(())
    is_over = told.event.type == types.ORDER_CANCELLED
    said = () if is_over else tuple(_wanted(told, order, location))
    return Heard(said, _document(told, order.order_id, "order", location))


def _wanted(told: Told, order: Order, location: str) -> list[Said]:
    return [
        Said(
            StockFact(
                sku=line.sku or "",
                source_key=f"o/{order.order_id}",
                kind="order",
                quantity=line.quantity,
                to_location=location,
                to_state=AVAILABLE,
                occurred_at=order.placed_at,
                document=order.order_id,
                unit_price=line.unit_price,
                currency=order.currency,
                **source_of(told),
            ),
            line.uom,
            is_of_sale=True,
        )
        for line in _stocked(order.lines)
    ]


def _ticket(told: Told, _: Booking) -> Heard:
    """Read a till sale: what was sold leaves the shop, what was brought back is in it again."""
    order = cast("Order", told.event.body)
    store = order.store or ""
    if order.is_test or not store:
        return Heard(())
    is_over = told.event.type == types.ORDER_CANCELLED
    said = () if is_over else tuple(_sold(told, order, store))
    return Heard(said, _document(told, order.order_id, "ticket", store))


def _sold(told: Told, order: Order, store: str) -> list[Said]:
    found = []
    for index, line in enumerate(order.lines):
        if not _has_stock(line) or not line.quantity:
            continue
        is_sale = line.quantity > 0
        ends = (store, CUSTOMER) if is_sale else (CUSTOMER, store)
        fact = StockFact(
            sku=line.sku or "",
            source_key=f"t/{order.order_id}/{index}",
            kind="movement",
            quantity=abs(line.quantity),
            from_location=ends[0],
            from_state=AVAILABLE,
            to_location=ends[1],
            to_state=AVAILABLE,
            occurred_at=order.placed_at,
            reason="sale" if is_sale else "return",
            document=order.order_id,
            unit_price=line.unit_price,
            currency=order.currency,
            **source_of(told),
        )
        found.append(Said(fact, line.uom, is_of_sale=True))
    return found


def _shipment(told: Told, booking: Booking) -> Heard:
    sent = cast("Fulfilment", told.event.body)
    location = booking.get(told.connection_id) or account_of(told.connection_id)
    is_sent = sent.status.lower() not in NOT_SENT
    said = [
        Said(
            StockFact(
                sku=line.sku or "",
                source_key=f"s/{sent.fulfilment_id}/{index}",
                kind="shipment",
                quantity=line.quantity if is_sent else Decimal(0),
                to_location=location,
                to_state=AVAILABLE,
                occurred_at=sent.shipped_at,
                document=sent.order_id,
                **source_of(told),
            ),
            line.uom,
            is_of_sale=True,
        )
        for index, line in enumerate(sent.lines)
        if _has_stock(line)
    ]
    return Heard(tuple(said))


def _document(told: Told, name: str, kind: DocumentKind, location: str) -> Document:
    event = told.event
    return Document(
        told.connection_id,
        name,
        kind,
        location,
        event.occurred_at,
        rank_of(event.version, told.revision),
    )


def _stocked(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if _has_stock(line)]


def _has_stock(line: Line) -> bool:
    """Say whether a line is about an article that is known; without one it has money but no stock."""
    return bool(line.sku) and len(line.sku or "") <= SKU_MAX and not line.is_voided


_READERS: dict[str, Callable[[Told, Booking], Heard]] = {
    types.STOCK_MOVEMENT: hear_movement,
    types.STOCK_COUNT: hear_count,
    types.STOCK_POSITION: hear_position,
    types.TILL_SALE: _ticket,
    types.ORDER_PLACED: _order,
    types.ORDER_CHANGED: _order,
    types.ORDER_CANCELLED: _order,
    types.ORDER_FULFILLED: _shipment,
}
TAKES = frozenset(_READERS)
