"""The statements of one chunk of a replay; all rows come as arrays, $1 is the retailer."""

from __future__ import annotations

# In the order of the engine: lanes, deliveries, holds, messages, each in the order of its key.
LOCK_LANES = """
select lane.connection_id from lane join (
    select distinct d.connection_id, d.lane_hash from delivery d
    where d.tenant_id = $1 and d.id = any($2)) mine using (connection_id, lane_hash)
where lane.tenant_id = $1 order by lane.connection_id, lane.lane_hash for update of lane
"""
LOCK_DELIVERIES = """
select 1 from delivery where tenant_id = $1 and id = any($2) order by id for update
"""
LOCK_MESSAGES = """
select id from message where tenant_id = $1 and id = any($2) and state = 'held' order by id for update
"""
RELEASE = """
update delivery set state = 'ready', attempt_count = 0, not_before = null, replay_id = $2,
    pinned_version = new.pinned
from unnest($3::uuid[], $4::int[]) as new (id, pinned)
where delivery.tenant_id = $1 and delivery.id = new.id and delivery.state = 'held'
"""
HURRY = """
update delivery set not_before = null, replay_id = $2, pinned_version = new.pinned
from unnest($3::uuid[], $4::int[]) as new (id, pinned)
where delivery.tenant_id = $1 and delivery.id = new.id
"""
GIVE_WAY = """
update delivery set state = 'superseded', settled_at = now(), replay_id = $2, code = '', words = ''
where tenant_id = $1 and id = any($3) and state = 'held'
"""
# A lane goes on when what blocked it is gone or ready again; `gone` of its deliveries are final now.
FREE_LANES = """
update lane set open_count = lane.open_count - freed.gone, blocked_by = null,
    ready_at = case when lane.open_count = freed.gone then null
        when lane.holder is not null or lane.ready_at = 'infinity' then lane.ready_at else now() end
from (select d.connection_id, d.lane_hash, sum(new.gone)::int as gone, array_agg(d.id) as ids
    from unnest($2::uuid[], $3::int[]) as new (id, gone)
    join delivery d on d.tenant_id = $1 and d.id = new.id group by 1, 2) freed
where lane.tenant_id = $1 and lane.connection_id = freed.connection_id
    and lane.lane_hash = freed.lane_hash
    and (lane.blocked_by is null or lane.blocked_by = any(freed.ids))
"""
# Neither a lane in a worker's hands nor one that is blocked or parked.
WAKE_LANES = """
update lane set ready_at = now() from delivery d
where d.tenant_id = $1 and d.id = any($2) and lane.tenant_id = $1
    and lane.connection_id = d.connection_id and lane.lane_hash = d.lane_hash
    and lane.holder is null and lane.blocked_by is null and lane.ready_at > now()
    and lane.ready_at < 'infinity'
"""
# `places` numbers are handed out, `opens` of them to what is to be sent. An empty lane becomes one of
# the bulk class: live traffic goes first, and raises it again when it comes.
PLACE = """
insert into lane (tenant_id, connection_id, lane_hash, label, class, next_seq, open_count, ready_at)
select $1, connection_id, lane_hash, label, 3, 1 + places, opens, case when opens > 0 then now() end
from unnest($2::uuid[], $3::bytea[], $4::text[], $5::bigint[], $6::int[])
    as l (connection_id, lane_hash, label, places, opens)
order by connection_id, lane_hash
on conflict (tenant_id, connection_id, lane_hash) do update set
    next_seq = lane.next_seq + excluded.next_seq - 1,
    open_count = lane.open_count + excluded.open_count,
    class = case when lane.open_count = 0 then excluded.class else lane.class end,
    deadline_at = case when lane.open_count = 0 then null else lane.deadline_at end,
    ready_at = case when excluded.open_count = 0 then lane.ready_at
        when lane.blocked_by is not null then null else coalesce(lane.ready_at, now()) end
returning connection_id, lane_hash, next_seq
"""
# The same effect key as before, and accepted when the record was: so the books count it once.
REPEAT = """
insert into delivery (tenant_id, id, event_id, message_id, flow_id, source_connection_id, connection_id,
    lane_hash, seq, class, state, effect_key, accepted_at, settled_at, words, replay_no, replay_of,
    replay_id, pinned_version)
select $1, new.id, d.event_id, d.message_id, d.flow_id, d.source_connection_id, d.connection_id,
    d.lane_hash, new.seq, 3, new.state, d.effect_key, d.accepted_at,
    case when new.state = 'superseded' then now() end, new.words, d.replay_no + 1, d.id, $2, new.pinned
from unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::int[])
    as new (id, replay_of, seq, state, words, pinned)
join delivery d on d.tenant_id = $1 and d.id = new.replay_of
"""
CLOSE_HOLDS = """
update hold set state = $3, reason = $4, decided_by = $5, decided_at = now()
where tenant_id = $1 and delivery_id = any($2) and state = 'open'
"""
OPEN_ROUTES = """
update message set open_routes = message.open_routes + more.count,
    state = case when message.state = 'settled' and message.open_routes + more.count > 0 then 'prepared'
        when message.state = 'prepared' and message.open_routes + more.count = 0 then 'settled'
        else message.state end
from unnest($2::uuid[], $3::int[]) as more (id, count)
where message.tenant_id = $1 and message.id = more.id
"""
READ_ANEW = """
update message set state = 'received', revision = revision + 1, crash_count = 0, code = ''
where tenant_id = $1 and id = any($2) and state = 'held'
"""
CLOSE_HOLDS_OF_MESSAGES = """
update hold set state = 'released', reason = $3, decided_by = $4, decided_at = now()
where tenant_id = $1 and message_id = any($2) and delivery_id is null and state = 'open'
"""
MARK_ITEMS = """
update replay_item set state = new.state, new_delivery_id = new.delivery_id, happened = new.happened,
    happened_words = new.words
from unnest($3::int[], $4::text[], $5::uuid[], $6::text[], $7::text[])
    as new (number, state, delivery_id, happened, words)
where replay_item.tenant_id = $1 and replay_item.replay_id = $2
    and replay_item.number = any($3) and replay_item.number = new.number
    and replay_item.state = 'waiting'
"""
