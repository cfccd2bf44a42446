"""The statements with which results are settled; arrays are columns, all of many tenants."""

from __future__ import annotations

# A released lane has no holder: a result whose commit was answered by silence may be written again,
# and is found written.
LOCK = """
select lane.tenant_id, lane.connection_id, lane.lane_hash, lane.lease_token from lane
join unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[])
    as mine (tenant_id, connection_id, lane_hash, token) using (tenant_id, connection_id, lane_hash)
where lane.lease_token = mine.token and lane.holder is not null
order by 1, 2, 3 for update of lane
"""
MOVE = """
update delivery set state = new.state, not_before = now() + make_interval(secs => new.wait_s),
    attempt_count = delivery.attempt_count - new.unburnt, crash_count = new.crashes,
    -- What was put back untouched keeps what is known of it (`outcome.unknown`: ask before sending).
    code = case when new.code = '' and not new.is_final then delivery.code else new.code end,
    words = new.words,
    error_class = case when new.code = '' and not new.is_final then delivery.error_class
        else new.error_class end,
    external_ref = case when new.reference = '' then external_ref else new.reference end,
    settled_at = case when new.is_final then now() end
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::int[], $6::text[], $7::text[],
    $8::text[], $9::bool[], $10::int[], $11::text[])
    as new (tenant_id, id, state, wait_s, unburnt, code, words, reference, is_final, crashes,
        error_class)
where delivery.tenant_id = new.tenant_id and delivery.id = new.id and delivery.state = 'delivering'
returning delivery.id
"""
ATTEMPTS = """
insert into attempt (tenant_id, id, delivery_id, number, started_at, took_ms, outcome, status, code,
    words, worker, lease_token, error_class, flow_version)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[], $6::int[],
    $7::text[], $8::int[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[],
    $14::int[])
"""
# The deadline is the delivery's own. `recheck_s` is null where the target cannot be asked.
HOLDS = """
insert into hold (tenant_id, id, message_id, delivery_id, connection_id, flow_id, code, pointer, words,
    label, amount, currency, error_class, event_type, object_id, recheck_at, deadline_at)
select new.*, delivery.deadline_at
from (select tenant_id, id, message_id, delivery_id, connection_id, flow_id, code, pointer, words,
        label, amount, currency, error_class, event_type, object_id,
        now() + make_interval(secs => recheck_s)
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::numeric[], $12::text[], $13::text[], $14::text[],
        $15::text[], $16::float8[])
        as n (tenant_id, id, message_id, delivery_id, connection_id, flow_id, code, pointer, words,
            label, amount, currency, error_class, event_type, object_id, recheck_s)) new
join delivery on delivery.tenant_id = new.tenant_id and delivery.id = new.delivery_id
on conflict do nothing
"""
USAGE = """
insert into usage_fact (tenant_id, kind, business_key, delivery_id)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) on conflict do nothing
"""
# Decided from the message row alone, so that two workers settling its last deliveries cannot both
# believe that the other one is still open.
MESSAGES = """
update message set open_routes = message.open_routes - done.count,
    state = case when message.open_routes = done.count and message.state = 'prepared'
        then 'settled' else message.state end
from unnest($1::uuid[], $2::uuid[], $3::int[]) as done (tenant_id, id, count)
where message.tenant_id = done.tenant_id and message.id = done.id
    -- Leaves out the partitions of other days before they are opened.
    and message.id between $4 and $5
"""
RELEASE = """
update lane set open_count = lane.open_count - done.finals, blocked_by = done.blocked_by,
    holder = case when done.goes_on then lane.holder end,
    ready_at = case when done.goes_on then lane.ready_at
        when done.blocked_by is not null or lane.open_count = done.finals then null
        else now() + make_interval(secs => done.wait_s) end
from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::int[], $5::uuid[], $6::float8[], $7::bool[])
    as done (tenant_id, connection_id, lane_hash, finals, blocked_by, wait_s, goes_on)
where lane.tenant_id = done.tenant_id and lane.connection_id = done.connection_id
    and lane.lane_hash = done.lane_hash
"""
