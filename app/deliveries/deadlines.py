"""What makes a delivery more urgent than its flow: the money in it, and the clock its channel sets.

Classes: 0 orders and payments, 1 stock and fulfilment, 2 prices, 3 bulk. A raise is never undone
while the lane has open deliveries: what goes out is the lane's head, and that must go first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from connectors.canonical.event import Event
from connectors.sdk.manifest import Manifest
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin

# A flow's setting: {"amount": "500", "currency": "USD"}.
HIGH_VALUE = "high_value"
# Shares of a clock after which its delivery counts one class higher, and as class 0 (domain L19).
SOON_SHARE_0_1 = 0.5
URGENT_SHARE_0_1 = 0.8
LANES_AT_ONCE = 5_000

# Only lanes that may rise; the first to run out first. Taken from the deliveries that are open now, so
# that a lane whose urgent delivery has gone is not raised for it, and forgets its deadline.
_RAISE = """
with running as (
    select tenant_id, connection_id, lane_hash, class from lane
    where deadline_at is not null and open_count > 0 and class > 0 order by deadline_at limit $1
), clock as (
    select running.tenant_id, running.connection_id, running.lane_hash,
        min(d.deadline_at) as deadline_at,
        min(case
            when now() >= d.accepted_at + $3::float8 * (d.deadline_at - d.accepted_at) then 0
            when now() >= d.accepted_at + $2::float8 * (d.deadline_at - d.accepted_at)
                then greatest(d.class - 1, 0)
            end) as class
    from running left join delivery d on d.tenant_id = running.tenant_id
        and d.connection_id = running.connection_id and d.lane_hash = running.lane_hash
        and d.is_open and d.deadline_at is not null
    group by 1, 2, 3
), changed as (
    select lane.tenant_id, lane.connection_id, lane.lane_hash, lane.class as before,
        clock.class as after, clock.deadline_at
    from clock join lane using (tenant_id, connection_id, lane_hash)
    where lane.class > clock.class or lane.deadline_at is distinct from clock.deadline_at
    order by 1, 2, 3 for update of lane
)
update lane set class = least(lane.class, changed.after), deadline_at = changed.deadline_at
from changed
where lane.tenant_id = changed.tenant_id and lane.connection_id = changed.connection_id
    and lane.lane_hash = changed.lane_hash
returning changed.before > changed.after as is_raised
"""


def class_of(class_: int, event: Event, settings: Mapping[str, object]) -> int:
    """Give the class of an event in a flow: one higher when it is worth more than the flow's limit."""
    if class_ == 0 or event.amount is None:
        return class_
    limit = settings.get(HIGH_VALUE)
    if not isinstance(limit, dict) or limit.get("currency") != event.amount.currency:
        return class_
    try:
        is_high = event.amount.amount >= Decimal(str(limit.get("amount")))
    except InvalidOperation:
        return class_  # no number: a setting that says nothing raises nothing
    return class_ - 1 if is_high else class_


def deadline_of(source: Manifest, event: Event, accepted_at: datetime) -> datetime | None:
    """Give the first deadline that the source's vendor sets on an event; None when there is none."""
    if not source.clocks:
        return None
    first = source.first_deadline(event.type, event.occurred_at, accepted_at)
    return None if first is None else first[0]


async def raise_by_clock(database: Database) -> int:
    """Raise the lanes whose clocks have run half, or four fifths; gives how many rose.

    Harmless twice: what was raised is not below its class any more.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_RAISE, LANES_AT_ONCE, SOON_SHARE_0_1, URGENT_SHARE_0_1)
    return sum(bool(row["is_raised"]) for row in rows)
