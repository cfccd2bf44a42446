"""What people decide about an order: an agreement is made of it, and whoever has the order is told."""

from __future__ import annotations

from app.connections.tenant import acting_tenant
from app.retail.orders.cancel import Decision, decide
from app.retail.orders.kept import KeptOrder
from app.retail.orders.load import load_by_id
from app.retail.orders.store import store_orders
from app.retail.voice import say
from connectors.canonical.event import ORDER_CANCELLED, Event
from connectors.canonical.money import Money
from connectors.canonical.order import Order
from infra import clock
from infra.database.unit import Session
from infra.errors import Conflict, NotFound
from infra.ids import Id
from infra.keys.vault import TenantKey
from tenants.audit import record

# An order is elsewhere once anything of it went out, or is on its way.
_ELSEWHERE = """
select exists (select from agreement a
        where a.tenant_id = $1 and a.order_key = $2 and a.posting = 'said')
    or exists (select from event e join delivery d on d.tenant_id = e.tenant_id and d.event_id = e.id
        where e.tenant_id = $1 and e.object_id = $3 and e.connection_id = $4
            and (d.state = 'delivered' or d.is_open))
"""


async def cancel_order(
    session: Session, key: TenantKey, order_key: Id, reason: str, by: str
) -> Decision:
    """Cancel a whole order by a person's decision, in the open transaction of its retailer.

    Every system that takes cancellations from the core is told, the channel too. Raises NotFound, and
    Conflict when it was cancelled before or its goods have left.
    """
    order = (await load_by_id(session, [order_key])).get(order_key)
    if order is None or order.rank is None or order.is_test:
        raise NotFound
    is_elsewhere = await session.fetch_value(
        _ELSEWHERE, acting_tenant(session), order.id, order.order_id, order.connection_id
    )
    decision = decide(
        is_cancelled=order.is_cancelled,
        is_shipped=order.is_shipped,
        is_elsewhere=bool(is_elsewhere),
    )
    if not decision.takes_back:
        raise Conflict(decision.words, code=decision.code)
    before, event = order.parts(), _notice(order)
    order.is_cancelled = order.is_touched = True
    order.agree(before, "cancellation", event.occurred_at, by, None)
    await store_orders(session, [order])
    await say(session, key, [event])
    detail = {"reason": reason, "meaning": decision.meaning}
    await record(session, "orders.cancel_order", f"order:{order.id}", detail)
    return decision


def _notice(order: KeptOrder) -> Event:
    """Write the notice for other systems: which order, and nothing of who bought it."""
    assert order.kind  # noqa: S101 - an order that was told has a kind
    return Event(
        type=ORDER_CANCELLED,
        key=f"order:{order.order_id}",
        object_id=order.order_id,
        version=f"cancelled|{order.connection_id}",
        label=f"Order {order.number}",
        occurred_at=clock.now(),
        amount=Money(amount=order.total, currency=order.currency),
        body=Order(
            order_id=order.order_id,
            number=order.number,
            kind=order.kind,
            currency=order.currency,
            placed_at=order.placed_at,
            total=order.total,
        ),
    )
