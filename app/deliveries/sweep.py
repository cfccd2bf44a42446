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
_OLDEST = """
select class, extract(epoch from now() - min(ready_at)) as age_s from lane
where ready_at <= now() group by class
"""


async def sweep_lanes(database: Database) -> int:
    """Wake stranded lanes; gives how many there were, which should be 0 for ever."""
    async with begin(EngineScope(), database) as session:
        stranded = len(await session.fetch(_STRANDED)) + len(await session.fetch(_FALSELY_BLOCKED))
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
