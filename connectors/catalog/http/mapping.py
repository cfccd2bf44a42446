"""From a JSON message to its canonical event: the object read strictly, its key and label named."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from connectors.canonical.event import BODIES, TILL_SALE, Event
from connectors.canonical.money import Money
from connectors.canonical.order import Fulfilment, Order, Refund
from connectors.canonical.stock import StockPosition
from connectors.catalog.http.envelope import Told, read_envelope
from connectors.catalog.http.further import NAMINGS, read_named
from connectors.catalog.http.order_sums import with_checked_sums
from connectors.catalog.http.struct_in import read_struct
from connectors.sdk.message import HoldRecord, RawMessage, Reading
from connectors.sdk.payload import Part, currency, day, identifier, money, read_payload


def read_message(message: RawMessage) -> Reading:
    """Turn one message into its event; raises HoldRecord with the money at stake when it can be told."""
    told = read_envelope(message, read_payload(message))
    try:
        return Reading(events=(_BUILDERS[BODIES[told.type][0]](told),))
    except HoldRecord as held:
        amount = held.amount or _money_at_stake(told.data)
        raise HoldRecord(held.code, held.pointer, held.words, amount) from held


def _order(told: Told) -> Event:
    read = read_struct(Order, told.data, currency(told.data, "/currency"))
    order = with_checked_sums(read, told.data.pointer)
    if told.type == TILL_SALE:
        return _till_sale(told, order)
    return Event(
        type=told.type,
        key=f"order:{order.order_id}",
        object_id=order.order_id,
        version=told.version,
        label=f"Order {order.number}",
        occurred_at=told.told_at or order.placed_at,
        amount=Money(amount=order.total, currency=order.currency),
        body=order,
    )


def _till_sale(told: Told, order: Order) -> Event:
    """Name a ticket by its natural key; it is told once and for all, so it has no version."""
    store = identifier(told.data, "/store")
    workstation = identifier(told.data, "/workstation")
    sequence = identifier(told.data, "/sequence")
    return Event(
        type=told.type,
        key=f"till:{store}/{workstation}",
        object_id=order.order_id,
        label=f"Ticket {sequence}, store {store} till {workstation}",
        occurred_at=order.placed_at,
        business_day=day(told.data, "/business_day"),
        amount=Money(amount=order.total, currency=order.currency),
        body=order,
    )


def _refund(told: Told) -> Event:
    refund = read_struct(Refund, told.data, currency(told.data, "/currency"))
    return Event(
        type=told.type,
        key=f"order:{refund.order_id}",
        object_id=refund.refund_id,
        version=told.version,
        label=f"Refund {refund.refund_id} of order {refund.order_number or refund.order_id}",
        occurred_at=refund.happened_at,
        amount=Money(amount=refund.amount, currency=refund.currency),
        body=refund,
    )


def _fulfilment(told: Told) -> Event:
    told_currency = currency(told.data, "/currency") if "currency" in told.data.value else ""
    fulfilment = read_struct(Fulfilment, told.data, told_currency)
    goods = sum((line.gross for line in fulfilment.lines), Decimal(0))
    number = fulfilment.order_number or fulfilment.order_id
    return Event(
        type=told.type,
        key=f"order:{fulfilment.order_id}",
        object_id=fulfilment.fulfilment_id,
        version=told.version,
        label=f"Shipment {fulfilment.fulfilment_id} of order {number}",
        occurred_at=fulfilment.shipped_at,
        amount=Money(amount=goods, currency=told_currency) if told_currency else None,
        body=fulfilment,
    )


def _stock(told: Told) -> Event:
    position = read_struct(StockPosition, told.data)
    return Event(
        type=told.type,
        key=f"stock:{position.location}/{position.sku}",
        object_id=f"{position.location}/{position.sku}",
        version=told.version or position.as_of.isoformat().replace("+00:00", "Z"),
        label=f"Stock of {position.sku} at {position.location}",
        occurred_at=position.as_of,
        body=position,
    )


def _money_at_stake(data: Part) -> Money | None:
    for pointer in ("/total", "/amount"):
        try:
            return money(data, pointer, currency(data, "/currency"))
        except HoldRecord:
            continue
    return None


_BUILDERS: dict[type, Callable[[Told], Event]] = {
    Order: _order,
    Refund: _refund,
    Fulfilment: _fulfilment,
    StockPosition: _stock,
    **{kind: partial(read_named, kind) for kind in NAMINGS},
}
