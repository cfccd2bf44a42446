"""Let the lanes of a connection go when it works again: in the order of what waited longest."""

from __future__ import annotations

from datetime import datetime

from infra.database.unit import Session
from infra.ids import Id

# Lanes woken by one statement: rows are locked for some tens of milliseconds.
LANES_AT_ONCE = 2_000

# A woken lane takes the place that its oldest delivery has by age. So the whole backlog goes out in one
# order, whatever each lane's last retry or rest would have been; lanes that nobody touched since have
# that place already. Leased, blocked and parked lanes stay as they are.
_WAKE = """
with resting as (
    select tenant_id, connection_id, lane_hash from lane
    where tenant_id = $1 and connection_id = $2 and lane_hash > $3
        and holder is null and blocked_by is null and ready_at > $4 and ready_at < 'infinity'
    order by lane_hash limit $5 for update skip locked
)
update lane set ready_at = least(now(), coalesce(oldest.accepted_at, now()))
from resting left join lateral (
    select accepted_at from delivery where delivery.tenant_id = resting.tenant_id
        and delivery.connection_id = resting.connection_id
        and delivery.lane_hash = resting.lane_hash and is_open
    order by seq limit 1) oldest on true
where lane.tenant_id = resting.tenant_id and lane.connection_id = resting.connection_id
    and lane.lane_hash = resting.lane_hash
returning lane.lane_hash
"""
# The most important lane is there when the trial call is due, whatever its own next try would be.
_ONE = """
update lane set ready_at = $3 where (tenant_id, connection_id, lane_hash) in (
    select tenant_id, connection_id, lane_hash from lane
    where tenant_id = $1 and connection_id = $2 and holder is null and blocked_by is null
        and ready_at > $3 and ready_at < 'infinity'
        and not exists (select from lane due where due.tenant_id = $1 and due.connection_id = $2
            and due.ready_at <= $3 and due.holder is null and due.blocked_by is null)
    order by class, ready_at limit 1 for update skip locked)
"""


async def wake_lanes(
    session: Session, tenant_id: Id, connection_id: Id, since: datetime, after: bytes = b""
) -> bytes | None:
    """Let up to 2,000 lanes go that were sent to rest since a moment (UTC).

    Gives where to go on (`after`), None when these were the last.
    """
    rows = await session.fetch(_WAKE, tenant_id, connection_id, after, since, LANES_AT_ONCE)
    return max(row["lane_hash"] for row in rows) if len(rows) == LANES_AT_ONCE else None


async def wake_all_lanes(
    session: Session, tenant_id: Id, connection_id: Id, since: datetime
) -> None:
    """Let all lanes go that were sent to rest since a moment (UTC), in the open transaction."""
    after: bytes | None = b""
    while after is not None:
        after = await wake_lanes(session, tenant_id, connection_id, since, after)


async def wake_one_lane(session: Session, tenant_id: Id, connection_id: Id, at: datetime) -> None:
    """Have one lane due at a moment (UTC), if none is before."""
    await session.execute(_ONE, tenant_id, connection_id, at)
