"""Sweeps: find what should never be, mend it, and say so."""

from __future__ import annotations

from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Session, begin
from infra.telemetry.events import log_event
from infra.telemetry.metrics import METRICS

PARTITION_DAYS = 14

# Open work that nothing would ever wake: not blocked by a hold, not due, not leased. Must find none.
_STRANDED = """
update lane set ready_at = now()
where open_count > 0 and ready_at is null and blocked_by is null
returning tenant_id
"""
# A lane blocked by something that is no longer held.
_FALSELY_BLOCKED = """
update lane set blocked_by = null, ready_at = now()
where blocked_by is not null and open_count > 0 and not exists (
    select 1 from delivery where delivery.tenant_id = lane.tenant_id
        and delivery.id = lane.blocked_by and delivery.state = 'held')
returning tenant_id
"""
# Lanes parked where no flow is paused any more. Resuming wakes them itself; must find none. One look
# for each connection with parked lanes, however many they are.
_FALSELY_PARKED = """
with recursive place as (
    (select tenant_id, connection_id from lane where ready_at = 'infinity'
     order by tenant_id, connection_id limit 1)
    union all
    select next.tenant_id, next.connection_id from place cross join lateral (
        select tenant_id, connection_id from lane where ready_at = 'infinity'
            and (tenant_id, connection_id) > (place.tenant_id, place.connection_id)
        order by tenant_id, connection_id limit 1) next
)
update lane set ready_at = now() from place
where lane.tenant_id = place.tenant_id and lane.connection_id = place.connection_id
    and lane.ready_at = 'infinity' and not exists (
        select from flow where flow.tenant_id = place.tenant_id
            and flow.target_connection_id = place.connection_id and flow.is_paused)
returning lane.tenant_id
"""
# One look for each class of each connection, however many lanes wait. What a person paused, or a breaker
# keeps back, is not late.
_OLDEST = """
with recursive place as (
    (select class, tenant_id, connection_id from lane where ready_at < 'infinity'
     order by class, tenant_id, connection_id limit 1)
    union all
    select next.class, next.tenant_id, next.connection_id from place cross join lateral (
        select class, tenant_id, connection_id from lane where ready_at < 'infinity'
            and (class, tenant_id, connection_id)
                > (place.class, place.tenant_id, place.connection_id)
        order by class, tenant_id, connection_id limit 1) next
)
select place.class, extract(epoch from now() - min(first.ready_at)) as age_s
from place cross join lateral (
    select ready_at from lane where lane.class = place.class and lane.tenant_id = place.tenant_id
        and lane.connection_id = place.connection_id and ready_at < 'infinity'
    order by ready_at limit 1) first
where first.ready_at <= now()
    and not exists (select from connection target where target.tenant_id = place.tenant_id
        and target.id = place.connection_id and target.state = 'paused')
    and not exists (select from connection_health health where health.tenant_id = place.tenant_id
        and health.connection_id = place.connection_id and health.closed_until > now())
group by place.class
"""


async def sweep_lanes(database: Database) -> int:
    """Wake stranded lanes; gives how many there were, which should be 0 for ever."""
    async with begin(EngineScope(), database) as session:
        stranded = sum(
            [
                len(await session.fetch(finding))
                for finding in (_STRANDED, _FALSELY_BLOCKED, _FALSELY_PARKED)
            ]
        )
        await _measure_waiting(session)
    METRICS.set_stranded_lanes(stranded)
    if stranded:
        log_event("lanes.stranded", level="error", count=stranded)
    return stranded


async def _measure_waiting(session: Session) -> None:
    ages = {row["class"]: float(row["age_s"]) for row in await session.fetch(_OLDEST)}
    METRICS.set_oldest_waiting("p0", ages.get(0, 0.0))
    METRICS.set_oldest_waiting("p1", ages.get(1, 0.0))
    METRICS.set_oldest_waiting("p2", ages.get(2, 0.0))
    METRICS.set_oldest_waiting("p3", ages.get(3, 0.0))


async def make_partitions(database: Database) -> int:
    """Make the daily partitions of the days to come; gives how many were missing."""
    async with begin(EngineScope(), database) as session:
        made: int = await session.fetch_value("select ensure_partitions($1)", PARTITION_DAYS)
    return made
