"""Everything that a name ever meant, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.identities.bindings import Name
from infra.database.unit import Session
from infra.ids import Id

_MEANINGS = """
select binding.identity_id, identity.label, identity.merged_into, valid_from, valid_to, confidence,
    reason, binding.created_by, ended_by
from binding join identity on identity.tenant_id = binding.tenant_id
    and identity.id = binding.identity_id
where binding.tenant_id = $1 and connection_id = $2 and binding.kind = $3 and external_id = $4
order by valid_from, binding.id
"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name meant from one moment until just before another (None: still), who said so, why."""

    identity_id: Id
    label: str
    merged_into: Id | None
    valid_from: datetime
    valid_to: datetime | None
    confidence_0_1: Decimal
    reason: str
    created_by: str
    ended_by: str | None


async def meanings(session: Session, name: Name) -> list[Meaning]:
    """List what a name meant, oldest first."""
    rows = await session.fetch(
        _MEANINGS, acting_tenant(session), name.connection_id, name.kind, name.external_id
    )
    return [Meaning(*row) for row in rows]
