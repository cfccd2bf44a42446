"""Leave a remark on an incident."""

from __future__ import annotations

from app.exceptions.incidents.incident import Moment
from app.exceptions.incidents.keep import add_moments
from app.exceptions.incidents.read import find_incident
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id, new_id
from tenants.audit import record


async def comment_incident(
    scope: TenantScope, database: Database, incident_id: Id, words: str
) -> Id:
    """Write a remark and give its id; raises NotFound. The audit log says who, not what."""
    remark_id = new_id()
    async with begin(scope, database) as session:
        await find_incident(session, scope, incident_id)
        await session.execute(
            "insert into remark (tenant_id, id, incident_id, author, words)"
            " values ($1, $2, $3, $4, $5)",
            scope.tenant_id,
            remark_id,
            incident_id,
            scope.actor,
            words,
        )
        detail = {"remark": str(remark_id)}
        said = [Moment("commented", words, detail)]
        await add_moments(session, scope.tenant_id, incident_id, said, scope.actor)
        await record(session, "exceptions.comment_incident", f"incident:{incident_id}", detail)
    return remark_id
