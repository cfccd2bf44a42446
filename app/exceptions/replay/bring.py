"""Write what a chunk of deliveries comes to, set by set, within the transaction that locked them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.exceptions.replay import statements
from app.exceptions.replay.plan import Act, Step
from infra.database.unit import Session

_LABEL_MAX = 200
LaneKey = tuple[UUID, bytes]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The transaction of one chunk: whose, of which replay, decided by whom and why."""

    session: Session
    tenant_id: UUID
    replay_id: UUID
    actor: str
    reason: str


async def bring(chunk: Chunk, steps: Sequence[Step]) -> None:
    """Release, hurry, repeat, and write down what is overtaken; what is left is not touched."""
    by_act: dict[Act, list[Step]] = {}
    for step in steps:
        by_act.setdefault(step.act, []).append(step)
    released, given_way = by_act.get("release", []), by_act.get("give_way", [])
    await _place(chunk, [s for s in steps if s.act in ("repeat", "overtake")])
    await _change(chunk, statements.RELEASE, released)
    await _change(chunk, statements.HURRY, by_act.get("hurry", []))
    await _give_way(chunk, given_way)
    await _free(chunk, released, given_way)
    await _close(chunk, released, "released")
    await _close(chunk, given_way, "superseded")
    await _open_routes(chunk, by_act.get("repeat", []), given_way)


async def _change(chunk: Chunk, statement: str, steps: Sequence[Step]) -> None:
    if not steps:
        return
    ids = [step.facts.id for step in steps]
    pinned = [step.facts.pinned_version for step in steps]
    await chunk.session.execute(statement, chunk.tenant_id, chunk.replay_id, ids, pinned)
    if statement is statements.HURRY:
        await chunk.session.execute(statements.WAKE_LANES, chunk.tenant_id, ids)


async def _give_way(chunk: Chunk, steps: Sequence[Step]) -> None:
    if steps:
        ids = [step.facts.id for step in steps]
        await chunk.session.execute(statements.GIVE_WAY, chunk.tenant_id, chunk.replay_id, ids)


async def _free(chunk: Chunk, released: Sequence[Step], gone: Sequence[Step]) -> None:
    if released or gone:
        await chunk.session.execute(
            statements.FREE_LANES,
            chunk.tenant_id,
            [step.facts.id for step in (*released, *gone)],
            [*(0 for _ in released), *(1 for _ in gone)],
        )


async def _close(chunk: Chunk, steps: Sequence[Step], state: str) -> None:
    if steps:
        await chunk.session.execute(
            statements.CLOSE_HOLDS,
            chunk.tenant_id,
            [step.facts.id for step in steps],
            state,
            chunk.reason,
            chunk.actor,
        )


async def _place(chunk: Chunk, steps: Sequence[Step]) -> None:
    """Give each new delivery the next number of its lane, oldest record first."""
    if not steps:
        return
    lanes: dict[LaneKey, list[Step]] = {}
    for step in steps:
        lanes.setdefault((step.facts.connection_id, step.facts.lane_hash), []).append(step)
    keys = sorted(lanes)
    rows = await chunk.session.fetch(
        statements.PLACE,
        chunk.tenant_id,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [lanes[key][0].facts.key[:_LABEL_MAX] for key in keys],
        [len(lanes[key]) for key in keys],
        [sum(step.act == "repeat" for step in lanes[key]) for key in keys],
    )
    numbered = [
        (step, row["next_seq"] - len(of_lane) + offset)
        for row in rows
        for of_lane in (lanes[row["connection_id"], row["lane_hash"]],)
        for offset, step in enumerate(of_lane)
    ]
    await chunk.session.execute(
        statements.REPEAT,
        chunk.tenant_id,
        chunk.replay_id,
        [step.delivery_id for step, _ in numbered],
        [step.facts.id for step, _ in numbered],
        [seq for _, seq in numbered],
        [_first_state(step) for step, _ in numbered],
        [step.words if step.act == "overtake" else "" for step, _ in numbered],
        [step.facts.pinned_version for step, _ in numbered],
    )


def _first_state(step: Step) -> str:
    """Name the state of a new delivery: a target without keys of its own is asked before a repeat."""
    if step.act == "overtake":
        return "superseded"
    return "checking" if step.asks_first else "ready"


async def _open_routes(chunk: Chunk, repeated: Sequence[Step], gone: Sequence[Step]) -> None:
    more = Counter(step.facts.message_id for step in repeated)
    more.subtract(Counter(step.facts.message_id for step in gone))
    rows = sorted((message_id, count) for message_id, count in more.items() if count)
    if rows:
        await chunk.session.execute(
            statements.OPEN_ROUTES,
            chunk.tenant_id,
            [message_id for message_id, _ in rows],
            [count for _, count in rows],
        )
