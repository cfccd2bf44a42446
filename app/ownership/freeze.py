"""What is frozen because it went to and fro, and how it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from infra.database.unit import Session
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import record

BREAK_KIND = "truth.oscillation"

_FROZEN = """
select attribute, object_id, place, connection_id, value, stated_at, frozen_at from truth_turn
where tenant_id = $1 and frozen_at is not null
order by frozen_at, attribute, object_id, place limit $2
"""
_THAW = """
update truth_turn set frozen_at = null, flips = '{}'
where tenant_id = $1 and attribute = $2 and object_id = $3 and place = $4 and frozen_at is not null
"""
_CLOSE = """
update break set state = 'closed', closed_at = now(), resolution = $3
where tenant_id = $1 and kind = $4 and key = $2 and state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Frozen:
    """One attribute that is not sent on: whose word counted last, and since when it is frozen."""

    attribute: str
    object_id: str
    place: str
    connection_id: Id
    value: str
    stated_at: datetime
    frozen_at: datetime


async def list_frozen(session: Session, limit: int = 1_000) -> list[Frozen]:
    """List what is frozen, oldest first."""
    rows = await session.fetch(_FROZEN, acting_tenant(session), limit)
    return [Frozen(**dict(row)) for row in rows]


async def thaw(session: Session, attribute: str, object_id: str, place: str, reason: str) -> None:
    """Let an attribute be told again; what was held meanwhile stays held for a person.

    Raises: NotFound when it is not frozen.
    """
    tenant_id = acting_tenant(session)
    if not await session.execute(_THAW, tenant_id, attribute, object_id, place):
        raise NotFound
    key = f"{attribute}/{object_id}/{place}"
    await session.execute(_CLOSE, tenant_id, key, reason, BREAK_KIND)
    await record(session, "ownership.thaw", f"truth:{key}", {"reason": reason})
