"""Tell a channel that its order was taken, once, before its deadline runs out.

An order counts as taken when a target has it. A flow may want less (`acknowledge_after` = `us`): then
it is enough that the order stands in our book, so that an ERP that is down breaks no deadline.
"""

from __future__ import annotations

from app.connections.tenant import acting_tenant
from app.retail.each_retailer import for_each_retailer
from app.retail.voice import CONNECTION, say
from connectors.canonical.acknowledgement import OrderAcknowledgement
from connectors.canonical.event import (
    ORDER_ACKNOWLEDGED,
    ORDER_CHANGED,
    ORDER_PLACED,
    ORDER_POSTED,
    Event,
)
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id
from infra.keys.vault import TenantKey, Vault

ACKNOWLEDGE_EVERY_S = 5.0
PAGE_ORDERS = 500

_TENANTS = """
select distinct f.tenant_id from flow f
join connection c on c.tenant_id = f.tenant_id and c.id = f.source_connection_id
where c.connector = 'core' and f.is_enabled
"""
_FLOWS = """
select f.target_connection_id, t.name as channel,
    coalesce(f.settings ->> 'acknowledge_after', 'target') = 'us' as is_ours_enough
from flow f join connection c on c.tenant_id = f.tenant_id and c.id = f.source_connection_id
join connection t on t.tenant_id = f.tenant_id and t.id = f.target_connection_id
where f.tenant_id = $1 and c.name = $2 and f.is_enabled and $3 = any (f.event_types) order by f.id
"""
# A target has it: the order itself, or the first posting of it.
_TAKEN = """
select o.id, o.order_id, o.number, o.acknowledge_by from sales_order o
where o.tenant_id = $1 and o.connection_id = $2 and o.acknowledged_at is null
    and o.kind not in ('', 'pos') and o.status in ('open', 'closed') and not o.is_test
    and ($3 or exists (select from event e
        join delivery d on d.tenant_id = e.tenant_id and d.event_id = e.id and d.state = 'delivered'
        where e.tenant_id = $1 and (
            e.object_id = o.order_id and e.connection_id = $2 and e.type = any ($4)
            or e.object_id = $5 || '/' || o.order_id || '/1' and e.type = $6)))
order by o.acknowledge_by nulls last, o.id limit $7 for update of o
"""
_DONE = """
update sales_order set acknowledged_at = $3 where tenant_id = $1 and id = any ($2)
"""


async def acknowledge_all(database: Database, vault: Vault) -> int:
    """Acknowledge what was taken, for every retailer; gives how many orders. Safe to run twice.

    The fault of one retailer is told and keeps no other waiting.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_TENANTS)

    async def work(scope: TenantScope) -> int:
        return await acknowledge_due(scope, database, vault)

    tenants = [row["tenant_id"] for row in rows]
    return await for_each_retailer("order_acknowledgements", tenants, work)


async def acknowledge_due(scope: TenantScope, database: Database, vault: Vault) -> int:
    """Acknowledge what is due of one retailer; gives how many orders."""
    async with begin(scope, database) as session:
        flows = await session.fetch(_FLOWS, scope.tenant_id, CONNECTION, ORDER_ACKNOWLEDGED)
        if not flows:
            return 0
        key = await vault.current(scope.tenant_id)
        return sum([await _acknowledge(session, key, flow) for flow in flows])


async def _acknowledge(session: Session, key: TenantKey, flow: Row) -> int:
    channel_id, channel = flow["target_connection_id"], flow["channel"]
    rows = await session.fetch(
        _TAKEN,
        acting_tenant(session),
        channel_id,
        flow["is_ours_enough"],
        [ORDER_PLACED, ORDER_CHANGED],
        channel,
        ORDER_POSTED,
        PAGE_ORDERS,
    )
    if rows:
        await say(session, key, [_event(row, channel, channel_id) for row in rows])
        ids = [row["id"] for row in rows]
        await session.execute(_DONE, acting_tenant(session), ids, clock.now())
    return len(rows)


def _event(order: Row, channel: str, channel_id: Id) -> Event:
    now = clock.now()
    return Event(
        type=ORDER_ACKNOWLEDGED,
        key=f"order:{channel}/{order['order_id']}",
        object_id=f"{channel}/{order['order_id']}",
        label=f"Acknowledgement of order {order['number']}",
        occurred_at=now,
        to=str(channel_id),
        body=OrderAcknowledgement(
            order_id=order["order_id"],
            number=order["number"],
            channel=channel,
            acknowledged_at=now,
            acknowledge_by=order["acknowledge_by"],
        ),
    )
