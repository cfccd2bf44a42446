"""Read orders with all that was told of them, locked, in one go for a whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.retail.orders.columns import NO_RANK, read_content, read_lines, read_rank
from app.retail.orders.kept import KeptOrder, Refunded, Shipped
from infra.database.unit import Row, Session

OrderKey = tuple[UUID, str]

_ORDERS = """
select o.* from sales_order o
join unnest($2::uuid[], $3::text[]) as wanted (connection_id, order_id)
    on o.connection_id = wanted.connection_id and o.order_id = wanted.order_id
where o.tenant_id = $1 order by o.id for update of o
"""
_BY_ID = "select * from sales_order where tenant_id = $1 and id = any ($2) order by id for update"
_REFUNDS = "select * from order_refund where tenant_id = $1 and order_key = any ($2)"
_SHIPMENTS = "select * from order_shipment where tenant_id = $1 and order_key = any ($2)"
# What left before its order was told, under any name that its order may have.
_LOOSE = """
select * from order_shipment where tenant_id = $1 and order_key is null and order_ref = any ($2)
"""
# Which orders a shipment may be of, if its teller is not the channel: by id, else by number.
_NAMED = """
select id, connection_id, order_id, number from sales_order
where tenant_id = $1 and (order_id = any ($2) or number = any ($2))
"""


async def load_orders(session: Session, wanted: Iterable[OrderKey]) -> dict[OrderKey, KeptOrder]:
    """Give the known ones of these orders, by connection and the channel's id; locked by primary key."""
    keys = sorted(set(wanted))
    if not keys:
        return {}
    rows = await session.fetch(
        _ORDERS, acting_tenant(session), [key[0] for key in keys], [key[1] for key in keys]
    )
    found = await _whole(session, rows)
    return {(each.connection_id, each.order_id): each for each in found.values()}


async def load_by_id(session: Session, order_ids: Iterable[UUID]) -> dict[UUID, KeptOrder]:
    """Give orders by our own id, locked."""
    rows = await session.fetch(_BY_ID, acting_tenant(session), sorted(set(order_ids)))
    return await _whole(session, rows)


async def load_loose(session: Session, references: Iterable[str]) -> list[Shipped]:
    """Give shipments without an order that name one of these orders or numbers."""
    rows = await session.fetch(_LOOSE, acting_tenant(session), sorted(set(references)))
    return [_shipped(row) for row in rows]


async def find_named(session: Session, references: Iterable[str]) -> Mapping[str, UUID]:
    """Give the one order that each reference means; a reference that means two is nobody's."""
    wanted = sorted(set(references))
    rows = await session.fetch(_NAMED, acting_tenant(session), wanted) if wanted else []
    found: dict[str, UUID] = {}
    for field in ("number", "order_id"):
        for reference in wanted:
            meant = {row["id"] for row in rows if row[field] == reference}
            if len(meant) == 1:
                found[reference] = meant.pop()
            elif meant:
                found.pop(reference, None)
    return found


async def _whole(session: Session, rows: Iterable[Row]) -> dict[UUID, KeptOrder]:
    orders = {row["id"]: _kept(row) for row in rows}
    if not orders:
        return orders
    ids = list(orders)
    for row in await session.fetch(_REFUNDS, acting_tenant(session), ids):
        orders[row["order_key"]].refunds[row["refund_id"]] = _refunded(row)
    for row in await session.fetch(_SHIPMENTS, acting_tenant(session), ids):
        shipped = _shipped(row)
        key = (shipped.connection_id, shipped.shipment_id)
        orders[row["order_key"]].shipments[key] = shipped
    return orders


def _kept(row: Row) -> KeptOrder:
    return KeptOrder(
        id=row["id"],
        connection_id=row["connection_id"],
        order_id=row["order_id"],
        placed_at=row["placed_at"],
        day=row["day"],
        seen_at=row["seen_at"],
        clock_started_at=row["clock_started_at"],
        number=row["number"],
        kind=row["kind"],
        currency=row["currency"],
        is_test=row["is_test"],
        is_pending=row["status"] == "pending",
        is_cancelled=row["is_cancelled"],
        paid=row["paid"],
        standing=row["standing"],
        agreements=row["agreements"],
        overtaken=row["overtaken"],
        rank=None if row["rank"] == NO_RANK else read_rank(row["rank"]),
        content=read_content(row["content"]),
        acknowledge_by=row["acknowledge_by"],
        ship_by=row["ship_by"],
        is_new=False,
    )


def _refunded(row: Row) -> Refunded:
    content = read_content(row["content"])
    return Refunded(read_rank(row["rank"]), row["happened_at"], row["amount"], content)


def _shipped(row: Row) -> Shipped:
    return Shipped(
        row["connection_id"],
        row["shipment_id"],
        row["order_ref"],
        read_rank(row["rank"]),
        row["status"],
        row["shipped_at"],
        row["carrier"],
        tuple(row["tracking_numbers"]),
        read_lines(row["content"]),
    )
