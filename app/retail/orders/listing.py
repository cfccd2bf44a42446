"""What a channel lists beside what it told: every order of a time, by the channel's own count."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.retail.orders.columns import LARGEST, as_columns, storable
from connectors.canonical.business_day import TradingDay, business_day
from connectors.sdk.message import ListedOrder
from infra.database.unit import Session

_ZONE = "select timezone from tenant where id = $1"
_KEEP = """
insert into order_listed (tenant_id, connection_id, order_id, number, placed_at, day, updated_at, total,
    currency)
select $1, $2, * from unnest($3::text[], $4::text[], $5::timestamptz[], $6::date[],
    $7::timestamptz[], $8::numeric[], $9::text[])
on conflict (tenant_id, connection_id, order_id) do update set number = excluded.number,
    placed_at = excluded.placed_at, day = excluded.day,
    updated_at = greatest(order_listed.updated_at, excluded.updated_at), total = excluded.total,
    currency = excluded.currency, listed_at = now()
"""
# By ids, not by times: clocks of two systems never agree.
_MISSING = """
select listed.order_id from unnest($3::text[], $4::timestamptz[]) as listed (order_id, updated_at)
left join sales_order o on o.tenant_id = $1 and o.connection_id = $2 and o.order_id = listed.order_id
where o.id is null or o.rank = '[]' or o.seen_at < listed.updated_at
order by listed.updated_at
"""


async def keep_listed(
    session: Session, connection_id: UUID, listed: Sequence[ListedOrder]
) -> list[str]:
    """Write a page of a channel's list down; gives the ids of which not everything is known here."""
    if not listed:
        return []
    tenant_id = acting_tenant(session)
    trading = TradingDay(await session.fetch_value(_ZONE, tenant_id) or "UTC")
    by_id = {storable(each.order_id): each for each in listed}
    rows = [_row(order_id, each, trading) for order_id, each in sorted(by_id.items())]
    await session.execute(_KEEP, tenant_id, connection_id, *as_columns(rows))
    missing = await session.fetch(
        _MISSING, tenant_id, connection_id, list(by_id), [e.updated_at for e in by_id.values()]
    )
    return [row["order_id"] for row in missing]


def _row(order_id: str, listed: ListedOrder, trading: TradingDay) -> tuple[object, ...]:
    total = listed.total
    amount = total.amount if total is not None and abs(total.amount) < LARGEST else None
    return (
        order_id,
        storable(listed.number),
        listed.placed_at,
        business_day(listed.placed_at, trading),
        listed.updated_at,
        amount,
        total.currency if total is not None else None,
    )
