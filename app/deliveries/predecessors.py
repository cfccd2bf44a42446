"""What waits for another record: it lets its lane go on, and that record is asked for at its source.

A refund that came before its order must neither fail nor stand in the order's way: both have one key,
so the order arrives behind it in the same lane. What a target said "not yet" to steps behind what was
not tried since; among themselves such deliveries keep the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.deliveries.claim import LaneKey
from infra.database.unit import Session

NOT_YET = "target.not_yet"
PREDECESSOR_MISSING = "target.predecessor_missing"
REFERENCE_MAX = 200
# A record that was found or missing before is asked for again after this, not with every look.
ASK_AGAIN_AFTER_S = 3600.0

# Runs under the lock of the lane, as a statement of its own: a fresh snapshot, so that what a
# concurrent prepare has just put behind it is seen. A value of which the latest wins never steps back.
_STEP_BACK = """
with mine as (
    select distinct tenant_id, connection_id, lane_hash
    from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as mine (tenant_id, connection_id, lane_hash)
), told_not_yet as (
    select d.tenant_id, d.id, d.connection_id, d.lane_hash, row_number() over (
        partition by d.tenant_id, d.connection_id, d.lane_hash order by d.id) - 1 as place
    from mine join delivery d using (tenant_id, connection_id, lane_hash)
    join flow on flow.tenant_id = d.tenant_id and flow.id = d.flow_id
    where d.is_open and (d.code = $5 or d.id = any($4::uuid[])) and flow.ordering = 'strict'
        and exists (select 1 from delivery other where other.tenant_id = mine.tenant_id
            and other.connection_id = mine.connection_id and other.lane_hash = mine.lane_hash
            and other.is_open and other.code <> $5 and other.id <> all($4::uuid[]))
), moved as (
    update delivery set seq = lane.next_seq + told_not_yet.place
    from told_not_yet join lane using (tenant_id, connection_id, lane_hash)
    where delivery.tenant_id = told_not_yet.tenant_id and delivery.id = told_not_yet.id
    returning delivery.tenant_id, delivery.connection_id, delivery.lane_hash
)
update lane set next_seq = lane.next_seq + gone.count
from (select tenant_id, connection_id, lane_hash, count(*) as count from moved group by 1, 2, 3) gone
where lane.tenant_id = gone.tenant_id and lane.connection_id = gone.connection_id
    and lane.lane_hash = gone.lane_hash
returning lane.tenant_id, lane.connection_id, lane.lane_hash
"""
_WANT = """
insert into wanted_record (tenant_id, connection_id, reference)
select distinct delivery.tenant_id, delivery.source_connection_id, wanted.reference
from unnest($1::uuid[], $2::uuid[], $3::text[]) as wanted (tenant_id, delivery_id, reference)
join delivery on delivery.tenant_id = wanted.tenant_id and delivery.id = wanted.delivery_id
order by 1, 2, 3
on conflict (tenant_id, connection_id, reference) do update
    set state = 'wanted', tries = 0, due_at = now(), asked_at = now(), words = ''
    where wanted_record.state <> 'wanted'
        and wanted_record.asked_at < now() - make_interval(secs => $4)
"""


@dataclass(frozen=True, slots=True)
class Parked:
    """A delivery that waits for another record; `missing` is that record's id at its source."""

    lane: LaneKey
    delivery_id: UUID
    missing: str


async def let_others_go_first(session: Session, parked: Sequence[Parked]) -> frozenset[LaneKey]:
    """Let what was not tried yet overtake what must wait; gives the lanes that can go on at once.

    Needs the locks of the lanes, before the deliveries are moved on.
    """
    if not parked:
        return frozenset()
    lanes = sorted({one.lane for one in parked})
    rows = await session.fetch(
        _STEP_BACK,
        [lane[0] for lane in lanes],
        [lane[1] for lane in lanes],
        [lane[2] for lane in lanes],
        [one.delivery_id for one in parked],
        NOT_YET,
    )
    return frozenset((row["tenant_id"], row["connection_id"], row["lane_hash"]) for row in rows)


async def want(session: Session, parked: Sequence[Parked]) -> None:
    """Note which records to ask their sources for; one that is asked for already stays so."""
    named = [one for one in parked if one.missing]
    if named:
        await session.execute(
            _WANT,
            [one.lane[0] for one in named],
            [one.delivery_id for one in named],
            [one.missing[:REFERENCE_MAX].replace("\x00", "") for one in named],
            ASK_AGAIN_AFTER_S,
        )
