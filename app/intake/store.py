"""T1: store accepted messages of many tenants in one commit, each with its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.intake.incoming import Accepted, Sealed
from connectors.sdk.message import Position
from infra.database.pool import Database
from infra.database.scope import IntakeScope
from infra.database.unit import Session, begin

_STORE = """
with input as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::text[],
        $7::bytea[], $8::int[], $9::bytea[], $10::int[], $11::text[], $12::text[], $13::uuid[],
        $14::text[])
    with ordinality as input (tenant_id, connection_id, id, topic, dedup_hash, dedup_label,
        body_sha256, size_bytes, sealed, period, headers, position, file_id, trace_parent, ord)
), fresh as (
    insert into receipt (tenant_id, connection_id, dedup_hash, message_id, body_sha256, received_at)
    select tenant_id, connection_id, dedup_hash, id, body_sha256, now() from input order by ord
    on conflict do nothing
    returning message_id
), stored as (
    insert into message (tenant_id, id, connection_id, topic, dedup_label, size_bytes, position,
        file_id, trace_parent, received_at)
    select tenant_id, id, connection_id, topic, dedup_label, size_bytes, position::jsonb, file_id,
        trace_parent, now()
    from input join fresh on fresh.message_id = input.id order by ord
), bodies as (
    insert into message_body (tenant_id, message_id, headers, sealed, period, body_sha256)
    select tenant_id, id, headers::jsonb, sealed, period, body_sha256
    from input join fresh on fresh.message_id = input.id
)
select message_id from fresh
"""

_KNOWN = """
select input.ord, receipt.message_id, receipt.body_sha256
from unnest($1::uuid[], $2::uuid[], $3::bytea[]) with ordinality
    as input (tenant_id, connection_id, dedup_hash, ord)
join receipt using (tenant_id, connection_id, dedup_hash)
"""

DEDUP_LABEL_MAX = 200  # shown to people; the hash alone decides


async def store(batch: Sequence[Sealed], database: Database) -> list[Accepted]:
    """Write a batch in one commit and say for each message whether it is new; order is kept.

    Calling it twice with the same batch is harmless: the second time all are duplicates.
    """
    tenants = tuple({sealed.incoming.tenant_id for sealed in batch})
    async with begin(IntakeScope(tenants), database) as session:
        return await store_in(session, batch)


async def store_in(session: Session, batch: Sequence[Sealed]) -> list[Accepted]:
    """Do the same in a transaction that is open, with whatever else it writes."""
    rows = await session.fetch(_STORE, *_columns(batch))
    fresh = {row["message_id"] for row in rows}
    known = await _known(session, [sealed for sealed in batch if sealed.id not in fresh])
    return [
        Accepted(sealed.id, is_duplicate=False) if sealed.id in fresh else known[sealed.id]
        for sealed in batch
    ]


async def _known(session: Session, repeats: list[Sealed]) -> dict[UUID, Accepted]:
    if not repeats:
        return {}
    rows = await session.fetch(
        _KNOWN,
        [sealed.incoming.tenant_id for sealed in repeats],
        [sealed.incoming.connection_id for sealed in repeats],
        [sealed.dedup_hash for sealed in repeats],
    )
    found = {}
    for row in rows:
        sealed = repeats[row["ord"] - 1]
        found[sealed.id] = Accepted(
            row["message_id"],
            is_duplicate=True,
            has_other_content=row["body_sha256"] != sealed.body_sha256,
        )
    return found


def _columns(batch: Sequence[Sealed]) -> tuple[list[object], ...]:
    rows = [
        (
            sealed.incoming.tenant_id,
            sealed.incoming.connection_id,
            sealed.id,
            sealed.incoming.topic,
            sealed.dedup_hash,
            _label(sealed.incoming.dedup),
            sealed.body_sha256,
            len(sealed.incoming.body),
            sealed.sealed,
            sealed.period,
            msgspec.json.encode(dict(sealed.incoming.headers)).decode(),
            _position(sealed.incoming.position),
            sealed.incoming.file_id,
            sealed.incoming.trace_parent,
        )
        for sealed in batch
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


def _label(dedup: str) -> str:
    # NUL and lone surrogates cannot be stored as text; the hash was taken over the original.
    clean = dedup[:DEDUP_LABEL_MAX].encode("utf-8", "replace").decode("utf-8")
    return clean.replace("\x00", "")


def _position(position: Position | None) -> str | None:
    if position is None:
        return None
    return msgspec.json.encode(
        {
            "file": position.file,
            "record": position.record,
            "line": position.line,
            "byte": position.byte,
        }
    ).decode()
