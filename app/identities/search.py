"""The names that a system has today, page by page, and what waits for a person everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.identities.bindings import Kind
from infra.database.unit import Session
from infra.ids import Id

_NAMES = """
select binding.connection_id, binding.kind, external_id, binding.identity_id,
    coalesce(nullif(identity.code, ''), identity.id::text) as number, identity.label, valid_from
from binding join identity on identity.tenant_id = binding.tenant_id
    and identity.id = binding.identity_id
where binding.tenant_id = $1 and binding.connection_id = $2 and binding.kind = $3
    and valid_to is null and external_id > $4
order by external_id limit $5
"""


@dataclass(frozen=True, slots=True)
class Named:
    """One name that means an object today, with our number of it."""

    connection_id: Id
    kind: Kind
    external_id: str
    identity_id: Id
    number: str
    label: str
    valid_from: datetime


async def names_today(
    session: Session, connection_id: Id, kind: Kind, after: str, limit: int
) -> list[Named]:
    """List the names of a system in their order, from behind one of them on."""
    rows = await session.fetch(_NAMES, acting_tenant(session), connection_id, kind, after, limit)
    return [Named(**dict(row)) for row in rows]
