"""Find the records of a selection and number them in the order in which they were accepted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.exceptions.replay.selection import MOST_RECORDS, Kind, Selection
from infra.database.unit import Session
from infra.errors import Unprocessable

# Each gives delivery ids as `picked`; $1 is the retailer, $3 the most rows, others from $4 on.
_RECORDS = """
select id from unnest($4::uuid[]) as named (id)
union select delivery_id from hold where tenant_id = $1 and id = any($5) and delivery_id is not null
"""
_INCIDENT = """
select delivery_id from hold
where tenant_id = $1 and incident_id = $4 and state = 'open' and delivery_id is not null
"""
# Ids are made after the moment of acceptance, so the day of the earliest one bounds the key.
_OUTAGE = """
with down as (
    select connection_id, began_at, coalesce(ended_at, now()) as ended_at from connection_outage
    where tenant_id = $1 and id = $4
), failed as (
    select a.delivery_id from down join attempt a on a.tenant_id = $1
        and a.id >= lowest_id_at(down.began_at::date)
        and a.started_at >= down.began_at and a.started_at < down.ended_at
    where a.outcome not in ('Delivered', 'Duplicate', 'Superseded')
)
select d.id from down join delivery d on d.tenant_id = $1 and d.connection_id = down.connection_id
    and d.id >= lowest_id_at(down.began_at::date)
    and d.accepted_at >= down.began_at and d.accepted_at < down.ended_at
where d.state not in ('superseded', 'cancelled')
union
select d.id from failed join delivery d on d.tenant_id = $1 and d.id = failed.delivery_id
where d.state not in ('superseded', 'cancelled') and d.connection_id = (select connection_id from down)
"""
_FILTER = """
select d.id from delivery d
where d.tenant_id = $1 and d.state = any($4::text[])
    and ($5::text is null or d.code = $5) and ($6::text is null or d.error_class = $6)
    and ($7::uuid is null or d.connection_id = $7) and ($8::uuid is null or d.flow_id = $8)
    and d.id >= lowest_id_at(coalesce($10::timestamptz, '2000-01-01')::date)
    and ($10::timestamptz is null or d.accepted_at >= $10)
    and ($11::timestamptz is null or d.accepted_at < $11)
    and ($9::text is null or exists (select 1 from event e
        where e.tenant_id = $1 and e.id = d.event_id and e.type = $9))
"""
# Each gives the holds of messages that could not be read at all.
_HELD_RECORDS = "h.id = any($5)"
_HELD_INCIDENT = "h.incident_id = $4"
_HELD_NONE = "false"
_HELD_FILTER = """
'held' = any($4::text[]) and $8::uuid is null
    and ($5::text is null or h.code = $5) and ($6::text is null or h.error_class = $6)
    and ($7::uuid is null or h.connection_id = $7) and ($9::text is null or h.event_type = $9)
    and ($10::timestamptz is null or m.received_at >= $10)
    and ($11::timestamptz is null or m.received_at < $11)
"""
_PICKED: dict[Kind, tuple[str, str]] = {
    "records": (_RECORDS, _HELD_RECORDS),
    "incident": (_INCIDENT, _HELD_INCIDENT),
    "outage": (_OUTAGE, _HELD_NONE),
    "filter": (_FILTER, _HELD_FILTER),
}
# A record that was replayed before is taken as it is now: its newest delivery.
_COLLECT = """
with picked (id) as ({picked}), newest as (
    select distinct on (d.event_id, d.flow_id) n.id from picked
    join delivery d on d.tenant_id = $1 and d.id = picked.id
    cross join lateral (select id from delivery where tenant_id = $1 and event_id = d.event_id
        and flow_id = d.flow_id order by replay_no desc limit 1) n
    limit $3
), found as (
    select h.id as hold_id, d.message_id, d.id as delivery_id, d.flow_id, e.label, e.amount, e.currency,
        m.accept_seq, d.seq
    from newest join delivery d on d.tenant_id = $1 and d.id = newest.id
    join event e on e.tenant_id = $1 and e.id = d.event_id
    join message m on m.tenant_id = $1 and m.id = d.message_id
    left join hold h on h.tenant_id = $1 and h.delivery_id = d.id and h.state = 'open'
    union all
    (select distinct on (h.message_id) h.id, h.message_id, null, null, h.label, h.amount, h.currency,
        m.accept_seq, 0
    from hold h join message m on m.tenant_id = $1 and m.id = h.message_id
    where h.tenant_id = $1 and h.state = 'open' and h.delivery_id is null and {held}
    order by h.message_id, h.id limit $3)
)
insert into replay_item (tenant_id, replay_id, number, hold_id, message_id, delivery_id, flow_id, label,
    amount, currency)
select $1, $2, row_number() over (order by accept_seq, seq), hold_id, message_id, delivery_id, flow_id,
    label, amount, currency
from (select * from found limit $3) found
"""


class TooManyRecords(Unprocessable):
    """More records than one replay may have."""

    code = "replay.too_many"

    def __init__(self) -> None:
        super().__init__(
            f"More than {MOST_RECORDS:,} records fit this selection. Choose fewer: a shorter time, one"
            " flow or one code."
        )


async def collect(session: Session, tenant_id: UUID, replay_id: UUID, wanted: Selection) -> int:
    """Write one item for each record, oldest first, and give how many; raises TooManyRecords."""
    picked, held = _PICKED[wanted.kind]
    count = await session.execute(
        _COLLECT.format(picked=picked, held=held),
        tenant_id,
        replay_id,
        MOST_RECORDS + 1,
        *_arguments(wanted),
    )
    if count > MOST_RECORDS:
        raise TooManyRecords
    return count


def _arguments(wanted: Selection) -> list[Any]:
    by_kind: dict[Kind, list[Any]] = {
        "records": [list(wanted.deliveries), list(wanted.holds)],
        "incident": [wanted.incident],
        "outage": [wanted.outage],
        "filter": [
            *(list(wanted.states), wanted.code, wanted.error_class, wanted.connection, wanted.flow),
            *(wanted.event_type, wanted.since, wanted.until),
        ],
    }
    return by_kind[wanted.kind]
