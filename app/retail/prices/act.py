"""Do what is due: tell places, look what became of it, begin and end by the clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.connections.tenant import acting_tenant
from app.retail.prices.book import Stored, stored
from app.retail.prices.states import State, may_become
from app.retail.prices.targets import Target, read_targets
from app.retail.prices.words import Activation, event_of
from app.retail.voice import say_each
from infra.database.unit import Row, Session
from infra.ids import Id
from infra.keys.vault import TenantKey

AT_ONCE = 500
# How long after it was told the answer is looked for; then ever more seldom.
FOLLOW_AFTER = timedelta(seconds=0.5)
FOLLOW_AT_MOST = timedelta(minutes=1)
# Whoever released it wants to see it begin.
STUCK_LOOK = timedelta(seconds=15)
NO_FLOW = "price.no_flow"
MISSED = "price.missed"
_MISSED_WORDS = "It did not get there in its time; what came after it counts."
_STUCK_WORDS = "It waits among the exceptions. Correct and release it there."
_NO_FLOW_WORDS = (
    "No flow takes this to {connection}. Install prices_to_stores, prices_to_web_shop or"
    " recalls_to_all."
)
_DUE = """
select a.id, a.target_id, a.subject, a.item, a.series, a.begins_at, a.ends_at, a.version_id,
    a.is_end, a.amount, a.state, a.revision, a.message_id, a.sent_at, a.verified_at
from price_activation a where a.tenant_id = $1 and a.due_at <= $2
order by a.due_at, a.id limit $3 for update skip locked
"""
_VERSIONS = """
select id, connection_id, object_id, version, content_hash, item, body, told_at, state, words,
    approved_by, withdrawn_at, message_id
from price_version where tenant_id = $1 and id = any ($2)
"""
_MOVE = """
update price_activation a set state = moved.state, due_at = coalesce(moved.due_at, 'infinity'),
    code = moved.code, words = moved.words, accepted_at = coalesce(moved.accepted_at, a.accepted_at)
from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[])
as moved (id, state, due_at, code, words, accepted_at)
where a.tenant_id = $1 and a.id = moved.id
"""
_TOLD = """
update price_activation a set state = 'sent', due_at = $4, sent_at = $3, message_id = told.message,
    code = '', words = ''
from unnest($2::uuid[], $5::uuid[]) as told (id, message)
where a.tenant_id = $1 and a.id = told.id
"""
# It is meant for one connection; where two flows go there, one that brought it is enough.
_FATES = """
select m.id, m.state, d.state as delivery, d.code, d.words, d.settled_at
from message m left join delivery d on d.tenant_id = m.tenant_id and d.message_id = m.id
where m.tenant_id = $1 and m.id = any ($2)
order by (d.state = 'delivered') nulls first
"""


class IllegalMove(Exception):
    """An activation would go where no transition leads; a fault of ours."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where an activation goes, and when to look at it again; None: never."""

    id: Id
    state: State
    due_at: datetime | None
    code: str = ""
    words: str = ""
    accepted_at: datetime | None = None


async def act_on_due(session: Session, key: TenantKey, now: datetime) -> tuple[int, int]:
    """Do all that is due at one retailer; gives how many were looked at, and how many were told.

    Two at once take different ones; killed, nothing was said.
    """
    rows = await session.fetch(_DUE, acting_tenant(session), now, AT_ONCE)
    if not rows:
        return 0, 0
    targets = {each.id: each for each in await read_targets(session, with_inactive=True)}
    by_state: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_state[row["state"]].append(row)
    timely = [row for row in by_state["planned"] if not _is_over(row, now)]
    told = await _tell(session, key, timely, targets, now)
    moves = await _follow(session, [*by_state["sent"], *by_state["failed"]], targets, now)
    moves += [_by_clock(row, now) for row in rows if row["state"] in _BY_CLOCK]
    moves += [_missed(row) for row in by_state["planned"] if _is_over(row, now)]
    before: dict[Id, State] = {row["id"]: row["state"] for row in rows}
    await _move(session, [_legal(before[each.id], each) for each in moves])
    return len(rows), told


async def _tell(
    session: Session, key: TenantKey, rows: Sequence[Row], targets: dict[Id, Target], now: datetime
) -> int:
    if not rows:
        return 0
    found = await session.fetch(
        _VERSIONS, acting_tenant(session), sorted({row["version_id"] for row in rows})
    )
    versions = {row["id"]: stored(row) for row in found}
    events = [event_of(_activation(row, targets, versions)) for row in rows]
    accepted = await say_each(session, key, events)
    await session.execute(
        _TOLD,
        acting_tenant(session),
        [row["id"] for row in rows],
        now,
        now + FOLLOW_AFTER,
        [each.message_id for each in accepted],
    )
    return len(rows)


def _activation(row: Row, targets: dict[Id, Target], versions: dict[Id, Stored]) -> Activation:
    return Activation(
        id=row["id"],
        target=targets[row["target_id"]],
        subject=row["subject"],
        item=row["item"],
        series=row["series"],
        begins_at=row["begins_at"],
        version=versions[row["version_id"]],
        is_end=row["is_end"],
        amount=row["amount"],
        revision=row["revision"],
    )


async def _follow(
    session: Session, rows: Sequence[Row], targets: dict[Id, Target], now: datetime
) -> list[Move]:
    if not rows:
        return []
    messages = [row["message_id"] for row in rows if row["message_id"] is not None]
    fates = {
        each["id"]: each for each in await session.fetch(_FATES, acting_tenant(session), messages)
    }
    return [_fate(row, fates.get(row["message_id"]), targets, now) for row in rows]


def _fate(row: Row, fate: Row | None, targets: dict[Id, Target], now: datetime) -> Move:
    """Say what became of what a place was told."""
    if fate is None:
        return Move(row["id"], row["state"], None)
    if fate["delivery"] == "delivered":
        begins_at, settled_at = row["begins_at"], fate["settled_at"] or now
        state: State = "active" if begins_at <= now else "accepted"
        due_at = row["ends_at"] if state == "active" else begins_at
        return Move(row["id"], state, due_at, accepted_at=settled_at)
    if _is_over(row, now):
        return _missed(row)
    if fate["delivery"] is None and fate["state"] == "settled":
        connection = targets[row["target_id"]].connection
        words = _NO_FLOW_WORDS.format(connection=connection)
        return Move(row["id"], "failed", None, NO_FLOW, words)
    if fate["delivery"] in _STUCK or fate["state"] == "held":
        words = fate["words"] or _STUCK_WORDS
        return Move(row["id"], "failed", now + STUCK_LOOK, fate["code"] or "", words)
    waited = now - (row["sent_at"] or now)
    return Move(row["id"], "sent", now + min(FOLLOW_AT_MOST, max(FOLLOW_AFTER, waited / 4)))


def _is_over(row: Row, now: datetime) -> bool:
    return row["ends_at"] is not None and row["ends_at"] <= now


def _missed(row: Row) -> Move:
    return Move(row["id"], "expired", None, MISSED, _MISSED_WORDS)


def _by_clock(row: Row, now: datetime) -> Move:
    """Begin what was accepted, end what is over."""
    if _is_over(row, now):
        return Move(row["id"], "expired", None)
    state: State = "verified" if row["verified_at"] is not None else "active"
    return Move(row["id"], state, row["ends_at"])


def _legal(before: State, move: Move) -> Move:
    if move.state != before and not may_become(before, move.state):
        raise IllegalMove(f"{before} to {move.state}")
    return move


async def _move(session: Session, moves: Sequence[Move]) -> None:
    if not moves:
        return
    rows = [
        (each.id, each.state, each.due_at, each.code, each.words, each.accepted_at)
        for each in moves
    ]
    columns = (list(column) for column in zip(*rows, strict=True))
    await session.execute(_MOVE, acting_tenant(session), *columns)


_BY_CLOCK = frozenset({"accepted", "active", "verified"})
# What waits for a person, or never gets there.
_STUCK = frozenset({"held", "superseded", "discarded", "cancelled"})
