"""Run a replay chunk by chunk: every record is judged anew, moved and audited in one transaction.

An item leaves `waiting` in the transaction that moves its record, so a worker that dies anywhere has
done a chunk wholly or not at all, and no record is begun twice. Two workers never run one replay at
the same time: its row is locked, and skipped when locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from app.exceptions.replay import statements
from app.exceptions.replay.bring import Chunk, bring
from app.exceptions.replay.facts import read_facts
from app.exceptions.replay.items import change_items
from app.exceptions.replay.plan import Step, step_of
from app.exceptions.replay.promise import RUNS, Mapping
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, begin
from tenants.audit import Line, record_many

AT_A_TIME = 500
# No more than this many of a replay are under way at once: live traffic shares the same targets.
MOST_OUTSTANDING = 2_000

_MINE = """
select mapping, reason, started, finished, previewed_at, coalesce(nullif(approved_by, ''), started_by)
    as actor from replay
where tenant_id = $1 and id = $2 and state = 'running' for update skip locked
"""
_NEXT = """
select number, hold_id, message_id, delivery_id, promised, promised_words from replay_item
where tenant_id = $1 and replay_id = $2 and state = 'waiting' and promised = any($3)
order by number limit $4
"""
_COUNT = """
update replay set started = started + $3, finished = finished + $4 where tenant_id = $1 and id = $2
"""
_GONE = "It was decided about in the meantime, so nothing was done."
_SAID = {
    "release": "released",
    "hurry": "tried at once",
    "repeat": "sent again",
    "overtake": "superseded",
    "give_way": "superseded",
    "leave": "left as it is",
}


@dataclass(frozen=True, slots=True)
class _Mark:
    """What an item becomes: its state, the delivery to watch, and its end where that is known."""

    number: int
    state: str
    delivery_id: UUID | None = None
    happened: str = ""
    words: str = ""


async def run_chunk(tenant_id: UUID, replay_id: UUID, database: Database) -> int:
    """Begin up to 500 more records of a running replay; gives how many left `waiting`.

    In the name of whoever approved it, or else started it.
    """
    async with begin(TenantScope(tenant_id, "engine"), database) as session:
        actor = await session.fetch_one(_MINE, tenant_id, replay_id)
    if actor is None:
        return 0
    async with begin(TenantScope(tenant_id, actor["actor"]), database) as session:
        replay = await session.fetch_one(_MINE, tenant_id, replay_id)
        if replay is None:
            return 0
        room = min(AT_A_TIME, MOST_OUTSTANDING - (replay["started"] - replay["finished"]))
        rows = await session.fetch(_NEXT, tenant_id, replay_id, list(RUNS), max(0, room))
        if not rows:
            return 0
        chunk = Chunk(session, tenant_id, replay_id, actor["actor"], replay["reason"])
        await _begin(chunk, replay, rows)
    return len(rows)


async def _begin(chunk: Chunk, replay: Row, rows: Sequence[Row]) -> None:
    session = chunk.session
    ids = [row["delivery_id"] for row in rows if row["delivery_id"] is not None]
    steps = []
    if ids:
        await session.fetch(statements.LOCK_LANES, chunk.tenant_id, ids)
        await session.fetch(statements.LOCK_DELIVERIES, chunk.tenant_id, ids)
        # A statement of its own after the locks: it sees what others have just written.
        numbers = [row["number"] for row in rows if row["delivery_id"] is not None]
        facts = await read_facts(session, chunk.tenant_id, chunk.replay_id, numbers)
        mapping = cast("Mapping", replay["mapping"])
        steps = [step_of(each, mapping, replay["previewed_at"]) for each in facts]
        await bring(chunk, steps)
    read = await _read_anew(chunk, [row for row in rows if row["delivery_id"] is None])
    marks = _marks(rows, steps, read)
    await _mark(chunk, marks)
    await record_many(session, _lines(chunk, rows, steps, read))


async def _read_anew(chunk: Chunk, rows: Sequence[Row]) -> frozenset[UUID]:
    """Release held messages; gives those that were still held.

    Also what is stale: it is read, and whoever prepares it writes down that it comes too late.
    """
    found = await chunk.session.fetch(
        statements.LOCK_MESSAGES, chunk.tenant_id, [row["message_id"] for row in rows]
    )
    held = [row["id"] for row in found]
    if held:
        await chunk.session.execute(
            statements.CLOSE_HOLDS_OF_MESSAGES, chunk.tenant_id, held, chunk.reason, chunk.actor
        )
        await chunk.session.execute(statements.READ_ANEW, chunk.tenant_id, held)
    return frozenset(held)


def _marks(rows: Sequence[Row], steps: Sequence[Step], read: frozenset[UUID]) -> list[_Mark]:
    by_number = {step.facts.number: step for step in steps}
    marks = []
    for row in rows:
        step = by_number.get(row["number"])
        if step is not None:
            marks.append(_mark_of(step))
        elif row["message_id"] in read:
            marks.append(_Mark(row["number"], "started"))
        else:
            marks.append(_Mark(row["number"], "done", None, "left_out", _GONE))
    return marks


def _mark_of(step: Step) -> _Mark:
    state = "done" if step.happened else "started"
    watched = None if step.act == "leave" else step.delivery_id
    return _Mark(step.facts.number, state, watched, step.happened, step.words)


async def _mark(chunk: Chunk, marks: Sequence[_Mark]) -> None:
    columns: list[list[Any]] = [
        [mark.number for mark in marks],
        [mark.state for mark in marks],
        [mark.delivery_id for mark in marks],
        [mark.happened for mark in marks],
        [mark.words for mark in marks],
    ]
    await change_items(
        chunk.session, statements.MARK_ITEMS, chunk.tenant_id, chunk.replay_id, columns
    )
    done = sum(mark.state == "done" for mark in marks)
    await chunk.session.execute(_COUNT, chunk.tenant_id, chunk.replay_id, len(marks), done)


def _lines(
    chunk: Chunk, rows: Sequence[Row], steps: Sequence[Step], read: frozenset[UUID]
) -> list[Line]:
    """Write one line for every record of the chunk, in their order."""
    by_number = {step.facts.number: step for step in steps}
    lines = []
    for row in rows:
        step = by_number.get(row["number"])
        done = "read anew" if row["message_id"] in read else _SAID[step.act if step else "leave"]
        subject = ("delivery", row["delivery_id"]) if row["delivery_id"] else None
        kind, of = subject or ("message", row["message_id"])
        detail = {
            "replay": str(chunk.replay_id),
            "promised": row["promised"],
            "done": done,
            "reason": chunk.reason,
        }
        if step is not None and step.act in ("repeat", "overtake"):
            detail["delivery"] = str(step.delivery_id)
        lines.append(Line("replays.replay_record", f"{kind}:{of}", detail))
    return lines
