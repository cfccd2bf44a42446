"""Who said what of an object, when, and under which version of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from infra.database.unit import Session
from infra.ids import Id

MOST = 200

# By what the source calls it, and by our number: what is compared knows the events that last stated it.
_FACTS = """
with meant as (
    select id from event where tenant_id = $1 and object_id = $2
    union
    select event_id from truth_stated where tenant_id = $1 and object_id = $2
)
select event.id, event.type, event.object_id, event.key, event.version, event.label,
    event.connection_id, connection.name as said_by, event.contract, event.occurred_at,
    event.accepted_at, event.revision
from event join meant on meant.id = event.id
join connection on connection.tenant_id = $1 and connection.id = event.connection_id
where event.tenant_id = $1
order by event.occurred_at desc, event.id desc limit $3
"""
_STATED = """
select attribute, place, connection_id, connection.name as said_by, value, stated_at, contract,
    event_id, times from truth_stated
join connection on connection.tenant_id = $1 and connection.id = connection_id
where truth_stated.tenant_id = $1 and object_id = $2
order by attribute, place, stated_at desc, connection_id limit $3
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event about an object: who said it, when it happened (UTC), when we got it."""

    id: Id
    type: str
    object_id: str
    key: str
    version: str
    label: str
    connection_id: Id
    said_by: str
    contract: str
    occurred_at: datetime
    accepted_at: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What a system said last of one attribute; only of what several systems say something about."""

    attribute: str
    place: str
    connection_id: Id
    said_by: str
    value: str
    stated_at: datetime
    contract: str
    event_id: Id
    times: int


async def facts_of(session: Session, object_id: str, limit: int = MOST) -> list[Fact]:
    """List what was said of an object, the newest first by business time."""
    rows = await session.fetch(_FACTS, acting_tenant(session), object_id, limit)
    return [Fact(**dict(row)) for row in rows]


async def stated_of(session: Session, object_id: str, limit: int = MOST) -> list[Stated]:
    """List what each system said last, attribute by attribute."""
    rows = await session.fetch(_STATED, acting_tenant(session), object_id, limit)
    return [Stated(**dict(row)) for row in rows]
