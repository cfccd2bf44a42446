"""The audit log: append-only, one hash chain per retailer and one for the platform itself.

Acts in a retailer's scope stand in that retailer's chain, which it can read. Acts of an operator or
a partner on the directory belong to no retailer; they stand in the chain of the nil tenant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import Row, Session, begin

NIL = UUID(int=0)
FIRST_HASH = bytes(32)
PAGE_ROWS = 1_000

# No floats: what is hashed must read back from the database exactly as it was written.
DetailValue = str | int | bool | None | Sequence["DetailValue"] | Mapping[str, "DetailValue"]
Detail = Mapping[str, DetailValue]

_LOCK = "select pg_advisory_xact_lock(hashtextextended('audit:' || $1, 0))"
_TAKE_CHAIN = "select set_config('app.tenant_id', $1, true)"
_LAST = "select seq, hash from audit where tenant_id = $1 order by seq desc limit 1"
_APPEND = (
    "insert into audit (tenant_id, seq, at, actor, action, subject, detail, previous_hash, hash)"
    " select $1, line.seq, $2, $3, line.action, line.subject, line.detail::jsonb, line.previous_hash,"
    " line.hash from unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[])"
    " as line (seq, action, subject, detail, previous_hash, hash)"
)
_PAGE = (
    "select tenant_id, seq, at, actor, action, subject, detail::text, previous_hash, hash from audit"
    " where tenant_id = $1 and seq > $2 order by seq limit $3"
)


class AuditWithoutActor(Exception):
    """A scope that names nobody tried to write the audit log."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one line says: `action` as `area.verb_object`, `subject` as `kind:id`, no secrets."""

    action: str
    subject: str
    detail: Detail


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest line of a chain; kept outside the database it proves that no later line is gone."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of one chain found; `broken_at` is the first sequence number that is not right."""

    ok: bool
    broken_at: int | None
    head: ChainHead


def platform(actor: str) -> TenantScope:
    """Give the scope in which the platform's own chain is read and checked."""
    return TenantScope(NIL, actor)


async def record(session: Session, action: str, subject: str, detail: Detail) -> int:
    """Append one line in the transaction of the act itself and give its sequence number.

    Takes:  `action` as `area.verb_object`; `subject` as `kind:id`; `detail` without secrets.
    Rules:  the chain is locked until the transaction ends, so record last; the wait is bounded by
            the pool's lock timeout.
    Raises: AuditWithoutActor for a scope that names nobody.
    """
    return await record_many(session, (Line(action, subject, detail),))


async def record_many(session: Session, lines: Sequence[Line]) -> int:
    """Append many lines at once, in their order; gives the last sequence number, 0 for no line.

    The same chain as `record` writes, hash by hash, under one lock and in one statement: a line of
    its own for each of thousands of records costs no more than a few.
    """
    scope = session.scope
    if not isinstance(scope, TenantScope | PartnerScope | OperatorScope):
        raise AuditWithoutActor(f"{type(scope).__name__} names nobody who acts")
    if not lines:
        return 0
    chain = scope.tenant_id if isinstance(scope, TenantScope) else NIL
    if not isinstance(scope, TenantScope):
        await session.fetch_value(_TAKE_CHAIN, str(NIL))
    seq = await _append(session, chain, _Acts(clock.now(), scope.actor, lines))
    if not isinstance(scope, TenantScope):
        await session.fetch_value(_TAKE_CHAIN, "")
    return seq


async def verify_chain(
    scope: TenantScope, database: Database, known_head: ChainHead | None = None
) -> ChainReport:
    """Check every line of a scope's chain, oldest first, and that it reaches a head known before.

    Without `known_head` a line cut from the very end cannot be noticed; keep each report's head
    outside the database and give it to the next check.
    """
    head = ChainHead(0, FIRST_HASH)
    has_known = known_head is None or known_head.seq == 0
    async with begin(scope, database) as session:
        while rows := await session.fetch(_PAGE, scope.tenant_id, head.seq, PAGE_ROWS):
            for row in rows:
                if not _follows(head, row):
                    return ChainReport(ok=False, broken_at=head.seq + 1, head=head)
                head = ChainHead(row["seq"], row["hash"])
                if known_head is not None and known_head.seq == head.seq:
                    if known_head.hash != head.hash:
                        return ChainReport(ok=False, broken_at=head.seq, head=head)
                    has_known = True
    return ChainReport(ok=has_known, broken_at=None if has_known else head.seq + 1, head=head)


@dataclass(frozen=True, slots=True)
class _Acts:
    at: datetime
    actor: str
    lines: Sequence[Line]


async def _append(session: Session, chain: UUID, acts: _Acts) -> int:
    await session.fetch_value(_LOCK, str(chain))
    last = await session.fetch_one(_LAST, chain)
    heads = [ChainHead(last["seq"], last["hash"]) if last else ChainHead(0, FIRST_HASH)]
    for line in acts.lines:
        head = heads[-1]
        heads.append(ChainHead(head.seq + 1, _hash(head, chain, acts.at, acts.actor, line)))
    await session.execute(
        _APPEND,
        chain,
        acts.at,
        acts.actor,
        [head.seq for head in heads[1:]],
        [line.action for line in acts.lines],
        [line.subject for line in acts.lines],
        [_canonical(line.detail) for line in acts.lines],
        [head.hash for head in heads[:-1]],
        [head.hash for head in heads[1:]],
    )
    return heads[-1].seq


def _follows(head: ChainHead, row: Row) -> bool:
    line = Line(row["action"], row["subject"], json.loads(row["detail"]))
    stored = (row["seq"], row["previous_hash"], row["hash"])
    hashed = _hash(head, row["tenant_id"], row["at"], row["actor"], line)
    return stored == (head.seq + 1, head.hash, hashed)


def _hash(head: ChainHead, chain: UUID, at: datetime, actor: str, line: Line) -> bytes:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [str(chain), head.seq + 1, moment, actor, line.action, line.subject, line.detail]
    return hashlib.sha256(head.hash + _canonical(said).encode()).digest()


def _canonical(value: object) -> str:
    """Write JSON in one way only: sorted keys, no spaces, ASCII, no floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
