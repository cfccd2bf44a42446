"""Write orders and what was agreed on them: few statements for a batch, agreements only added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.connections.tenant import acting_tenant
from app.retail.orders.columns import (
    as_columns,
    storable,
    written,
    written_lines,
    written_rank,
)
from app.retail.orders.kept import NOTHING, KeptOrder, Shipped
from infra.database.unit import Session

_ORDERS = """
insert into sales_order (tenant_id, id, connection_id, order_id, number, kind, status, payment,
    fulfilment, currency, is_test, is_cancelled, placed_at, day, total, refunded, standing, paid,
    agreements, overtaken, rank, content, seen_at, acknowledge_by, ship_by, shipped_at,
    clock_started_at, is_post_due)
select $1, id, connection_id, order_id, number, kind, status, payment, fulfilment, currency, is_test,
    is_cancelled, placed_at, day, total, refunded, standing, paid, agreements, overtaken, rank::jsonb,
    content::jsonb, seen_at, acknowledge_by, ship_by, shipped_at, clock_started_at, is_post_due
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::bool[], $12::bool[], $13::timestamptz[], $14::date[],
    $15::numeric[], $16::numeric[], $17::numeric[], $18::numeric[], $19::int[], $20::int[],
    $21::text[], $22::text[], $23::timestamptz[], $24::timestamptz[], $25::timestamptz[],
    $26::timestamptz[], $27::timestamptz[], $28::bool[])
as told (id, connection_id, order_id, number, kind, status, payment, fulfilment, currency, is_test,
    is_cancelled, placed_at, day, total, refunded, standing, paid, agreements, overtaken, rank, content,
    seen_at, acknowledge_by, ship_by, shipped_at, clock_started_at, is_post_due)
on conflict (tenant_id, id) do update set number = excluded.number, kind = excluded.kind,
    status = excluded.status, payment = excluded.payment, fulfilment = excluded.fulfilment,
    currency = excluded.currency, is_test = excluded.is_test, is_cancelled = excluded.is_cancelled,
    placed_at = excluded.placed_at, day = excluded.day, total = excluded.total,
    refunded = excluded.refunded, standing = excluded.standing,
    paid = excluded.paid, agreements = excluded.agreements, overtaken = excluded.overtaken,
    rank = excluded.rank, content = excluded.content, seen_at = excluded.seen_at,
    acknowledge_by = excluded.acknowledge_by, ship_by = excluded.ship_by,
    shipped_at = coalesce(sales_order.shipped_at, excluded.shipped_at),
    clock_started_at = excluded.clock_started_at,
    is_post_due = sales_order.is_post_due or excluded.is_post_due, changed_at = now()
"""
_AGREEMENTS = """
insert into agreement (tenant_id, order_key, number, reason, happened_at, total, event_id, made_by,
    posting)
select $1, * from unnest($2::uuid[], $3::int[], $4::text[], $5::timestamptz[], $6::numeric[],
    $7::uuid[], $8::text[], $9::text[])
"""
_LINES = """
insert into agreement_line (tenant_id, order_key, agreement, place, part, line_type, line_id, sku,
    quantity, net, discount, tax, gross)
select $1, * from unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::numeric[])
"""
_REFUNDS = """
insert into order_refund (tenant_id, order_key, refund_id, rank, happened_at, amount, content)
select $1, order_key, refund_id, rank::jsonb, happened_at, amount, content::jsonb
from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::numeric[], $7::text[])
as told (order_key, refund_id, rank, happened_at, amount, content)
on conflict (tenant_id, order_key, refund_id) do update set rank = excluded.rank,
    happened_at = excluded.happened_at, amount = excluded.amount, content = excluded.content
"""
_SHIPMENTS = """
insert into order_shipment (tenant_id, connection_id, shipment_id, order_ref, order_key, rank, status,
    shipped_at, carrier, tracking_numbers, content)
select $1, connection_id, shipment_id, order_ref, order_key, rank::jsonb, status, shipped_at, carrier,
    case when tracking = '' then '{}' else string_to_array(tracking, chr(31)) end, content::jsonb
from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[],
    $8::timestamptz[], $9::text[], $10::text[], $11::text[])
as told (connection_id, shipment_id, order_ref, order_key, rank, status, shipped_at, carrier,
    tracking, content)
on conflict (tenant_id, connection_id, shipment_id) do update set order_ref = excluded.order_ref,
    order_key = excluded.order_key, rank = excluded.rank, status = excluded.status,
    shipped_at = excluded.shipped_at, carrier = excluded.carrier,
    tracking_numbers = excluded.tracking_numbers, content = excluded.content
"""
_UNIT = "\x1f"


async def store_orders(session: Session, orders: Iterable[KeptOrder]) -> None:
    """Write orders that were touched, in order of their primary keys, with all their new agreements.

    The database refuses an order of which the agreements do not make what it comes to.
    """
    touched = sorted((each for each in orders if each.is_touched), key=lambda each: each.id)
    if not touched:
        return
    tenant_id = acting_tenant(session)
    await session.execute(_ORDERS, tenant_id, *as_columns([_order_row(each) for each in touched]))
    agreed = [(order, each) for order in touched for each in order.made]
    if agreed:
        rows = [
            (
                order.id, each.number, each.reason, each.happened_at, each.total, each.event_id,
                storable(each.made_by), "due" if is_posted(order) else "not_needed",
            )
            for order, each in agreed
        ]  # fmt: skip
        await session.execute(_AGREEMENTS, tenant_id, *as_columns(rows))
    lines = [row for order in touched for row in _line_rows(order)]
    if lines:
        await session.execute(_LINES, tenant_id, *as_columns(lines))
    refunds = [row for order in touched for row in _refund_rows(order)]
    if refunds:
        await session.execute(_REFUNDS, tenant_id, *as_columns(refunds))
    await store_shipments(
        session, [(each, order) for order in touched for each in order.shipments.values()]
    )


async def store_shipments(
    session: Session, shipments: Sequence[tuple[Shipped, KeptOrder | None]]
) -> None:
    """Write shipments with the order that each is of, if it is known."""
    if not shipments:
        return
    rows = [
        (
            each.connection_id, storable(each.shipment_id), storable(each.order_ref),
            order.id if order else None, written_rank(each.rank), storable(each.status),
            each.shipped_at, storable(each.carrier),
            _UNIT.join(storable(number).replace(_UNIT, "") for number in each.tracking_numbers),
            written_lines(each),
        )
        for each, order in shipments
    ]  # fmt: skip
    rows.sort(key=lambda row: (row[0], row[1]))
    await session.execute(_SHIPMENTS, acting_tenant(session), *as_columns(rows))


def is_posted(order: KeptOrder) -> bool:
    """Say whether an order is posted one by one; a till's sales are booked by day."""
    return order.kind != "pos" and not order.is_test


def _order_row(order: KeptOrder) -> tuple[object, ...]:
    shipped_at = min((e.shipped_at for e in order.shipments.values() if e.is_sent), default=None)
    fulfilment = order.fulfilment()
    return (
        order.id, order.connection_id, order.order_id, storable(order.number), order.kind,
        order.status(), order.payment(), fulfilment, order.currency, order.is_test,
        order.is_cancelled, order.placed_at, order.day, order.total, order.refunded,
        order.standing + sum((each.total for each in order.made), NOTHING), order.paid, order.agreements,
        order.overtaken, written_rank(order.rank), written(order.content), order.seen_at,
        order.acknowledge_by, order.ship_by, shipped_at if fulfilment == "fulfilled" else None,
        order.clock_started_at, is_posted(order),
    )  # fmt: skip


def _line_rows(order: KeptOrder) -> list[tuple[object, ...]]:
    return [
        (
            order.id, each.number, place, storable(line.part), line.key[0], storable(line.key[1]),
            None if line.sku is None else storable(line.sku), line.amounts.quantity,
            line.amounts.net, line.amounts.discount, line.amounts.tax, line.amounts.gross,
        )
        for each in order.made
        for place, line in enumerate(each.lines, start=1)
    ]  # fmt: skip


def _refund_rows(order: KeptOrder) -> list[tuple[object, ...]]:
    return [
        (
            order.id, storable(name), written_rank(each.rank), each.happened_at, each.amount,
            written(each.content),
        )
        for name, each in order.refunds.items()
    ]  # fmt: skip
