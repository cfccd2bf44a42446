"""How the demo retailer stands: its books, what waits for a person, what was booked, how fresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from app.health.ledger import Ledger, read_ledger
from connectors.canonical.event import ORDER_PLACED, STOCK_POSITION, TILL_SALE
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin

SHOWN = timedelta(hours=24)
ACTOR = "operator.demo"

_DELIVERED = """
select e.type, count(*) as count, coalesce(sum(e.amount), 0) as amount,
    max(d.settled_at) as last_at, (array_agg(e.label order by d.settled_at desc))[1] as last_label
from delivery d join event e on e.tenant_id = d.tenant_id and e.id = d.event_id
where d.tenant_id = $1 and d.accepted_at >= $2 and d.state = 'delivered'
group by e.type
"""
_WAITING = """
select count(*) as count, coalesce(sum(abs(amount)), 0) as amount,
    (array_agg(words order by created_at desc))[1] as newest
from hold where tenant_id = $1 and state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was delivered of one type of event: number, money, and the last of them (UTC)."""

    count: int = 0
    amount: Decimal = Decimal(0)
    last_at: datetime | None = None
    last_label: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person: number, money at stake, and the newest in words."""

    count: int = 0
    amount: Decimal = Decimal(0)
    newest: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the screen tells of the retailer, over the last 24 hours, read at one moment."""

    ledger: Ledger
    waiting: Waiting
    orders: Delivered
    tickets: Delivered
    stock: Delivered
    read_at: datetime


async def read_standing(database: Database, tenant_id: UUID) -> Standing:
    """Read how the retailer stands now; raises PlatformError while the book is away."""
    now = clock.now()
    since = now - SHOWN
    scope = TenantScope(tenant_id, ACTOR)
    ledger = await read_ledger(scope, database, since, now + timedelta(hours=1))
    async with begin(scope, database) as session:
        delivered = await _delivered(session, tenant_id, since)
        row = await session.fetch_one(_WAITING, tenant_id)
    waiting = Waiting(row["count"], row["amount"], row["newest"] or "") if row else Waiting()
    orders, tickets, stock = (
        delivered.get(kind, Delivered()) for kind in (ORDER_PLACED, TILL_SALE, STOCK_POSITION)
    )
    return Standing(ledger, waiting, orders, tickets, stock, now)


async def _delivered(session: Session, tenant_id: UUID, since: datetime) -> dict[str, Delivered]:
    return {
        row["type"]: Delivered(row["count"], row["amount"], row["last_at"], row["last_label"])
        for row in await session.fetch(_DELIVERED, tenant_id, since)
    }
