"""Watch the clocks that channels set on orders: told at half, at four fifths, and when they ran out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.deliveries.deadlines import SOON_SHARE_0_1, URGENT_SHARE_0_1
from app.retail.breaks import Seen, close_breaks, list_breaks, see_breaks
from app.retail.each_retailer import for_each_retailer
from app.retail.orders.clocks import ACKNOWLEDGE, SHIP, share_gone
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Session, begin

CLOCKS_EVERY_S = 15.0
LISTED_MAX = 1_000
AT_RISK = "order_deadline"
IN_TIME = "It was done."

_OPEN = "o.status in ('pending', 'open') and not o.is_test"
_TENANTS = """
select distinct tenant_id from sales_order
where acknowledge_by is not null and acknowledged_at is null
    or ship_by is not null and shipped_at is null
"""
_RUNNING = f"""
select o.id, o.order_id, o.number, o.day, o.total, o.currency, o.clock_started_at, c.name as channel,
    ends.clock, ends.ends_at
from sales_order o join connection c on c.tenant_id = o.tenant_id and c.id = o.connection_id
cross join lateral (values ('acknowledge', o.acknowledge_by, o.acknowledged_at),
    ('ship', o.ship_by, o.shipped_at)) as ends (clock, ends_at, done_at)
where o.tenant_id = $1 and (o.acknowledge_by is not null and o.acknowledged_at is null
        or o.ship_by is not null and o.shipped_at is null)
    and ends.ends_at is not null and ends.done_at is null and {_OPEN}
    and $2 >= o.clock_started_at + $3::float8 * (ends.ends_at - o.clock_started_at)
order by ends.ends_at, o.total desc limit $4
"""  # noqa: S608 - a constant of ours
_TO_DO = {ACKNOWLEDGE: "acknowledged", SHIP: "shipped"}


@dataclass(frozen=True, slots=True)
class Running:
    """A clock of an order of which half or more is gone; `share_gone` is 1 and more when it ran out."""

    order_key: UUID
    order_id: str
    number: str
    channel: str
    day: datetime
    clock: str
    ends_at: datetime
    share_gone: float
    amount: Decimal
    currency: str

    @property
    def key(self) -> str:
        """Name it, the same each time it is seen."""
        return f"{self.channel}/{self.order_id}/{self.clock}"

    @property
    def words(self) -> str:
        """Say what has to be done by when."""
        until = f"{self.ends_at:%Y-%m-%d %H:%M} UTC"
        to_do = _TO_DO[self.clock]
        if self.share_gone >= 1:
            return (
                f"Order {self.number} of {self.channel} had to be {to_do} by {until} and is not. The"
                " channel counts it as late; see to it at once, and look at what holds it up."
            )
        much = "Four fifths" if self.share_gone >= URGENT_SHARE_0_1 else "Half"
        return (
            f"Order {self.number} of {self.channel} must be {to_do} by {until}. {much} of the time is"
            " gone; look at what holds it up."
        )


async def read_running(session: Session, now: datetime, limit: int = LISTED_MAX) -> list[Running]:
    """Give clocks that have run half or more, the first to run out first, then by money."""
    rows = await session.fetch(_RUNNING, acting_tenant(session), now, SOON_SHARE_0_1, limit)
    return [
        Running(
            row["id"],
            row["order_id"],
            row["number"],
            row["channel"],
            row["day"],
            row["clock"],
            row["ends_at"],
            share_gone(row["clock_started_at"], row["ends_at"], now),
            row["total"],
            row["currency"],
        )
        for row in rows
    ]


async def watch_clocks(scope: TenantScope, database: Database, now: datetime) -> int:
    """Tell of every clock of one retailer that is at risk; gives how many. Safe to run twice."""
    async with begin(scope, database) as session:
        running = await read_running(session, now)
        await see_breaks(session, scope.tenant_id, [_seen(each) for each in running])
        still = {each.key for each in running}
        known = await list_breaks(session, scope.tenant_id, kind=AT_RISK, limit=2 * LISTED_MAX)
        done = [each.key for each in known if each.key not in still]
        if done and len(running) < LISTED_MAX:
            await close_breaks(session, scope.tenant_id, AT_RISK, done, IN_TIME)
    return len(running)


async def watch_all(database: Database) -> int:
    """Watch the clocks of every retailer; gives how many are at risk.

    The fault of one retailer is told and keeps no other waiting.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_TENANTS)

    async def work(scope: TenantScope) -> int:
        return await watch_clocks(scope, database, clock.now())

    return await for_each_retailer("order_deadlines", [row["tenant_id"] for row in rows], work)


def _seen(running: Running) -> Seen:
    return Seen(
        AT_RISK,
        running.key,
        running.words,
        running.channel,
        None,
        running.amount,
        running.currency or None,
    )
