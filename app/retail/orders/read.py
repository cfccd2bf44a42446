"""Read orders for people: what each comes to and why, its deadlines, and where it is stuck, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.connections.tenant import acting_tenant
from app.retail.orders.post import posting_name
from app.retail.orders.stuck import Fate, stuck_words
from infra.database.unit import Row, Session
from infra.errors import NotFound
from infra.ids import Id

_COLUMNS = """
o.id, o.order_id, o.number, o.kind, c.name as channel, o.connection_id, o.status, o.payment,
o.fulfilment, o.currency, o.is_test, o.is_cancelled, o.placed_at, o.day, o.total, o.refunded,
o.standing, o.paid, o.agreements, o.overtaken, o.acknowledge_by, o.acknowledged_at, o.ship_by,
o.shipped_at, o.clock_started_at
"""
_FROM = """
from sales_order o join connection c on c.tenant_id = o.tenant_id and c.id = o.connection_id
"""
_LIST = f"""
select {_COLUMNS} {_FROM}
where o.tenant_id = $1 and ($2 = '' or c.name = $2) and ($3 = '' or o.status = $3)
    and ($4::date is null or o.day = $4) and ($5 = '' or o.order_id = $5 or o.number = $5)
    and ($6::uuid is null or o.id < $6)
order by o.id desc limit $7
"""
_ONE = f"select {_COLUMNS} {_FROM} where o.tenant_id = $1 and o.id = $2"
_AGREEMENTS = """
select number, reason, happened_at, total, made_by, posting, posted_at, event_id from agreement
where tenant_id = $1 and order_key = $2 order by number
"""
_LINES = """
select agreement, part, line_type, line_id, sku, quantity, net, discount, tax, gross
from agreement_line where tenant_id = $1 and order_key = $2 order by agreement, place
"""
_SHIPMENTS = """
select shipment_id, status, shipped_at, carrier, tracking_numbers from order_shipment
where tenant_id = $1 and order_key = $2 order by shipped_at, shipment_id
"""
# What became of everything that was told of the order, and of its postings.
_FATES = """
select e.label, e.type, t.name as target, d.state, d.words, d.code, d.is_open
from event e join delivery d on d.tenant_id = e.tenant_id and d.event_id = e.id
join connection t on t.tenant_id = d.tenant_id and t.id = d.connection_id
where e.tenant_id = $1 and (e.connection_id = $2 and e.object_id = $3 or e.object_id = any ($4))
order by e.id, t.name limit 200
"""
_BREAKS = """
select words from break where tenant_id = $1 and state = 'open' and place = $2
    and (key = $3 or starts_with(key, $3 || '/')) and starts_with(kind, 'order_') order by kind, key
"""


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are wanted; an empty field wants all. `before` is the last id of the page before."""

    channel: str = ""
    status: str = ""
    day: date | None = None
    name: str = ""
    before: Id | None = None


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as it stands; times in UTC, amounts in its currency."""

    id: Id
    order_id: str
    number: str
    kind: str
    channel: str
    status: str
    payment: str
    fulfilment: str
    currency: str
    is_test: bool
    placed_at: datetime
    day: date
    total: Decimal
    refunded: Decimal
    standing: Decimal
    agreements: int
    overtaken: int
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    ship_by: datetime | None
    shipped_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """One order with its agreements (and their lines), shipments, fates, and where it is stuck."""

    order: OrderRow
    agreements: tuple[dict[str, Any], ...]
    lines: dict[int, tuple[dict[str, Any], ...]]
    shipments: tuple[dict[str, Any], ...]
    fates: tuple[Fate, ...]
    stuck: tuple[str, ...]


async def list_orders(session: Session, wanted: OrderFilter, limit: int) -> list[OrderRow]:
    """Give orders, those that came last first."""
    rows = await session.fetch(
        _LIST,
        acting_tenant(session),
        wanted.channel,
        wanted.status,
        wanted.day,
        wanted.name,
        wanted.before,
        limit,
    )
    return [_order(row) for row in rows]


async def read_order(session: Session, order_key: Id) -> OrderDetail:
    """Give one order with everything; raises NotFound."""
    tenant_id = acting_tenant(session)
    row = await session.fetch_one(_ONE, tenant_id, order_key)
    if row is None:
        raise NotFound
    agreements = await session.fetch(_AGREEMENTS, tenant_id, order_key)
    lines = await session.fetch(_LINES, tenant_id, order_key)
    fates = await _fates(session, row)
    name = f"{row['channel']}/{row['order_id']}"
    breaks = await session.fetch(_BREAKS, tenant_id, row["channel"], name)
    by_agreement: dict[int, list[dict[str, Any]]] = {}
    for line in lines:
        by_agreement.setdefault(line["agreement"], []).append(dict(line))
    order = _order(row)
    due = [each["number"] for each in agreements if each["posting"] == "due"]
    return OrderDetail(
        order=order,
        agreements=tuple(dict(each) for each in agreements),
        lines={number: tuple(found) for number, found in by_agreement.items()},
        shipments=tuple(
            dict(each) for each in await session.fetch(_SHIPMENTS, tenant_id, order_key)
        ),
        fates=fates,
        stuck=stuck_words(order.status, fates, [each["words"] for each in breaks], len(due)),
    )


async def _fates(session: Session, row: Row) -> tuple[Fate, ...]:
    channel, order_id = row["channel"], row["order_id"]
    said = [posting_name(channel, order_id, n) for n in range(1, row["agreements"] + 1)]
    found = await session.fetch(
        _FATES,
        acting_tenant(session),
        row["connection_id"],
        order_id,
        [*said, f"{channel}/{order_id}"],
    )
    return tuple(
        Fate(each["label"], each["type"], each["target"], each["state"], each["words"])
        for each in found
    )


def _order(row: Row) -> OrderRow:
    return OrderRow(**{name: row[name] for name in OrderRow.__slots__})
