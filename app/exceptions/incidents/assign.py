"""Say who is on an incident and until when; its records follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.exceptions.incidents.incident import Incident, Moment
from app.exceptions.incidents.keep import add_moments
from app.exceptions.incidents.read import find_incident
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id
from tenants.audit import record


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who takes it (None: whoever acts, which acknowledges it; empty: nobody), and until when (UTC)."""

    owner: str | None = None
    due_at: datetime | None = None


async def assign_incident(
    scope: TenantScope, database: Database, incident_id: Id, wanted: Assignment
) -> Incident:
    """Give an incident an owner; records that had none, or the one before, get the new one.

    The same twice changes nothing. Raises NotFound.
    """
    owner = scope.actor if wanted.owner is None else wanted.owner
    async with begin(scope, database) as session:
        before = await find_incident(session, scope, incident_id, is_locked=True)
        if (before.owner, before.due_at) == (owner, wanted.due_at):
            return before
        await session.execute(
            "update incident set owner = $3, due_at = $4, updated_at = now()"
            " where tenant_id = $1 and id = $2",
            scope.tenant_id,
            incident_id,
            owner,
            wanted.due_at,
        )
        await session.execute(
            "update hold set owner = $3, due_at = $4 where tenant_id = $1 and incident_id = $2"
            " and state = 'open' and owner in ('', $5)",
            scope.tenant_id,
            incident_id,
            owner,
            wanted.due_at,
            before.owner,
        )
        said = f"{owner} is on it." if owner else "Nobody is on it any more."
        until = wanted.due_at.isoformat() if wanted.due_at else None
        detail = {"before": before.owner, "owner": owner, "due_at": until}
        await add_moments(
            session,
            scope.tenant_id,
            incident_id,
            [Moment("assigned", said, detail)],
            scope.actor,
        )
        after = await find_incident(session, scope, incident_id)
        await record(session, "exceptions.assign_incident", f"incident:{incident_id}", detail)
    return after
