"""Leave an incident in peace until a moment; it goes on being counted."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.exceptions.incidents.incident import Incident, Moment
from app.exceptions.incidents.keep import add_moments
from app.exceptions.incidents.read import find_incident
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import Unprocessable
from infra.ids import Id
from tenants.audit import record

LONGEST = timedelta(days=30)


async def snooze_incident(
    scope: TenantScope, database: Database, incident_id: Id, until: datetime | None
) -> Incident:
    """Snooze until a moment (UTC), or wake it with None.

    Raises: NotFound; Unprocessable for a moment that has passed or is more than 30 days away.
    """
    if until is not None and not clock.now() < until <= clock.now() + LONGEST:
        raise Unprocessable(
            "Choose a moment within the next 30 days.", code="incident.snooze_invalid"
        )
    async with begin(scope, database) as session:
        before = await find_incident(session, scope, incident_id, is_locked=True)
        if before.snoozed_until == until:
            return before
        await session.execute(
            "update incident set snoozed_until = $3, updated_at = now()"
            " where tenant_id = $1 and id = $2",
            scope.tenant_id,
            incident_id,
            until,
        )
        detail = {"until": until.isoformat() if until else None}
        said = f"Left in peace until {until:%d %b, %H:%M} UTC." if until else "Looked at again."
        moments = [Moment("snoozed", said, detail)]
        await add_moments(session, scope.tenant_id, incident_id, moments, scope.actor)
        after = await find_incident(session, scope, incident_id)
        await record(session, "exceptions.snooze_incident", f"incident:{incident_id}", detail)
    return after
