"""Tell which events come too late: a newer state of the same object went to the same target before.

A message that was held and is read anew keeps its place in the order of acceptance: what was
accepted after it may be at the target already, and must not be overwritten by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.flows.routes import Ordering
from connectors.canonical.event import Event
from infra.database.unit import Session

# What is younger than a message has a greater id. In a lane that keeps its order, an open delivery of
# another type may be waiting for this very one (a change for its order): that one does not count.
_OVERTAKEN = """
select told.message_id, told.flow_id, told.object_id
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
    as told (message_id, flow_id, ordering, type, key, object_id)
join message m on m.tenant_id = $1 and m.id = told.message_id
where exists (
    select 1 from event e
    join delivery d on d.tenant_id = $1 and d.event_id = e.id and d.flow_id = told.flow_id
    join message newer on newer.tenant_id = $1 and newer.id = e.message_id
    where e.tenant_id = $1 and e.object_id = told.object_id and e.key = told.key
        and e.id > told.message_id and newer.accept_seq > m.accept_seq
        and (d.state = 'delivered'
            or (d.is_open and (told.ordering = 'latest_wins' or e.type = told.type))))
"""
_TEXT_MAX = 500

# Message, flow and object id.
Overtaken = tuple[UUID, UUID, str]


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a message on its way to one flow."""

    event: Event
    message_id: UUID
    flow_id: UUID
    ordering: Ordering


async def overtaken(
    session: Session, tenant_id: UUID, told: Sequence[Told]
) -> frozenset[Overtaken]:
    """Give those of which the target has, or is about to get, a newer state."""
    if not told:
        return frozenset()
    rows = await session.fetch(
        _OVERTAKEN,
        tenant_id,
        [each.message_id for each in told],
        [each.flow_id for each in told],
        [each.ordering for each in told],
        [each.event.type for each in told],
        [_stored(each.event.key) for each in told],
        [_stored(each.event.object_id) for each in told],
    )
    gone = {(row["message_id"], row["flow_id"], row["object_id"]) for row in rows}
    return frozenset(
        (each.message_id, each.flow_id, each.event.object_id)
        for each in told
        if (each.message_id, each.flow_id, _stored(each.event.object_id)) in gone
    )


def _stored(text: str) -> str:
    """Write a text as the book keeps it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:_TEXT_MAX]
