"""Put held records into incidents, each once; the records inherit who is on it and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from app.exceptions.incidents.fingerprint import Trouble, trouble_of
from infra.database.unit import Row, Session
from infra.ids import new_id

HOLDS_PER_ROUND = 2_000

_UNGROUPED = """
select h.tenant_id, h.id, h.connection_id, coalesce(c.connector, '') as connector, h.error_class,
    h.code, h.pointer, h.created_at
from hold h left join connection c on c.tenant_id = h.tenant_id and c.id = h.connection_id
where h.state = 'open' and h.incident_id is null
order by h.created_at limit $1 for update of h skip locked
"""
# The bare row has no title yet: the first look at it gives it one, and the history begins.
_INSERT = """
insert into incident (tenant_id, id, fingerprint, connection_id, connector, error_class, code, pointer,
    title, first_seen_at, last_seen_at, since_at)
select tenant_id, id, fingerprint, connection_id, connector, error_class, code, pointer, '', since_at,
    now(), since_at
from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::timestamptz[]) as new (tenant_id, id, fingerprint, connection_id, connector,
    error_class, code, pointer, since_at)
on conflict on constraint incident_once_per_cause do nothing
"""
_KNOWN = """
select i.id, i.tenant_id, i.connection_id, i.fingerprint from incident i
join unnest($1::uuid[], $2::uuid[], $3::bytea[]) as wanted (tenant_id, connection_id, fingerprint)
    using (tenant_id, connection_id, fingerprint)
"""
_ASSIGN = """
update hold set incident_id = i.id, owner = case when hold.owner = '' then i.owner else hold.owner end,
    due_at = coalesce(hold.due_at, i.due_at)
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as grouped (tenant_id, id, incident_id)
join incident i on i.tenant_id = grouped.tenant_id and i.id = grouped.incident_id
where hold.tenant_id = grouped.tenant_id and hold.id = grouped.id
"""


async def group_holds(session: Session, most: int = HOLDS_PER_ROUND) -> dict[UUID, datetime]:
    """Give every new hold its incident; gives the incidents touched, with their oldest new record.

    Holds that another round has in its hands are skipped, so two at once do not meet.
    """
    rows = await session.fetch(_UNGROUPED, most)
    if not rows:
        return {}
    troubles = [_trouble(row) for row in rows]
    began: dict[Trouble, datetime] = {}
    for trouble, row in zip(troubles, rows, strict=True):
        began[trouble] = min(began.get(trouble, row["created_at"]), row["created_at"])
    ids = await ensure_incidents(session, began)
    await session.execute(
        _ASSIGN,
        [row["tenant_id"] for row in rows],
        [row["id"] for row in rows],
        [ids[trouble] for trouble in troubles],
    )
    return {ids[trouble]: at for trouble, at in began.items()}


async def ensure_incidents(
    session: Session, troubles: Mapping[Trouble, datetime]
) -> dict[Trouble, UUID]:
    """Make sure that each trouble has its row; gives the ids. `troubles` says when each began (UTC)."""
    if not troubles:
        return {}
    known = await _known(session, troubles)
    missing = sorted(
        (each for each in troubles if each not in known),
        key=lambda each: (each.tenant_id, each.fingerprint, each.connection_id),
    )
    if missing:
        await session.execute(
            _INSERT,
            [each.tenant_id for each in missing],
            [new_id() for _ in missing],
            [each.fingerprint for each in missing],
            [each.connection_id for each in missing],
            [each.connector for each in missing],
            [each.error_class for each in missing],
            [each.code for each in missing],
            [each.pointer for each in missing],
            [troubles[each] for each in missing],
        )
        # Of two that insert at once, the second finds the row of the first.
        known |= await _known(session, missing)
    return known


async def _known(session: Session, troubles: Iterable[Trouble]) -> dict[Trouble, UUID]:
    by_key = {(each.tenant_id, each.connection_id, each.fingerprint): each for each in troubles}
    rows = await session.fetch(
        _KNOWN,
        [key[0] for key in by_key],
        [key[1] for key in by_key],
        [key[2] for key in by_key],
    )
    return {
        by_key[row["tenant_id"], row["connection_id"], row["fingerprint"]]: row["id"]
        for row in rows
    }


def _trouble(row: Row) -> Trouble:
    return trouble_of(
        row["tenant_id"],
        row["connection_id"],
        row["connector"],
        row["error_class"],
        row["code"],
        row["pointer"],
    )
