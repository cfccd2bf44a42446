"""Take what is told of orders: each telling is put in its place, and what it changes is agreed anew.

Taken twice, or in another order, the same tellings make the same order. A telling that a newer one has
overtaken is counted and changes nothing. An article nobody knows never stops the money.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.retail.breaks import Seen, see_breaks
from app.retail.orders import apply
from app.retail.orders.clocks import deadlines_of
from app.retail.orders.columns import storable
from app.retail.orders.kept import KeptOrder, Shipped
from app.retail.orders.load import find_named, load_by_id, load_loose, load_orders
from app.retail.orders.store import store_orders, store_shipments
from app.retail.orders.troubles import troubles_of
from app.retail.told import Told
from app.retail.voice import CONNECTION as CORE
from connectors import registry
from connectors.canonical.business_day import TradingDay, business_day
from connectors.canonical.event import (
    ORDER_CANCELLED,
    ORDER_CHANGED,
    ORDER_FULFILLED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    TILL_SALE,
)
from connectors.canonical.order import Fulfilment, Order, Refund
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey

TAKES = frozenset({
    ORDER_PLACED, ORDER_CHANGED, ORDER_CANCELLED, ORDER_REFUNDED, ORDER_FULFILLED, TILL_SALE,
})  # fmt: skip

_SOURCES = "select id, name, connector, settings from connection where tenant_id = $1"
_ZONE = "select timezone from tenant where id = $1"


@dataclass(frozen=True, slots=True)
class Source:
    """A connection that tells of orders."""

    name: str
    connector: str
    settings: Mapping[str, Any]


@dataclass(slots=True)
class _Batch:
    """What is in hand while a batch is taken."""

    sources: dict[UUID, Source]
    trading: TradingDay
    orders: dict[tuple[UUID, str], KeptOrder]
    named: Mapping[str, KeptOrder]
    loose: list[Shipped]
    kept_loose: dict[tuple[UUID, str], Shipped] = field(default_factory=dict)


async def take_orders(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Take the events of one batch in their order; gives those that must be held."""
    batch = await _open(session, told)
    holds: dict[Id, HoldRecord] = {}
    for one in told:
        source = batch.sources[one.connection_id]
        # What the core says follows from an agreement that is made.
        if source.connector == CORE:
            continue
        hold = _take(batch, one, source)
        if hold is not None:
            holds[one.event_id] = hold
    orders = {each.id: each for each in [*batch.orders.values(), *batch.named.values()]}.values()
    await store_orders(session, orders)
    await store_shipments(session, [(each, None) for each in batch.kept_loose.values()])
    touched = [each for each in orders if each.is_touched]
    found = [seen for each in touched for seen in _troubles(batch.sources, each)]
    await see_breaks(session, acting_tenant(session), found)
    return holds


async def _open(session: Session, told: Sequence[Told]) -> _Batch:
    tenant_id = acting_tenant(session)
    rows = await session.fetch(_SOURCES, tenant_id)
    zone = await session.fetch_value(_ZONE, tenant_id)
    wanted = {(one.connection_id, order_id_of(one)) for one in told}
    orders = await load_orders(session, wanted)
    fulfilments = [one for one in told if isinstance(one.event.body, Fulfilment)]
    elsewhere = {
        order_id_of(one)
        for one in fulfilments
        if (one.connection_id, order_id_of(one)) not in orders
    }
    ids = await find_named(session, elsewhere) if elsewhere else {}
    by_id = await load_by_id(session, ids.values()) if ids else {}
    known = {each.id: each for each in orders.values()}
    named = {ref: known.get(order_id, by_id[order_id]) for ref, order_id in ids.items()}
    return _Batch(
        {r["id"]: Source(r["name"], r["connector"], json.loads(r["settings"])) for r in rows},
        TradingDay(zone or "UTC"),
        orders,
        named,
        await load_loose(session, _references(told, orders)),
    )


def _references(told: Sequence[Told], orders: Mapping[tuple[UUID, str], KeptOrder]) -> set[str]:
    """Give the names under which shipments may wait for orders that are told now for the first time."""
    found: set[str] = set()
    for one in told:
        body = one.event.body
        is_first = (one.connection_id, order_id_of(one)) not in orders
        if isinstance(body, Order) and body.kind != "pos" and is_first:
            found |= {storable(body.order_id), storable(body.number)}
        if isinstance(body, Fulfilment):
            found.add(storable(body.order_id))
    return found


def order_id_of(one: Told) -> str:
    """Give the channel's id of the order that an event is about, as the book keeps it."""
    body = one.event.body
    assert isinstance(body, Order | Refund | Fulfilment)  # noqa: S101 - all types that are taken
    return storable(body.order_id)


def _take(batch: _Batch, one: Told, source: Source) -> HoldRecord | None:
    body = one.event.body
    if isinstance(body, Fulfilment):
        _take_shipment(batch, one, body, source)
        return None
    order = batch.orders.get((one.connection_id, order_id_of(one)))
    if order is None:
        order = _new_order(batch, one)
    hold = None
    if isinstance(body, Refund):
        hold = apply.apply_refund(order, one, body, source.name)
    elif isinstance(body, Order):
        hold = apply.apply_order(order, one, body, source.name)
        _begin_clocks(order, one, source)
    if hold is None:
        batch.orders[order.connection_id, order.order_id] = order
        _join_loose(batch, order, source)
    return hold


def _new_order(batch: _Batch, one: Told) -> KeptOrder:
    event = one.event
    return KeptOrder(
        id=new_id(),
        connection_id=one.connection_id,
        order_id=order_id_of(one),
        placed_at=event.occurred_at,
        day=_day(batch, one),
        seen_at=event.occurred_at,
        clock_started_at=event.occurred_at,
    )


def _day(batch: _Batch, one: Told) -> date:
    body = one.event.body
    said = body.business_day if isinstance(body, Order) else None
    at = body.placed_at if isinstance(body, Order) else one.event.occurred_at
    return said or one.event.business_day or business_day(at, batch.trading)


def _begin_clocks(order: KeptOrder, one: Told, source: Source) -> None:
    """Start the clocks of an order when it is first told; they never start again."""
    is_counted = order.kind not in {"", "pos"} and not order.is_test
    if not is_counted or order.acknowledge_by or order.ship_by:
        return
    manifest = registry.manifest(source.connector)
    ends = deadlines_of(manifest, source.settings, order.placed_at, one.received_at)
    order.acknowledge_by, order.ship_by = ends.acknowledge_by, ends.ship_by
    order.clock_started_at = ends.started_at


def _take_shipment(batch: _Batch, one: Told, body: Fulfilment, source: Source) -> None:
    """Put a shipment to its order; one that comes before its order waits for it."""
    shipped = apply.shipment_of(one, body)
    ref = order_id_of(one)
    order = batch.orders.get((one.connection_id, ref)) or batch.named.get(ref)
    if order is None:
        named = [each for each in batch.orders.values() if ref in {each.order_id, each.number}]
        order = named[0] if len(named) == 1 else None
    if order is not None:
        apply.apply_shipment(order, shipped, one.event_id, source.name)
        return
    key = (shipped.connection_id, shipped.shipment_id)
    earlier = [each for each in batch.loose if (each.connection_id, each.shipment_id) == key]
    known = batch.kept_loose.get(key) or (earlier[0] if earlier else None)
    if known is None or shipped.rank > known.rank:
        batch.kept_loose[key] = shipped


def _join_loose(batch: _Batch, order: KeptOrder, source: Source) -> None:
    """Give an order the shipments that came before it."""
    if not order.number:
        return
    names = {order.order_id, storable(order.number)}
    waiting = {(e.connection_id, e.shipment_id): e for e in batch.loose} | batch.kept_loose
    for key, shipped in waiting.items():
        if shipped.order_ref in names and key not in order.shipments:
            apply.apply_shipment(order, shipped, None, source.name)
            batch.kept_loose.pop(key, None)
            batch.loose = [e for e in batch.loose if (e.connection_id, e.shipment_id) != key]


def _troubles(sources: Mapping[UUID, Source], order: KeptOrder) -> list[Seen]:
    source = sources.get(order.connection_id)
    return troubles_of(order, source.name if source else str(order.connection_id))
