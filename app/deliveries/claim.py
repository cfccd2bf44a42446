"""T3: lease due lanes fairly and count the attempt before the call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.deliveries.fair import ClassTurns, Plan, Source, plan
from app.deliveries.holdings import Holdings
from app.deliveries.look import START, Cursor, look
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, Session, begin

LEAST_DEPTH = 8  # due lanes counted in a source, where there are many sources
# Deliveries of one lane taken under one lease: about what goes out in this time, within these bounds.
LANE_WORK_S = 0.5
LANE_DEPTH = 16  # where it is not known how long a call takes
DEPTH_LEAST, DEPTH_MOST = 2, 64
# No more of all lanes together, but that each gets its usual depth: what is taken must be loaded first.
DELIVERIES_PER_CLAIM = 1_024
# One for having been near, three for being sent alone when the worker died. A suspect that came back
# is acquitted before the next one is sent; without that, two hundred kills set three innocents aside.
CRASHES_BEFORE_HOLD = 4

LaneKey = tuple[UUID, UUID, bytes]


@dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery in our hands; `attempt` includes this one.

    `crashes` counts the times before this one that it was in the hands of a worker that died: one for
    having been near, then one for each time that it was being sent (`suspect.py`).
    `must_check` says that an earlier attempt may have had its effect: ask before sending again,
    where the target has no keys.
    """

    tenant_id: UUID
    id: UUID
    event_id: UUID
    message_id: UUID
    flow_id: UUID
    connection_id: UUID
    attempt: int
    crashes: int
    must_check: bool
    effect_key: str
    accepted_at: datetime
    # The version of its flow to send with; None is the present one.
    pinned_version: int | None = None
    # The version of its flow when it was taken: what is in memory must be no older.
    flow_version: int = 0


@dataclass(frozen=True, slots=True)
class ClaimedLane:
    """A leased lane with its next deliveries in order; the token fences out every other worker."""

    key: LaneKey
    token: int
    deliveries: tuple[Claimed, ...]
    class_: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What one round took, and where the next round goes on looking.

    `is_whole` says that the look came to its end; `is_pressed` that due lanes found no slot.
    """

    lanes: tuple[ClaimedLane, ...]
    cursor: Cursor
    is_whole: bool = True
    is_pressed: bool = False


class Fairness:
    """What one worker remembers between claims: who holds what, and whose turn it is."""

    def __init__(self, slots: int) -> None:
        self.holdings = Holdings(slots)
        self.turns = ClassTurns()
        # Weights by plan of the retailers that have one; all others have 1.
        self.weights: Mapping[UUID, float] = {}
        self._sources = 1

    def note(self, sources: Sequence[Source]) -> None:
        """Remember who has work."""
        self._sources = max(1, len(sources))
        for source in sources:
            tenant_id = source.connection[0]
            self.holdings.seen(tenant_id, self.weights.get(tenant_id, 1.0))

    def depth(self, lanes: int) -> int:
        """Say how many due lanes to count in each source: more than enough, as there were lately."""
        return min(lanes, max(LEAST_DEPTH, 4 * lanes // self._sources))


# A leased lane is due again when its lease ends: `ready_at` is the end of the lease, so that a dead
# worker's lanes need no sweeper. Only columns of the lane row decide (no sub-select over deliveries:
# under READ COMMITTED it would look through an older snapshot and lose wake-ups).
_LEASE = """
update lane set lease_token = lane.lease_token + 1, holder = $3,
    ready_at = now() + make_interval(secs => $4)
from (
    select due.* from unnest($1::uuid[], $2::uuid[], $5::smallint[], $6::int[])
        as source (tenant_id, connection_id, class, lanes)
    cross join lateral (
        select tenant_id, connection_id, lane_hash from lane
        where class = source.class and tenant_id = source.tenant_id
            and connection_id = source.connection_id
            and ready_at <= now() and ready_at < 'infinity'
        order by ready_at limit source.lanes for update skip locked) due
) taken
where lane.tenant_id = taken.tenant_id and lane.connection_id = taken.connection_id
    and lane.lane_hash = taken.lane_hash
returning lane.tenant_id, lane.connection_id, lane.lane_hash, lane.lease_token, lane.class
"""

# Runs as its own statement after the lanes are locked: a fresh snapshot, so that what another worker
# has just settled is seen. Being the head of a lane in a dead worker's hands makes a suspect, once
# (crash_count 1): its lane goes on one by one, and it is sent alone, so that the record that kills
# workers is found without blaming its neighbours.
_TAKE = """
with leased as (
    select * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::int[])
        as leased (tenant_id, connection_id, lane_hash, depth)
), head as (
    select d.*, max(d.crash_count) over lane as worst, row_number() over (lane order by d.seq) as place
    from leased cross join lateral (
        select tenant_id, id, connection_id, lane_hash, seq, state, code, crash_count from delivery
        where tenant_id = leased.tenant_id and connection_id = leased.connection_id
            and lane_hash = leased.lane_hash and is_open
        order by seq limit leased.depth) d
    window lane as (partition by d.tenant_id, d.connection_id, d.lane_hash)
)
update delivery set state = 'delivering',
    -- What a dead worker held is tried under the same number: a crash is no refusal of the target.
    attempt_count = delivery.attempt_count + case when head.state = 'delivering' then 0 else 1 end,
    crash_count = case when head.place = 1 then greatest(delivery.crash_count, 1)
        else delivery.crash_count end, not_before = null
from head
where delivery.tenant_id = head.tenant_id and delivery.id = head.id
    and (head.place = 1 or head.worst = 0) and head.state <> 'held'
returning delivery.tenant_id, delivery.id, delivery.connection_id, delivery.lane_hash, delivery.seq,
    delivery.event_id, delivery.message_id, delivery.flow_id, delivery.attempt_count,
    head.crash_count as crashes,
    head.state in ('delivering', 'checking') or head.code = 'outcome.unknown' as must_check,
    delivery.effect_key, delivery.accepted_at, delivery.pinned_version,
    (select flow.version from flow
        where flow.tenant_id = delivery.tenant_id and flow.id = delivery.flow_id) as flow_version
"""


async def claim(
    database: Database,
    *,
    worker: str,
    lease_s: float,
    lanes: int,
    cursor: Cursor = START,
    fairness: Fairness | None = None,
) -> Claim:
    """Lease up to `lanes` due lanes as the fair plan says, looking on from `cursor`.

    Two workers never hold the same lane: rows are locked, skipped when locked, and fenced by token.
    Whoever gets lanes takes a slot for each (`fairness.holdings`).
    """
    fair = fairness or Fairness(lanes)
    async with begin(EngineScope(), database) as session:
        view = await look(session, cursor, fair.depth(lanes))
        fair.note(view.sources)
        planned = plan(view.sources, fair.holdings, fair.turns, lanes)
        leased = await _lease(session, planned, worker, lease_s) if planned.grants else []
        taken = await _take(session, leased, fair.holdings) if leased else []
    _give_back_unused(planned, leased, fair.holdings)
    return Claim(_by_lane(leased, taken), view.cursor, view.is_whole, planned.is_pressed)


async def _lease(session: Session, planned: Plan, worker: str, lease_s: float) -> list[Row]:
    return await session.fetch(
        _LEASE,
        [source.connection[0] for source in planned.grants],
        [source.connection[1] for source in planned.grants],
        worker,
        lease_s,
        [source.class_ for source in planned.grants],
        list(planned.grants.values()),
    )


def _give_back_unused(planned: Plan, leased: Sequence[Row], holdings: Holdings) -> None:
    """Give retailers back what they were charged for lanes that another worker was quicker to take."""
    got = Counter((row["tenant_id"], row["connection_id"], row["class"]) for row in leased)
    for source, lanes in planned.grants.items():
        missed = lanes - got[(*source.connection, source.class_)]
        if missed > 0:
            cost_s = missed * holdings.lane_s(source.connection)
            holdings.charge((source.connection[0], source.counts_as), -cost_s)


async def _take(session: Session, leased: Sequence[Row], holdings: Holdings) -> list[Row]:
    return await session.fetch(
        _TAKE,
        [row["tenant_id"] for row in leased],
        [row["connection_id"] for row in leased],
        [row["lane_hash"] for row in leased],
        [_depth(row, len(leased), holdings) for row in leased],
    )


def _depth(row: Row, lanes: int, holdings: Holdings) -> int:
    """Say how many deliveries of a lane to take: few where calls are slow, for the rest is put back."""
    call_s = holdings.call_s((row["tenant_id"], row["connection_id"]))
    if call_s is None:
        return LANE_DEPTH
    most = min(DEPTH_MOST, max(LANE_DEPTH, DELIVERIES_PER_CLAIM // lanes))
    return min(max(int(LANE_WORK_S / max(call_s, 0.001)), DEPTH_LEAST), most)


def _by_lane(leased: Sequence[Row], taken: Sequence[Row]) -> tuple[ClaimedLane, ...]:
    rows: dict[LaneKey, list[Row]] = {
        (row["tenant_id"], row["connection_id"], row["lane_hash"]): [] for row in leased
    }
    for row in sorted(taken, key=lambda row: row["seq"]):
        rows[row["tenant_id"], row["connection_id"], row["lane_hash"]].append(row)
    leases = {
        (row["tenant_id"], row["connection_id"], row["lane_hash"]): (
            row["lease_token"],
            row["class"],
        )
        for row in leased
    }
    return tuple(
        ClaimedLane(key, leases[key][0], tuple(_claimed(row) for row in of_lane), leases[key][1])
        for key, of_lane in rows.items()
    )


def _claimed(row: Row) -> Claimed:
    return Claimed(
        tenant_id=row["tenant_id"],
        id=row["id"],
        event_id=row["event_id"],
        message_id=row["message_id"],
        flow_id=row["flow_id"],
        connection_id=row["connection_id"],
        attempt=row["attempt_count"],
        crashes=row["crashes"],
        must_check=row["must_check"],
        effect_key=row["effect_key"],
        accepted_at=row["accepted_at"],
        pinned_version=row["pinned_version"],
        flow_version=row["flow_version"] or 0,
    )
