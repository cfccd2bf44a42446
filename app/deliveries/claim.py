"""T3: lease due lanes fairly and count the attempt before the call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, Session, begin

SOURCES_PER_CLAIM = 64
LANE_DEPTH = 16  # deliveries of one lane taken under one lease
# One for having been near, four for being sent alone when the worker died. With three, two hundred
# kills in four minutes set three innocent deliveries of 50,000 aside.
CRASHES_BEFORE_HOLD = 5
# Lanes taken per connection and class in one round: orders before stock before master data before bulk.
CLASS_WEIGHTS = (8, 4, 2, 1)

LaneKey = tuple[UUID, UUID, bytes]
Cursor = tuple[UUID, UUID]
START: Cursor = (UUID(int=0), UUID(int=0))


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


@dataclass(frozen=True, slots=True)
class ClaimedLane:
    """A leased lane with its next deliveries in order; the token fences out every other worker."""

    key: LaneKey
    token: int
    deliveries: tuple[Claimed, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What one round took, and where the next round goes on (round robin over connections)."""

    lanes: tuple[ClaimedLane, ...]
    cursor: Cursor


_SOURCES = """
with recursive source as (
    (select tenant_id, connection_id from lane
     where ready_at is not null and (tenant_id, connection_id) > ($1, $2)
     order by tenant_id, connection_id limit 1)
    union all
    select next.tenant_id, next.connection_id from source cross join lateral (
        select tenant_id, connection_id from lane
        where ready_at is not null
            and (tenant_id, connection_id) > (source.tenant_id, source.connection_id)
        order by tenant_id, connection_id limit 1) next
)
select source.tenant_id, source.connection_id,
    health.closed_until > now() or target.state = 'paused' as is_closed
from (select * from source limit $3) source
left join connection_health health using (tenant_id, connection_id)
left join connection target
    on target.tenant_id = source.tenant_id and target.id = source.connection_id
"""

# A leased lane is due again when its lease ends: `ready_at` is the end of the lease, so that a dead
# worker's lanes need no sweeper. Only columns of the lane row decide (no sub-select over deliveries:
# under READ COMMITTED it would look through an older snapshot and lose wake-ups).
_LEASE = """
update lane set lease_token = lane.lease_token + 1, holder = $3,
    ready_at = now() + make_interval(secs => $4)
from (
    select due.* from unnest($1::uuid[], $2::uuid[]) as source (tenant_id, connection_id)
    cross join unnest($5::smallint[], $6::int[]) as share (class, lanes)
    cross join lateral (
        select tenant_id, connection_id, lane_hash from lane
        where tenant_id = source.tenant_id and connection_id = source.connection_id
            and class = share.class and ready_at <= now()
        order by ready_at limit share.lanes for update skip locked) due
    limit $7
) taken
where lane.tenant_id = taken.tenant_id and lane.connection_id = taken.connection_id
    and lane.lane_hash = taken.lane_hash
returning lane.tenant_id, lane.connection_id, lane.lane_hash, lane.lease_token
"""

# Runs as its own statement after the lanes are locked: a fresh snapshot, so that what another worker
# has just settled is seen. Being the head of a lane in a dead worker's hands makes a suspect, once
# (crash_count 1): its lane goes on one by one, and it is sent alone, so that the record that kills
# workers is found without blaming its neighbours.
_TAKE = """
with leased as (
    select * from unnest($1::uuid[], $2::uuid[], $3::bytea[])
        as leased (tenant_id, connection_id, lane_hash)
), head as (
    select d.*, max(d.crash_count) over lane as worst, row_number() over (lane order by d.seq) as place
    from leased cross join lateral (
        select tenant_id, id, connection_id, lane_hash, seq, state, code, crash_count from delivery
        where tenant_id = leased.tenant_id and connection_id = leased.connection_id
            and lane_hash = leased.lane_hash and is_open
        order by seq limit $4) d
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
    delivery.effect_key, delivery.accepted_at
"""


async def claim(
    database: Database, *, worker: str, lease_s: float, lanes: int, cursor: Cursor
) -> Claim:
    """Lease up to `lanes` due lanes, round robin over connections from `cursor` on.

    Two workers never hold the same lane: rows are locked, skipped when locked, and fenced by token.
    """
    async with begin(EngineScope(), database) as session:
        sources = await session.fetch(_SOURCES, *cursor, SOURCES_PER_CLAIM)
        if len(sources) < SOURCES_PER_CLAIM and cursor != START:
            seen = {(row["tenant_id"], row["connection_id"]) for row in sources}
            again = await session.fetch(_SOURCES, *START, SOURCES_PER_CLAIM - len(sources))
            sources += [r for r in again if (r["tenant_id"], r["connection_id"]) not in seen]
        open_sources = [row for row in sources if not row["is_closed"]]
        next_cursor = _next(sources)
        if not open_sources:
            return Claim((), next_cursor)
        leased = await _lease(session, open_sources, worker, lease_s, lanes)
        taken = await _take(session, leased) if leased else []
    return Claim(_by_lane(leased, taken), next_cursor)


def _next(sources: Sequence[Row]) -> Cursor:
    if len(sources) < SOURCES_PER_CLAIM:
        return START if not sources else (sources[0]["tenant_id"], sources[0]["connection_id"])
    return (sources[-1]["tenant_id"], sources[-1]["connection_id"])


async def _lease(
    session: Session, sources: Sequence[Row], worker: str, lease_s: float, lanes: int
) -> list[Row]:
    share = max(1, lanes // len(sources))
    return await session.fetch(
        _LEASE,
        [row["tenant_id"] for row in sources],
        [row["connection_id"] for row in sources],
        worker,
        lease_s,
        list(range(len(CLASS_WEIGHTS))),
        [max(1, share * weight // CLASS_WEIGHTS[0]) for weight in CLASS_WEIGHTS],
        lanes,
    )


async def _take(session: Session, leased: Sequence[Row]) -> list[Row]:
    return await session.fetch(
        _TAKE,
        [row["tenant_id"] for row in leased],
        [row["connection_id"] for row in leased],
        [row["lane_hash"] for row in leased],
        LANE_DEPTH,
    )


def _by_lane(leased: Sequence[Row], taken: Sequence[Row]) -> tuple[ClaimedLane, ...]:
    rows: dict[LaneKey, list[Row]] = {
        (row["tenant_id"], row["connection_id"], row["lane_hash"]): [] for row in leased
    }
    for row in sorted(taken, key=lambda row: row["seq"]):
        rows[row["tenant_id"], row["connection_id"], row["lane_hash"]].append(row)
    tokens = {
        (row["tenant_id"], row["connection_id"], row["lane_hash"]): row["lease_token"]
        for row in leased
    }
    return tuple(
        ClaimedLane(key, tokens[key], tuple(_claimed(row) for row in of_lane))
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
    )
