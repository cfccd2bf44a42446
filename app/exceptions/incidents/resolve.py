"""Close an incident by hand, with words, when nothing of it is open any more."""

from __future__ import annotations

from dataclasses import replace

from app.exceptions.incidents.incident import Incident, Moment
from app.exceptions.incidents.keep import add_moments, keep
from app.exceptions.incidents.nouns import counted
from app.exceptions.incidents.read import find_incident
from app.exceptions.incidents.rules import rules_of
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import Conflict
from infra.ids import Id
from tenants.audit import record

# What the incident's own count may not know yet: records held since, a connection out of order.
_OPEN = """
select (select count(*) from hold where tenant_id = $1 and incident_id = $2 and state = 'open') as held,
    exists (select from connection_health where tenant_id = $1 and connection_id = $3
        and state <> 'closed') as is_broken
"""


class StillOpen(Conflict):
    """Closing it would hide records that nobody has decided about."""

    code = "incident.still_open"


async def resolve_incident(
    scope: TenantScope, database: Database, incident_id: Id, words: str
) -> Incident:
    """Close an incident; twice is harmless. Raises NotFound, StillOpen."""
    async with begin(scope, database) as session:
        before = await find_incident(session, scope, incident_id, is_locked=True)
        if before.state == "resolved":
            return before
        await _refuse_while_open(session, before)
        after = replace(
            before,
            state="resolved",
            held=0,
            resolved_at=clock.now(),
            resolved_by=scope.actor,
            resolution=words,
            snoozed_until=None,
            weight=before.weight * 0,
        )
        await keep(session, after)
        moments = [Moment("resolved", words, {"peak": before.peak})]
        await add_moments(session, scope.tenant_id, incident_id, moments, scope.actor)
        detail = {"words": words}
        await record(session, "exceptions.resolve_incident", f"incident:{incident_id}", detail)
    return after


async def _refuse_while_open(session: Session, incident: Incident) -> None:
    row = await session.fetch_one(_OPEN, incident.tenant_id, incident.id, incident.connection_id)
    held: int = row["held"] if row else 0
    is_broken: bool = row["is_broken"] if row else False
    is_whole = rules_of(incident.error_class).is_whole_connection
    if held:
        raise StillOpen(
            f"Still held: {counted(held, 'record')}. Release, correct or discard what is held first."
        )
    if incident.waiting:
        raise StillOpen(
            f"Still waiting: {counted(incident.waiting, 'record')}. It closes by itself when nothing"
            " waits any more."
        )
    if is_whole and is_broken:
        raise StillOpen("The connection does not work yet. It closes by itself when it does.")
