"""Make alerts of what happened to incidents: every two seconds, each moment once for each channel.

A crash leaves moments unplanned or planned with their alerts, never half; two planners at once find
different moments, and the database refuses a second alert for the same channel and moment.
"""

from __future__ import annotations

from app.health.alerts.content import AFFECTED_COLUMNS, AFFECTED_JOINS, NextStep
from app.health.alerts.desk import read_desk
from app.health.alerts.planning import Planning
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Session, begin
from infra.telemetry.tell_fault import tell_fault

BATCH = 500

PLANNING_IS_MINE = "select pg_try_advisory_xact_lock(hashtextextended('alerts.plan', 0))"
_TAKE = (
    "with m as (select * from incident_moment where not is_alert_planned order by id limit $1"  # noqa: S608 - our own words
    " for update skip locked)"
    " select m.tenant_id, m.id as moment_id, m.kind, m.at, m.words as news, m.detail::text,"
    f" t.partner_id, i.fingerprint, i.snoozed_until, now() as now, {AFFECTED_COLUMNS} from m"
    " join incident i on i.tenant_id = m.tenant_id and i.id = m.incident_id"
    f" {AFFECTED_JOINS} order by m.id"
)
_MARK = (
    "update incident_moment set is_alert_planned = true where (tenant_id, id) in"
    " (select * from unnest($1::uuid[], $2::uuid[]))"
)


async def plan_moments(database: Database, next_step: NextStep) -> int:
    """Plan all moments that wait; gives how many there were."""
    count = 0
    while True:
        async with begin(EngineScope(), database) as session:
            if not await session.fetch_value(PLANNING_IS_MINE):
                return count
            planned = await _plan_batch(session, next_step)
        count += planned
        if planned < BATCH:
            return count


async def _plan_batch(session: Session, next_step: NextStep) -> int:
    rows = await session.fetch(_TAKE, BATCH)
    if not rows:
        return 0
    await session.execute(
        _MARK, [row["tenant_id"] for row in rows], [row["moment_id"] for row in rows]
    )
    desk = await read_desk(
        session,
        (row["tenant_id"] for row in rows),
        (row["partner_id"] for row in rows),
        [row["incident_id"] for row in rows],
    )
    planning = Planning(desk, next_step, rows[0]["now"])
    for row in rows:
        try:
            planning.plan(row)
        except Exception as fault:  # noqa: BLE001 - one moment must not keep all others from people
            tell_fault("alert.unplanned", fault, tenant=row["tenant_id"])
    await planning.write(session)
    return len(rows)
