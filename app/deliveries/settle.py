"""T4: write what the targets answered, for many lanes in one commit, each fenced by its lease token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.deliveries import statements
from app.deliveries.claim import Claimed, LaneKey
from app.deliveries.decide import Decision
from app.deliveries.predecessors import (
    NOT_YET,
    PREDECESSOR_MISSING,
    Parked,
    let_others_go_first,
    want,
)
from app.deliveries.states import FINAL
from connectors import registry
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Session, begin
from infra.ids import new_id

Lease = tuple[LaneKey, int]


@dataclass(frozen=True, slots=True)
class Priced:
    """What a delivery is called, what it is about, holds in money, and counts as when delivered.

    `object_id` is the source's id of the object that the event of `event_type` is about.
    """

    label: str = ""
    amount: Decimal | None = None
    currency: str | None = None
    usage_kind: str = ""
    business_key: str = ""
    event_type: str = ""
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt: when it began (UTC), how long it took, the outcome's name and the decision.

    `flow_version` is the version of the flow that it was sent by; `connector` that of the target.
    """

    delivery: Claimed
    decision: Decision
    outcome: str
    status: int | None
    started_at: datetime
    took_ms: int
    priced: Priced
    flow_version: int | None = None
    connector: str = ""


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


WORDS_MAX = 1000
# A held delivery whose target can be asked is looked up then: people mend things there, too.
RECHECK_S = 20.0


async def settle(results: Sequence[LaneResult], database: Database) -> frozenset[Lease]:
    """Write results and release their lanes; gives the leases that were still ours.

    A lane whose token has moved on belongs to another worker: nothing of it is written; the
    target's key (or the look-up) makes the other worker's repeat harmless. Rows are locked in key
    order, so that two settlers cannot block each other. Calling it twice with the same results is
    harmless: only deliveries that moved are counted, and a released lane is ours no more.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(
            statements.LOCK, *_lane_columns(results), [result.token for result in results]
        )
        # By token too: an old result of a lane that we hold again must not pass with the new one.
        ours = frozenset(
            ((row["tenant_id"], row["connection_id"], row["lane_hash"]), row["lease_token"])
            for row in rows
        )
        valid = sorted((each for each in results if each.lease in ours), key=lambda each: each.key)
        if valid:
            overtaken = await let_others_go_first(session, _parked(valid))
            valid = [_waiting_on(each) if each.key in overtaken else each for each in valid]
            moved = await _move(session, valid)
            written = [_only_moved(result, moved) for result in valid]
            await _write_attempts(session, written)
            await _write_holds(session, written)
            await want(session, _parked(written))
            await _write_usage(session, written)
            await _close_messages(session, written)
            await _release(session, written, overtaken)
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
                    decision.error_class,
                )
            )
        rows.extend(
            (*_put_back(left), 0.0, 1, "", "", "", False, left.crashes, "")
            for left in result.untouched
        )
    moved = await session.fetch(statements.MOVE, *_columns(rows)) if rows else []
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
            tried.decision.error_class,
            tried.flow_version,
        )
        for result in results
        for tried in result.tried
    ]
    if rows:
        await session.execute(statements.ATTEMPTS, *_columns(rows))


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
            tried.decision.error_class,
            tried.priced.event_type,
            tried.priced.object_id,
            RECHECK_S if _can_be_asked(tried.connector) else None,
        )
        for result in results
        for tried in result.tried
        if tried.decision.state == "held"
    ]
    if rows:
        await session.execute(statements.HOLDS, *_columns(rows))


def _can_be_asked(connector: str) -> bool:
    return connector in registry.names() and registry.load(connector).can_look_up


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
        await session.execute(statements.USAGE, *_columns(rows))


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
        await session.execute(statements.MESSAGES, *_columns(rows), min(ids), max(ids))


def _parked(results: Sequence[LaneResult]) -> list[Parked]:
    """Name what must wait for another record, and for which, its clock ended or not."""
    return [
        Parked(result.key, tried.delivery.id, tried.decision.missing)
        for result in results
        for tried in result.tried
        if tried.decision.code in {NOT_YET, PREDECESSOR_MISSING}
    ]


def _waiting_on(result: LaneResult) -> LaneResult:
    """Let a record whose clock ended wait on: what goes first now may be what it waited for."""
    *before, last = result.tried
    if last.decision.state != "held":
        return result
    decision = replace(last.decision, state="waiting", code=NOT_YET, burns=False)
    return replace(result, tried=(*before, replace(last, decision=decision)))


async def _release(
    session: Session, results: Sequence[LaneResult], overtaken: frozenset[LaneKey]
) -> None:
    rows = []
    for result in results:
        finals = sum(tried.decision.state in FINAL for tried in result.tried)
        held = [t.delivery.id for t in result.tried if t.decision.state == "held"]
        last = result.tried[-1].decision if result.tried else None
        wait_s = result.rest_s
        if last is not None and last.state not in FINAL:
            wait_s = 0.0 if result.key in overtaken else last.wait_s
        rows.append((*result.key, finals, held[0] if held else None, wait_s, result.goes_on))
    await session.execute(statements.RELEASE, *_columns(rows))
