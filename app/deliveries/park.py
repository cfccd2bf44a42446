"""Park the lanes whose next delivery belongs to a paused flow: they cost nothing until it is resumed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.deliveries.claim import ClaimedLane, LaneKey
from app.flows.pause import HOLD_STILL
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Session, begin

_STILL_PAUSED = "select id from flow where id = any($1) and is_paused"
_LOCK = """
select lane.tenant_id, lane.connection_id, lane.lane_hash from lane
join unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[])
    as mine (tenant_id, connection_id, lane_hash, token) using (tenant_id, connection_id, lane_hash)
where lane.lease_token = mine.token and lane.holder is not null
order by 1, 2, 3 for update of lane
"""
# As if never taken: no attempt is burnt, and what must be asked about first still must be.
_PUT_BACK = """
update delivery set state = mine.state, attempt_count = delivery.attempt_count - 1,
    crash_count = mine.crashes
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) as mine (tenant_id, id, state, crashes)
where delivery.tenant_id = mine.tenant_id and delivery.id = mine.id and delivery.state = 'delivering'
"""
_PARK = """
update lane set ready_at = 'infinity', holder = null
from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as mine (tenant_id, connection_id, lane_hash)
where lane.tenant_id = mine.tenant_id and lane.connection_id = mine.connection_id
    and lane.lane_hash = mine.lane_hash
"""


async def park(lanes: Sequence[ClaimedLane], database: Database) -> frozenset[LaneKey]:
    """Park leased lanes whose flow is paused in the book; gives those, the others may be worked on.

    What a worker knows of pauses is some seconds old. So the pause is looked up here, under the lock
    that pausing and resuming take: a lane is either parked before the flow is resumed, and woken by
    that, or not parked at all. A lane taken over by another worker meanwhile is left alone.
    """
    if not lanes:
        return frozenset()
    heads = {lane.key: lane.deliveries[0].flow_id for lane in lanes}
    async with begin(EngineScope(), database) as session:
        paused = await _still_paused(session, sorted(set(heads.values())))
        asked = [lane for lane in lanes if heads[lane.key] in paused]
        ours = await _lock(session, asked)
        await _put_back(session, [lane for lane in asked if lane.key in ours])
    return frozenset(lane.key for lane in asked)


async def _still_paused(session: Session, flows: Sequence[UUID]) -> set[UUID]:
    # In id order, so that two who lock several cannot wait for each other.
    for flow_id in flows:
        await session.execute(HOLD_STILL, str(flow_id))
    return {row["id"] for row in await session.fetch(_STILL_PAUSED, flows)}


async def _lock(session: Session, lanes: Sequence[ClaimedLane]) -> set[LaneKey]:
    rows = await session.fetch(_LOCK, *_columns(lanes), [lane.token for lane in lanes])
    return {(row["tenant_id"], row["connection_id"], row["lane_hash"]) for row in rows}


async def _put_back(session: Session, lanes: Sequence[ClaimedLane]) -> None:
    left = [delivery for lane in lanes for delivery in lane.deliveries]
    await session.execute(
        _PUT_BACK,
        [each.tenant_id for each in left],
        [each.id for each in left],
        ["checking" if each.must_check else "ready" for each in left],
        [each.crashes for each in left],
    )
    await session.execute(_PARK, *_columns(lanes))


def _columns(lanes: Sequence[ClaimedLane]) -> tuple[list[object], list[object], list[object]]:
    return (
        [lane.key[0] for lane in lanes],
        [lane.key[1] for lane in lanes],
        [lane.key[2] for lane in lanes],
    )
