"""As of when the names in an event are read: of an order and all that follows it, when it was placed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.pipeline.reading import Read
from connectors.canonical.event import ORDER_PLACED, TILL_SALE
from connectors.canonical.order import Fulfilment, Order, Refund
from connectors.canonical.returns import Return
from infra.database.unit import Session
from infra.ids import Id

_PLACED = """
select connection_id, object_id, min(occurred_at) as at from event
where tenant_id = $1 and object_id = any($2) and type = any($3)
group by connection_id, object_id
"""


async def moments_of(session: Session, read: Sequence[Read]) -> dict[Id, datetime]:
    """Give the moment of each event, by its id.

    A number that is used again means another article since; what comes back under it was sold before
    (E-D19). An order that was never told of leaves the moment of what tells of it.
    """
    orders = {_order_id(one): one for one in read if _order_id(one)}
    placed: dict[tuple[Id, str], datetime] = {}
    if orders:
        rows = await session.fetch(
            _PLACED, acting_tenant(session), sorted(orders), [ORDER_PLACED, TILL_SALE]
        )
        placed = {(row["connection_id"], row["object_id"]): row["at"] for row in rows}
    return {
        one.id: placed.get((one.message.connection_id, _order_id(one)), _own_moment(one))
        for one in read
    }


def _order_id(read: Read) -> str:
    body = read.event.body
    if isinstance(body, Refund | Fulfilment | Return):
        return body.order_id or ""
    return ""


def _own_moment(read: Read) -> datetime:
    body = read.event.body
    return body.placed_at if isinstance(body, Order) else read.event.occurred_at
