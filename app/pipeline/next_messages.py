"""Which messages of a tenant are prepared next: in turn over its connections, suspects one by one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from infra.database.unit import Row, Session
from infra.ids import Id

# A loose walk over the connections that have something waiting: one index probe for each of them.
_WAITING = """
with recursive source as (
    (select connection_id from message where tenant_id = $1 and is_waiting
     order by connection_id limit 1)
    union all
    select next.connection_id from source cross join lateral (
        select connection_id from message
        where tenant_id = $1 and is_waiting and connection_id > source.connection_id
        order by connection_id limit 1) next
), m as (
    select waiting.* from source cross join lateral (
        select id, connection_id, accept_seq, topic, revision, crash_count, file_id, position,
            trace_parent, received_at, row_number() over (order by accept_seq) as turn
        from message
        where tenant_id = $1 and connection_id = source.connection_id and is_waiting
        order by accept_seq limit $2) waiting
    order by waiting.turn, waiting.accept_seq limit $2
)
select m.*, b.headers, b.sealed, b.period, b.revision as body_revision
from m join lateral (select headers, sealed, period, revision from message_body
    where tenant_id = $1 and message_id = m.id and revision <= m.revision
    order by revision desc limit 1) b on true
order by m.accept_seq
"""
_SUSPECT = """
select m.id, m.connection_id, m.topic, m.revision, m.crash_count, m.file_id, m.position,
    m.trace_parent, m.received_at, b.headers, b.sealed, b.period, b.revision as body_revision
from message m
join lateral (select headers, sealed, period, revision from message_body
    where tenant_id = m.tenant_id and message_id = m.id and revision <= m.revision
    order by revision desc limit 1) b on true
where m.tenant_id = $1 and m.id = any($2) and m.is_waiting
order by m.accept_seq limit 1
"""


async def take_waiting(session: Session, tenant_id: Id, limit: int) -> list[Row]:
    """Give up to `limit` waiting messages, in order of acceptance.

    When more wait, every connection gives its oldest first and then its next: a file of 50,000
    records does not stand before a paid order. Within a connection the order is that of acceptance.
    """
    return await session.fetch(_WAITING, tenant_id, limit)


async def take_suspect(session: Session, tenant_id: Id, among: Sequence[UUID]) -> list[Row]:
    """Give the oldest of these messages that still waits; none when all were dealt with."""
    return await session.fetch(_SUSPECT, tenant_id, list(among))
