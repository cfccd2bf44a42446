"""Give each delivery of a batch its lane and its number in it, and say what comes too late."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.deliveries.deadlines import class_of
from app.deliveries.predecessors import NOT_YET
from app.flows.routes import Route
from app.pipeline import statements
from app.pipeline.overtaken import Overtaken, Told, overtaken
from app.pipeline.reading import Read
from app.pipeline.rows import LABEL_MAX, clean, columns
from infra.database.unit import Session
from infra.ids import Id

LANE_HASH_BYTES = 16

LaneKey = tuple[UUID, bytes]


@dataclass(slots=True)
class Placed:
    """One delivery to write, with its place in its lane."""

    read: Read
    route: Route
    lane: LaneKey
    class_: int
    seq: int = 0
    is_superseded: bool = False
    is_behind_others: bool = False
    # Read anew after a person's decision, while something newer went to this target.
    is_overtaken: bool = False

    @property
    def is_gone(self) -> bool:
        """Say whether it is written down and never sent."""
        return self.is_superseded or self.is_overtaken


async def place(session: Session, tenant_id: Id, routed: Sequence[Read]) -> list[Placed]:
    """Give each delivery its lane and its number; earlier values of one batch are superseded."""
    placed = [
        Placed(
            read,
            route,
            (route.target_connection_id, _lane_hash(read, route)),
            class_of(route.class_, read.event, route.settings),
        )
        for read in routed
        for route in read.routes
    ]
    if not placed:
        return []
    lanes: dict[LaneKey, list[Placed]] = defaultdict(list)
    for one in placed:
        lanes[one.lane].append(one)
    rows = await session.fetch(
        statements.LANES,
        tenant_id,
        [lane[0] for lane in lanes],
        [lane[1] for lane in lanes],
        [clean(of_lane[0].read.event.key)[:LABEL_MAX] for of_lane in lanes.values()],
        [min(one.class_ for one in of_lane) for of_lane in lanes.values()],
        [len(of_lane) for of_lane in lanes.values()],
        [_first_deadline(of_lane) for of_lane in lanes.values()],
    )
    for row in rows:
        of_lane = lanes[row["connection_id"], row["lane_hash"]]
        first = row["next_seq"] - len(of_lane)
        for offset, one in enumerate(of_lane):
            one.seq = first + offset
            one.is_behind_others = row["open_count"] > len(of_lane)
            is_last = offset == len(of_lane) - 1
            one.is_superseded = one.route.ordering == "latest_wins" and not is_last
    await _overtake(session, tenant_id, placed)
    return placed


async def wake(session: Session, tenant_id: Id, placed: Sequence[Placed]) -> None:
    """Let lanes go on in which something waits for what was just added."""
    lanes = sorted(
        {one.lane for one in placed if one.is_behind_others and one.route.ordering == "strict"}
    )
    if lanes:
        await session.execute(statements.WAKE, tenant_id, *columns(lanes), NOT_YET)


async def _overtake(session: Session, tenant_id: Id, placed: Sequence[Placed]) -> None:
    """Mark what comes too late; asked after the lanes are locked, so that nothing slips between."""
    anew = [one for one in placed if one.read.message.revision > 0 and not one.is_superseded]
    told = [
        Told(one.read.event, one.read.message.id, one.route.flow_id, one.route.ordering)
        for one in anew
    ]
    late: frozenset[Overtaken] = await overtaken(session, tenant_id, told)
    for one, each in zip(anew, told, strict=True):
        one.is_overtaken = (each.message_id, each.flow_id, each.event.object_id) in late
    counts = sorted(Counter(one.lane for one in anew if one.is_overtaken).items())
    if counts:
        await session.execute(
            statements.OVERTAKE,
            tenant_id,
            [lane[0] for lane, _ in counts],
            [lane[1] for lane, _ in counts],
            [count for _, count in counts],
        )


def _first_deadline(of_lane: Sequence[Placed]) -> datetime | None:
    """Give the deadline of a lane: the first of those that its deliveries have."""
    deadlines = [one.read.deadline_at for one in of_lane if one.read.deadline_at is not None]
    return min(deadlines, default=None)


def _lane_hash(read: Read, route: Route) -> bytes:
    """Name the lane: events of one key to one target wait for each other, others never.

    Values of which the latest wins have a lane for each flow: a value that one flow sends must not
    take the place of the same value that another flow sends elsewhere in the same system.
    """
    parts = {"strict": "", "latest_wins": f"|{route.flow_id}", "none": f"|{read.id}"}
    key = read.event.key + parts[route.ordering]
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:LANE_HASH_BYTES]
