"""Pause a flow: its events are accepted and kept in order, none is sent; resuming lets them go on."""

from __future__ import annotations

from app.connections.changes import Change, note_change
from app.connections.tenant import acting_tenant
from infra.clock import now
from infra.database.unit import Session
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import record

# Workers that park lanes of a flow share this lock ($1: the flow's id); who pauses or resumes the flow
# holds it alone. So no lane is parked by what was known before, after it should have been woken.
HOLD_STILL = "select pg_advisory_xact_lock_shared(hashtextextended('flow paused:' || $1::text, 0))"
_CHANGE_ALONE = "select pg_advisory_xact_lock(hashtextextended('flow paused:' || $1::text, 0))"

_SET = """
update flow set is_paused = $3, pause_reason = $4, updated_at = $5
where tenant_id = $1 and id = $2 and is_paused <> $3
returning name
"""
# In the order in which their next deliveries were accepted, a microsecond apart and all due: lanes are
# taken by `ready_at`. Only those whose next delivery is of this flow; other flows may be paused still.
_WAKE = """
update lane set ready_at = now() - (woken.behind * interval '1 microsecond')
from (
    select lane.connection_id, lane.lane_hash,
        row_number() over (order by head.accepted_at desc, head.id desc) as behind
    from lane cross join lateral (
        select flow_id, accepted_at, id from delivery
        where delivery.tenant_id = lane.tenant_id and delivery.connection_id = lane.connection_id
            and delivery.lane_hash = lane.lane_hash and delivery.is_open
        order by seq limit 1) head
    where lane.tenant_id = $1 and lane.ready_at = 'infinity' and head.flow_id = $2
        and lane.connection_id = (select target_connection_id from flow
            where tenant_id = $1 and id = $2)
) woken
where lane.tenant_id = $1 and lane.connection_id = woken.connection_id
    and lane.lane_hash = woken.lane_hash and lane.ready_at = 'infinity'
"""


async def pause_flow(session: Session, flow_id: Id, reason: str) -> bool:
    """Send nothing more through a flow; what is under way ends. False when it was paused already.

    Raises NotFound. Workers put lanes aside as they meet them, without burning an attempt.
    """
    name = await _set(session, flow_id, is_paused=True, reason=reason)
    if name is None:
        return False
    await _told(
        session, flow_id, f"The flow {name} was paused: {reason}", "flows.pause_flow", reason
    )
    return True


async def resume_flow(session: Session, flow_id: Id, reason: str) -> bool:
    """Let a flow go on with what waited, oldest first. False when it was not paused.

    Raises NotFound.
    """
    name = await _set(session, flow_id, is_paused=False, reason="")
    if name is None:
        return False
    await session.execute(_WAKE, acting_tenant(session), flow_id)
    await _told(
        session, flow_id, f"The flow {name} was resumed: {reason}", "flows.resume_flow", reason
    )
    return True


async def _set(session: Session, flow_id: Id, *, is_paused: bool, reason: str) -> str | None:
    """Write the pause; gives the flow's name, or None when nothing changed."""
    tenant_id = acting_tenant(session)
    await session.execute(_CHANGE_ALONE, str(flow_id))
    name: str | None = await session.fetch_value(_SET, tenant_id, flow_id, is_paused, reason, now())
    if name is None and not await session.fetch_value(
        "select exists (select from flow where tenant_id = $1 and id = $2)", tenant_id, flow_id
    ):
        raise NotFound
    return name


async def _told(session: Session, flow_id: Id, words: str, action: str, reason: str) -> None:
    await note_change(session, Change("flow", words, flow_id=flow_id))
    await record(session, action, f"flow:{flow_id}", {"reason": reason})
