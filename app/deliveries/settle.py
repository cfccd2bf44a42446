"""T4: write what the targets answered, for many lanes in one commit, each fenced by its lease token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.deliveries.claim import Claimed, LaneKey
from app.deliveries.decide import Decision
from app.deliveries.states import FINAL
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Session, begin
from infra.ids import new_id

Lease = tuple[LaneKey, int]


@dataclass(frozen=True, slots=True)
class Priced:
    """What a held delivery is called, what money is in it, and what it counts as when delivered."""

    label: str = ""
    amount: Decimal | None = None
    currency: str | None = None
    usage_kind: str = ""
    business_key: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt: when it began (UTC), how long it took, the outcome's name and the decision."""

    delivery: Claimed
    decision: Decision
    outcome: str
    status: int | None
    started_at: datetime
    took_ms: int
    priced: Priced


@dataclass(frozen=True, slots=True)
class LaneResult:
    """What became of one leased lane: attempts in order, then deliveries that were not started.

    `rest_s` is how long the lane rests when nothing in it was tried (its connection is closed).
    `goes_on` says that the worker keeps the lane and sends more of it.
    """

    key: LaneKey
    token: int
    tried: tuple[Tried, ...]
    untouched: tuple[Claimed, ...]
    worker: str
    rest_s: float = 0.0
    goes_on: bool = False

    @property
    def lease(self) -> Lease:
        """Name the lease under which this was done."""
        return (self.key, self.token)


# A released lane has no holder: a result whose commit was answered by silence may be written again,
# and is found written.
_LOCK = """
select lane.tenant_id, lane.connection_id, lane.lane_hash, lane.lease_token from lane
join unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[])
    as mine (tenant_id, connection_id, lane_hash, token) using (tenant_id, connection_id, lane_hash)
where lane.lease_token = mine.token and lane.holder is not null
order by 1, 2, 3 for update of lane
"""
_MOVE = """
update delivery set state = new.state, not_before = now() + make_interval(secs => new.wait_s),
    attempt_count = delivery.attempt_count - new.unburnt, crash_count = new.crashes,
    -- What was put back untouched keeps what is known of it (`outcome.unknown`: ask before sending).
    code = case when new.code = '' and not new.is_final then delivery.code else new.code end,
    words = new.words,
    external_ref = case when new.reference = '' then external_ref else new.reference end,
    settled_at = case when new.is_final then now() end
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::int[], $6::text[], $7::text[],
    $8::text[], $9::bool[], $10::int[])
    as new (tenant_id, id, state, wait_s, unburnt, code, words, reference, is_final, crashes)
where delivery.tenant_id = new.tenant_id and delivery.id = new.id and delivery.state = 'delivering'
returning delivery.id
"""
_ATTEMPTS = """
insert into attempt (tenant_id, id, delivery_id, number, started_at, took_ms, outcome, status, code,
    words, worker, lease_token)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[], $6::int[],
    $7::text[], $8::int[], $9::text[], $10::text[], $11::text[], $12::bigint[])
"""
_HOLDS = """
insert into hold (tenant_id, id, message_id, delivery_id, connection_id, flow_id, code, pointer, words,
    label, amount, currency)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::numeric[], $12::text[])
on conflict do nothing
"""
_USAGE = """
insert into usage_fact (tenant_id, kind, business_key, delivery_id)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) on conflict do nothing
"""
# Decided from the message row alone, so that two workers settling its last deliveries cannot both
# believe that the other one is still open.
_MESSAGES = """
update message set open_routes = message.open_routes - done.count,
    state = case when message.open_routes = done.count and message.state = 'prepared'
        then 'settled' else message.state end
from unnest($1::uuid[], $2::uuid[], $3::int[]) as done (tenant_id, id, count)
where message.tenant_id = done.tenant_id and message.id = done.id
    -- Leaves out the partitions of other days before they are opened.
    and message.id between $4 and $5
"""
_RELEASE = """
update lane set open_count = lane.open_count - done.finals, blocked_by = done.blocked_by,
    holder = case when done.goes_on then lane.holder end,
    ready_at = case when done.goes_on then lane.ready_at
        when done.blocked_by is not null or lane.open_count = done.finals then null
        else now() + make_interval(secs => done.wait_s) end
from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::int[], $5::uuid[], $6::float8[], $7::bool[])
    as done (tenant_id, connection_id, lane_hash, finals, blocked_by, wait_s, goes_on)
where lane.tenant_id = done.tenant_id and lane.connection_id = done.connection_id
    and lane.lane_hash = done.lane_hash
"""
WORDS_MAX = 1000


async def settle(results: Sequence[LaneResult], database: Database) -> frozenset[Lease]:
    """Write results and release their lanes; gives the leases that were still ours.

    A lane whose token has moved on belongs to another worker: nothing of it is written; the
    target's key (or the look-up) makes the other worker's repeat harmless. Rows are locked in key
    order, so that two settlers cannot block each other. Calling it twice with the same results is
    harmless: only deliveries that moved are counted, and a released lane is ours no more.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(
            _LOCK, *_lane_columns(results), [result.token for result in results]
        )
        # By token too: an old result of a lane that we hold again must not pass with the new one.
        ours = frozenset(
            ((row["tenant_id"], row["connection_id"], row["lane_hash"]), row["lease_token"])
            for row in rows
        )
        valid = sorted((each for each in results if each.lease in ours), key=lambda each: each.key)
        if valid:
            moved = await _move(session, valid)
            written = [_only_moved(result, moved) for result in valid]
            await _write_attempts(session, written)
            await _write_holds(session, written)
            await _write_usage(session, written)
            await _close_messages(session, written)
            await _release(session, written)
    return ours


def _only_moved(result: LaneResult, moved: frozenset[UUID]) -> LaneResult:
    """Leave out what had moved before: cancelled by a person, or written by an earlier call."""
    if all(tried.delivery.id in moved for tried in result.tried):
        return result
    return replace(result, tried=tuple(t for t in result.tried if t.delivery.id in moved))


def _lane_columns(results: Sequence[LaneResult]) -> tuple[list[object], list[object], list[object]]:
    return (
        [result.key[0] for result in results],
        [result.key[1] for result in results],
        [result.key[2] for result in results],
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> tuple[list[object], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


async def _move(session: Session, results: Sequence[LaneResult]) -> frozenset[UUID]:
    """Move deliveries to their next states; gives those that were still in a worker's hands."""
    rows: list[tuple[object, ...]] = []
    for result in results:
        for tried in result.tried:
            decision = tried.decision
            rows.append(
                (
                    tried.delivery.tenant_id,
                    tried.delivery.id,
                    decision.state,
                    decision.wait_s,
                    0 if decision.burns else 1,
                    decision.code,
                    decision.words[:WORDS_MAX],
                    decision.reference,
                    decision.state in FINAL,
                    0,
                )
            )
        rows.extend(
            (*_put_back(left), 0.0, 1, "", "", "", False, left.crashes) for left in result.untouched
        )
    moved = await session.fetch(_MOVE, *_columns(rows)) if rows else []
    return frozenset(row["id"] for row in moved)


def _put_back(left: Claimed) -> tuple[object, ...]:
    """Name what goes back and as what: an open question stays open, or it could be done twice."""
    return (left.tenant_id, left.id, "checking" if left.must_check else "ready")


async def _write_attempts(session: Session, results: Sequence[LaneResult]) -> None:
    rows = [
        (
            tried.delivery.tenant_id,
            new_id(),
            tried.delivery.id,
            tried.delivery.attempt,
            tried.started_at,
            tried.took_ms,
            tried.outcome,
            tried.status,
            tried.decision.code,
            tried.decision.words[:WORDS_MAX],
            result.worker,
            result.token,
        )
        for result in results
        for tried in result.tried
    ]
    if rows:
        await session.execute(_ATTEMPTS, *_columns(rows))


async def _write_holds(session: Session, results: Sequence[LaneResult]) -> None:
    rows = [
        (
            tried.delivery.tenant_id,
            new_id(),
            tried.delivery.message_id,
            tried.delivery.id,
            tried.delivery.connection_id,
            tried.delivery.flow_id,
            tried.decision.code,
            tried.decision.pointer,
            tried.decision.words[:WORDS_MAX],
            tried.priced.label,
            tried.priced.amount,
            tried.priced.currency,
        )
        for result in results
        for tried in result.tried
        if tried.decision.state == "held"
    ]
    if rows:
        await session.execute(_HOLDS, *_columns(rows))


async def _write_usage(session: Session, results: Sequence[LaneResult]) -> None:
    rows = sorted(
        (
            tried.delivery.tenant_id,
            tried.priced.usage_kind,
            tried.priced.business_key,
            tried.delivery.id,
        )
        for result in results
        for tried in result.tried
        if tried.decision.state == "delivered" and tried.priced.usage_kind
    )
    if rows:
        await session.execute(_USAGE, *_columns(rows))


async def _close_messages(session: Session, results: Sequence[LaneResult]) -> None:
    done: Counter[tuple[UUID, UUID]] = Counter(
        (tried.delivery.tenant_id, tried.delivery.message_id)
        for result in results
        for tried in result.tried
        if tried.decision.state in FINAL
    )
    if done:
        rows = [(tenant, message, count) for (tenant, message), count in sorted(done.items())]
        ids = [message for _, message in done]
        await session.execute(_MESSAGES, *_columns(rows), min(ids), max(ids))


async def _release(session: Session, results: Sequence[LaneResult]) -> None:
    rows = []
    for result in results:
        finals = sum(tried.decision.state in FINAL for tried in result.tried)
        held = [t.delivery.id for t in result.tried if t.decision.state == "held"]
        last = result.tried[-1].decision if result.tried else None
        wait_s = result.rest_s
        if last is not None and last.state not in FINAL:
            wait_s = last.wait_s
        rows.append((*result.key, finals, held[0] if held else None, wait_s, result.goes_on))
    await session.execute(_RELEASE, *_columns(rows))
