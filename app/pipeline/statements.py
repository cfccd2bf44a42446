"""The statements with which one batch is written; $1 is always the tenant, arrays are columns."""

from __future__ import annotations

FACTS = """
insert into fact (tenant_id, connection_id, fact_hash, content_hash, event_id)
select $1, * from unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::uuid[])
on conflict do nothing returning event_id
"""
KNOWN_FACTS = """
select told.ord, fact.content_hash from unnest($2::uuid[], $3::bytea[]) with ordinality
    as told (connection_id, fact_hash, ord)
join fact on fact.tenant_id = $1 and fact.connection_id = told.connection_id
    and fact.fact_hash = told.fact_hash
"""
EVENTS = """
insert into event (tenant_id, id, message_id, connection_id, type, contract, key, object_id, version,
    label, occurred_at, business_day, amount, currency, revision, routed_to, sealed, period, accepted_at)
select $1, id, message_id, connection_id, type, contract, key, object_id, version, label, occurred_at,
    business_day, amount, currency, revision,
    string_to_array(routed_to, ',')::uuid[], sealed, period, accepted_at
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::timestamptz[], $12::date[], $13::numeric[], $14::text[], $15::int[],
    $16::text[], $17::bytea[], $18::int[], $19::timestamptz[])
    as e (id, message_id, connection_id, type, contract, key, object_id, version, label, occurred_at,
        business_day, amount, currency, revision, routed_to, sealed, period, accepted_at)
"""
# Locks the lanes in key order and hands out their next numbers; a waiting or blocked lane stays so.
LANES = """
insert into lane (tenant_id, connection_id, lane_hash, label, class, next_seq, open_count, deadline_at,
    ready_at)
select $1, connection_id, lane_hash, label, class, 1 + count, count, deadline_at, now()
from unnest($2::uuid[], $3::bytea[], $4::text[], $5::smallint[], $6::bigint[], $7::timestamptz[])
    as l (connection_id, lane_hash, label, class, count, deadline_at)
order by connection_id, lane_hash
on conflict (tenant_id, connection_id, lane_hash) do update set
    next_seq = lane.next_seq + excluded.open_count,
    open_count = lane.open_count + excluded.open_count,
    -- A lane is as urgent as the most urgent it holds; an empty one forgets what it was.
    class = case when lane.open_count = 0 then excluded.class
        else least(lane.class, excluded.class) end,
    deadline_at = case when lane.open_count = 0 then excluded.deadline_at
        else least(lane.deadline_at, excluded.deadline_at) end,
    ready_at = case when lane.blocked_by is not null then null else coalesce(lane.ready_at, now()) end
returning connection_id, lane_hash, next_seq, open_count
"""
# Something in the lane waits for another record, and what was just added may be it: look at once.
# Under the lock that LANES took, so that a worker settling "not yet" meanwhile sees one or the other.
WAKE = """
update lane set ready_at = now()
from unnest($2::uuid[], $3::bytea[]) as added (connection_id, lane_hash)
where lane.tenant_id = $1 and lane.connection_id = added.connection_id
    and lane.lane_hash = added.lane_hash and lane.holder is null
    and lane.ready_at > now() and lane.ready_at < 'infinity' and exists (
        select 1 from delivery where delivery.tenant_id = $1
            and delivery.connection_id = added.connection_id
            and delivery.lane_hash = added.lane_hash and delivery.is_open and delivery.code = $4)
"""
DELIVERIES = """
insert into delivery (tenant_id, id, event_id, message_id, flow_id, source_connection_id, connection_id,
    lane_hash, seq, class, state, effect_key, accepted_at, deadline_at, settled_at)
select $1, id, event_id, message_id, flow_id, source_connection_id, connection_id, lane_hash, seq, class,
    state, effect_key, accepted_at, deadline_at, case when state = 'superseded' then now() end
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[],
    $9::bigint[], $10::smallint[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[])
    as d (id, event_id, message_id, flow_id, source_connection_id, connection_id, lane_hash, seq, class,
        state, effect_key, accepted_at, deadline_at)
"""
# Only what is not in some worker's hands: that one will be followed, not overtaken, by the new value.
SUPERSEDE = """
update delivery set state = 'superseded', settled_at = now(), code = '', words = ''
from unnest($2::uuid[], $3::bytea[], $4::bigint[]) as newest (connection_id, lane_hash, seq)
where delivery.tenant_id = $1 and delivery.connection_id = newest.connection_id
    and delivery.lane_hash = newest.lane_hash and delivery.seq < newest.seq
    and delivery.is_open and delivery.state in ('ready', 'waiting', 'held')
returning delivery.id, delivery.connection_id, delivery.lane_hash, delivery.message_id
"""
UNBLOCK = """
update lane set open_count = lane.open_count - gone.count, blocked_by = null,
    ready_at = case when lane.open_count = gone.count then null
        -- Parked with its flow: only values of which the latest wins are superseded, lane by flow.
        when lane.holder is not null or lane.ready_at = 'infinity' then lane.ready_at else now() end
from unnest($2::uuid[], $3::bytea[], $4::int[]) as gone (connection_id, lane_hash, count)
where lane.tenant_id = $1 and lane.connection_id = gone.connection_id and lane.lane_hash = gone.lane_hash
"""
# What is not sent does not make its lane due, and does not free it from what blocks it.
OVERTAKE = """
update lane set open_count = lane.open_count - gone.count,
    ready_at = case when lane.open_count = gone.count then null else lane.ready_at end
from unnest($2::uuid[], $3::bytea[], $4::int[]) as gone (connection_id, lane_hash, count)
where lane.tenant_id = $1 and lane.connection_id = gone.connection_id and lane.lane_hash = gone.lane_hash
"""
CLOSE_ROUTES = """
update message set open_routes = message.open_routes - done.count,
    state = case when message.open_routes = done.count and message.state = 'prepared'
        then 'settled' else message.state end
from unnest($2::uuid[], $3::int[]) as done (id, count)
where message.tenant_id = $1 and message.id = done.id
"""
HOLDS = """
insert into hold (tenant_id, id, message_id, connection_id, code, pointer, words, label, position,
    amount, currency, error_class)
select $1, id, message_id, connection_id, code, pointer, words, label, position::jsonb, amount, currency,
    error_class
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::numeric[], $11::text[], $12::text[])
    as h (id, message_id, connection_id, code, pointer, words, label, position, amount, currency,
        error_class)
"""
MESSAGES = """
update message set state = new.state, fate = new.fate, code = new.code, routes = new.routes,
    open_routes = new.open_routes, prepared_at = now()
from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[])
    as new (id, state, fate, code, routes, open_routes)
where message.tenant_id = $1 and message.id = new.id and message.is_waiting
    -- Leaves out the partitions of other days before they are opened.
    and message.id between $8 and $9
"""
