"""The life line of one order, ticket or article: everything the book knows about it, by time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.health.life_line import Entry, Rows, entries_of
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.ids import lowest_id_at, parse_id

EVENTS_SHOWN = 100
ATTEMPTS_SHOWN = 1000
# A name's end cannot be looked up in an index; an object's own id can, however old it is.
SEARCHED_BACK = timedelta(days=90)

# The reference ends the name, as a whole word: "1001" finds "#1001" but not "#21001".
_ENDS = (
    "right({0}, length($2::text)) = $2 and (length({0}) = length($2)"
    " or substr({0}, length({0}) - length($2), 1) !~ '[[:alnum:]]')"
)
_EVENT_COLUMNS = (
    "id, message_id, connection_id, type, contract, key, label, amount, currency, revision,"
    " occurred_at"
)
_EVENTS = f"""
select {_EVENT_COLUMNS} from event where tenant_id = $1 and object_id = $2
union
select {_EVENT_COLUMNS} from event where tenant_id = $1 and id >= $3
    and (({_ENDS.format("key")}) or ({_ENDS.format("label")}))
union
select {_EVENT_COLUMNS} from event where tenant_id = $1 and (message_id = $4 or id = $4)
order by id desc limit $5
"""  # noqa: S608 - our own names
_HELD_MESSAGES = f"""
select distinct message_id from hold where tenant_id = $1 and delivery_id is null and id >= $3
    and ({_ENDS.format("label")})
union select id from message where tenant_id = $1 and id = $4
limit $5
"""  # noqa: S608 - our own names
_MESSAGES = """
select id, connection_id, topic, dedup_label, state, fate, code, position::text, received_at
from message where tenant_id = $1 and id = any($2)
"""
_DELIVERIES = """
select id, event_id, message_id, flow_id, connection_id, state, external_ref, code, words,
    accepted_at, settled_at
from delivery where tenant_id = $1 and event_id = any($2)
"""
_ATTEMPTS = """
select delivery_id, number, started_at, took_ms, outcome, status, code, words
from attempt where tenant_id = $1 and delivery_id = any($2) order by id desc limit $3
"""
_HOLDS = """
select id, message_id, delivery_id, connection_id, code, pointer, words, state, reason, decided_by,
    decided_at, created_at
from hold where tenant_id = $1
    and (delivery_id = any($2) or (delivery_id is null and message_id = any($3)))
"""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known about a reference, oldest first; `is_cut` when older events were left out."""

    reference: str
    traced_at: datetime
    entries: tuple[Entry, ...]
    is_cut: bool = False


async def trace(scope: TenantScope, database: Database, reference: str) -> Trace:
    """Find what a reference names and tell its life; empty when nothing is known by that name.

    Takes: `reference`, an object's id, the end of its name ("#1001", "1001", "SKU-001"), or the id
           of a message or event. Names are searched 90 days back, at most 100 events are shown.
    """
    async with begin(scope, database) as session:
        rows, is_cut = await _read(session, scope.tenant_id, reference.strip())
    return Trace(reference, clock.now(), tuple(entries_of(rows)), is_cut)


async def _read(session: Session, tenant_id: UUID, reference: str) -> tuple[Rows, bool]:
    since = lowest_id_at(clock.now() - SEARCHED_BACK)
    found = (tenant_id, reference, since, parse_id(reference), EVENTS_SHOWN + 1)
    events = await session.fetch(_EVENTS, *found)
    held = await session.fetch(_HELD_MESSAGES, *found)
    shown = events[:EVENTS_SHOWN]
    message_ids = list(
        {row["message_id"] for row in shown} | {row["message_id"] for row in held[:EVENTS_SHOWN]}
    )
    deliveries = await session.fetch(_DELIVERIES, tenant_id, [row["id"] for row in shown])
    delivery_ids = [row["id"] for row in deliveries]
    rows = Rows(
        messages=await session.fetch(_MESSAGES, tenant_id, message_ids),
        events=shown,
        deliveries=deliveries,
        attempts=await session.fetch(_ATTEMPTS, tenant_id, delivery_ids, ATTEMPTS_SHOWN),
        holds=await session.fetch(_HOLDS, tenant_id, delivery_ids, message_ids),
        names=await _names(session, tenant_id),
    )
    return rows, max(len(events), len(held)) > EVENTS_SHOWN


async def _names(session: Session, tenant_id: UUID) -> dict[UUID, str]:
    rows = await session.fetch(
        "select id, name from connection where tenant_id = $1"
        " union all select id, name from flow where tenant_id = $1",
        tenant_id,
    )
    return {row["id"]: row["name"] for row in rows}
