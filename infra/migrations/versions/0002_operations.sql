-- What people and the engine need when things go wrong: classes of errors, incidents, alerts, work on
-- records, replays, shared budgets, duties. Only additions: the code before runs on this schema.

-- ---------------------------------------------------------------- error classes, mapping versions

alter table delivery
    add column error_class text not null default '',
    -- A replay under the mapping of then: the version of the flow to send with; null is the present one.
    add column pinned_version int,
    add column replay_id uuid,
    add column replay_of uuid,
    add column deadline_at timestamptz;
alter table attempt
    add column error_class text not null default '',
    add column flow_version int;
alter table hold
    add column error_class text not null default '',
    add column incident_id uuid,
    add column tags text[] not null default '{}',
    add column event_type text not null default '',
    add column object_id text not null default '',
    add column deadline_at timestamptz,
    add column recheck_at timestamptz,
    add column rechecks int not null default 0;
create index hold_ungrouped on hold (created_at) where state = 'open' and incident_id is null;
create index hold_by_incident on hold (tenant_id, incident_id, id) where incident_id is not null;
create index hold_recheck on hold (recheck_at) where state = 'open' and recheck_at is not null;

-- A paused flow or connection goes on accepting; its lanes rest at infinity until it is resumed.
alter table flow
    add column is_paused boolean not null default false,
    add column pause_reason text not null default '',
    -- What the retailer changed of the mapping: [{"path": ..., "kind": "constant|lookup|cel", ...}].
    add column overrides jsonb not null default '[]';
alter table lane add column deadline_at timestamptz;
create index lane_parked on lane (tenant_id, connection_id) where ready_at = 'infinity';
-- By class first, so that one look finds the most urgent of all retailers; parked lanes are not in it.
drop index lane_due;
create index lane_due on lane (class, tenant_id, connection_id, ready_at) where ready_at < 'infinity';
-- For the sweep: both are all but empty.
create index lane_stranded on lane (tenant_id) where open_count > 0 and ready_at is null and blocked_by is null;
create index lane_blocked on lane (tenant_id, blocked_by) where blocked_by is not null;
create index lane_deadline on lane (deadline_at) where deadline_at is not null and open_count > 0;

create table flow_version (
    tenant_id uuid not null,
    flow_id uuid not null,
    version int not null,
    settings jsonb not null,
    overrides jsonb not null,
    note text not null default '',
    published_by text not null,
    published_at timestamptz not null default now(),
    primary key (tenant_id, flow_id, version),
    constraint flow_version_flow_fk foreign key (tenant_id, flow_id) references flow (tenant_id, id)
);

-- What changed before things went wrong. Releases of the product itself are rows of the nil tenant.
create table change (
    tenant_id uuid not null,
    id uuid not null,
    at timestamptz not null default now(),
    kind text not null constraint change_kind_known
        check (kind in ('release', 'mapping', 'credential', 'connection', 'flow', 'vendor_api')),
    connector text not null default '',
    connection_id uuid,
    flow_id uuid,
    words text not null,
    actor text not null,
    detail jsonb not null default '{}',
    primary key (tenant_id, id)
);
create index change_by_time on change (tenant_id, at);

-- When a connection was down: from its breaker's opening to its closing, or a pause by a person.
create table connection_outage (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    kind text not null constraint connection_outage_kind_known check (kind in ('open', 'authorization_lost', 'paused')),
    reason text not null default '',
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    primary key (tenant_id, id),
    constraint connection_outage_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create unique index connection_outage_one_open on connection_outage (tenant_id, connection_id, kind) where ended_at is null;

-- A record that must come first (the order before its payment), asked for at its source.
create table wanted_record (
    tenant_id uuid not null,
    connection_id uuid not null,
    reference text not null,
    state text not null default 'wanted' constraint wanted_record_state_known check (state in ('wanted', 'found', 'missing')),
    words text not null default '',
    tries int not null default 0,
    due_at timestamptz not null default now(),
    asked_at timestamptz not null default now(),
    primary key (tenant_id, connection_id, reference),
    constraint wanted_record_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index wanted_record_due on wanted_record (due_at) where state = 'wanted';

-- ---------------------------------------------------------------- limits

-- One budget for each vendor credential and bucket, shared by all flows and all workers. `credential`
-- is a digest under a key of the tenant; `tokens` are as of `filled_at`.
create table budget (
    tenant_id uuid not null,
    credential bytea not null,
    bucket text not null,
    connection_id uuid not null,
    tokens double precision not null,
    rate_per_s double precision not null constraint budget_rate_positive check (rate_per_s > 0),
    burst double precision not null constraint budget_burst_positive check (burst > 0),
    filled_at timestamptz not null default now(),
    -- What the manifest or the connection says; the columns above follow what the vendor says.
    declared_per_s double precision not null,
    declared_burst double precision not null,
    parallel double precision not null default 4,
    halved_at timestamptz,
    paused_until timestamptz,
    -- Who leased lately: {"worker": seconds since 1970}; calls at one time are divided among them.
    workers jsonb not null default '{}',
    calls bigint not null default 0,
    refused bigint not null default 0,
    minute_at timestamptz not null default now(),
    minute_used double precision not null default 0,
    minute_before double precision not null default 0,
    updated_at timestamptz not null default now(),
    primary key (tenant_id, credential, bucket)
) with (fillfactor = 50);

create table reconnect_link (
    token_hash bytea primary key,
    tenant_id uuid not null,
    connection_id uuid not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);

-- ---------------------------------------------------------------- incidents

create table incident (
    tenant_id uuid not null,
    id uuid not null,
    -- The cause as a digest: the same at every retailer that has it.
    fingerprint bytea not null,
    connection_id uuid not null,
    connector text not null,
    error_class text not null,
    code text not null,
    pointer text not null default '',
    title text not null,
    words text not null default '',
    state text not null default 'new' constraint incident_state_known check (state in ('new', 'ongoing', 'regressed', 'resolved')),
    severity smallint not null default 2 constraint incident_severity_known check (severity between 0 and 3),
    held int not null default 0,
    waiting int not null default 0,
    peak int not null default 0,
    -- {"USD": "1480.00"}: money in the records concerned, by currency.
    at_risk jsonb not null default '{}',
    shops text[] not null default '{}',
    flows uuid[] not null default '{}',
    deadline_at timestamptz,
    deadline_words text not null default '',
    cause jsonb,
    runbook text not null default '',
    owner text not null default '',
    due_at timestamptz,
    snoozed_until timestamptz,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    -- When it began this time; `first_seen_at` is when it ever began.
    since_at timestamptz not null default now(),
    -- Money at risk times urgency: the order of the list.
    weight numeric not null default 0,
    -- What was said already this time, so that it is not said twice: {"severity": 2, "share": 50, "count": 120}.
    told jsonb not null default '{}',
    resolved_at timestamptz,
    resolved_by text not null default '',
    resolution text not null default '',
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint incident_once_per_cause unique (tenant_id, fingerprint, connection_id)
);
create index incident_by_state on incident (tenant_id, state, last_seen_at);
create index incident_unresolved on incident (id) where state <> 'resolved';
create index incident_by_id on incident (id);
create index incident_by_fingerprint on incident (fingerprint, tenant_id) where state <> 'resolved';
create index hold_open_by_incident on hold (tenant_id, incident_id) where state = 'open' and incident_id is not null;
-- Failed at least three times and still on its way. As a column its value stays through further tries, so
-- that these updates remain heap-only; a predicate on the state would end that.
alter table delivery add column is_failing boolean not null generated always as
    ((state in ('ready', 'waiting', 'checking') and attempt_count >= 3)
        or (state = 'delivering' and attempt_count >= 4)) stored;
create index delivery_failing on delivery (tenant_id, connection_id) where is_failing;

-- The history of an incident, written with every change of it; alerts are planned from it.
create table incident_moment (
    tenant_id uuid not null,
    id uuid not null,
    incident_id uuid not null,
    at timestamptz not null default now(),
    kind text not null constraint incident_moment_kind_known check (kind in
        ('opened', 'grown', 'regressed', 'escalated', 'cause_found', 'assigned', 'commented', 'snoozed', 'resolved')),
    actor text not null,
    words text not null,
    detail jsonb not null default '{}',
    is_alert_planned boolean not null default false,
    primary key (tenant_id, id),
    constraint incident_moment_incident_fk foreign key (tenant_id, incident_id) references incident (tenant_id, id)
);
create index incident_moment_by_incident on incident_moment (tenant_id, incident_id, id);
create index incident_moment_unplanned on incident_moment (id) where not is_alert_planned;

-- ---------------------------------------------------------------- alerts

-- Where alerts go: of a partner for all its retailers, or of one retailer.
create table alert_channel (
    id uuid primary key,
    partner_id uuid constraint alert_channel_partner_fk references partner (id),
    tenant_id uuid constraint alert_channel_tenant_fk references tenant (id),
    kind text not null,
    name text not null,
    address text not null,
    sealed_secret bytea,
    secret_period int,
    least_severity smallint not null default 1 constraint alert_channel_severity_known check (least_severity between 0 and 3),
    most_per_hour int not null default 10 constraint alert_channel_rate_sane check (most_per_hour between 1 and 1000),
    digest_every_s int not null default 3600 constraint alert_channel_digest_sane check (digest_every_s between 60 and 604800),
    is_enabled boolean not null default true,
    disabled_reason text not null default '',
    -- One sender at a time works for a channel, so that what belongs together goes in order.
    leased_until timestamptz not null default '-infinity',
    created_at timestamptz not null default now(),
    constraint alert_channel_has_one_owner check (num_nonnulls(partner_id, tenant_id) = 1)
);
create index alert_channel_by_partner on alert_channel (partner_id) where partner_id is not null;
create index alert_channel_by_tenant on alert_channel (tenant_id) where tenant_id is not null;

-- What one channel is told. `tenant_id` is the retailer concerned, nil for what is about several.
-- A row that gathers (a digest, or one cause at many retailers) has no content until it is due; those
-- that it tells point to it by `told_by`.
create table alert (
    tenant_id uuid not null,
    id uuid not null,
    partner_id uuid,
    channel_id uuid not null,
    incident_id uuid,
    moment_id uuid,
    thread_id uuid not null,
    kind text not null,
    gathers text not null default '',
    told_by uuid,
    severity smallint not null,
    state text not null default 'pending' constraint alert_state_known
        check (state in ('pending', 'sent', 'joined', 'digested', 'failed', 'unneeded')),
    subject text not null default '',
    words text not null default '',
    content jsonb,
    due_at timestamptz not null default now(),
    tries int not null default 0,
    last_problem text not null default '',
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    primary key (tenant_id, id),
    constraint alert_once_per_moment unique (tenant_id, channel_id, moment_id)
);
create index alert_due on alert (channel_id, due_at) where state = 'pending';
create index alert_by_channel on alert (channel_id, created_at);
create index alert_by_incident on alert (channel_id, incident_id) where incident_id is not null;
create index alert_told_by on alert (told_by) where told_by is not null;
create unique index alert_one_gathering on alert (tenant_id, channel_id, gathers)
    where state = 'pending' and content is null and gathers <> '';

-- ---------------------------------------------------------------- work on records

create table remark (
    tenant_id uuid not null,
    id uuid not null,
    hold_id uuid,
    incident_id uuid,
    at timestamptz not null default now(),
    author text not null,
    words text not null,
    primary key (tenant_id, id),
    constraint remark_is_about_one_thing check (num_nonnulls(hold_id, incident_id) = 1)
);
create index remark_by_hold on remark (tenant_id, hold_id, id) where hold_id is not null;
create index remark_by_incident on remark (tenant_id, incident_id, id) where incident_id is not null;

-- An exception from the rules that a person made for a while: set a value, skip, or keep back.
create table manual_override (
    tenant_id uuid not null,
    id uuid not null,
    flow_id uuid not null,
    object_id text not null default '',
    kind text not null constraint manual_override_kind_known check (kind in ('set', 'skip', 'pause')),
    path text not null default '',
    value jsonb,
    reason text not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_by text not null default '',
    used bigint not null default 0,
    primary key (tenant_id, id),
    constraint manual_override_flow_fk foreign key (tenant_id, flow_id) references flow (tenant_id, id)
);
create index manual_override_active on manual_override (tenant_id, flow_id) where ended_at is null;

-- ---------------------------------------------------------------- replay

create table replay (
    tenant_id uuid not null,
    id uuid not null,
    title text not null,
    selection jsonb not null,
    mapping text not null default 'now' constraint replay_mapping_known check (mapping in ('now', 'as_then')),
    reason text not null,
    state text not null default 'previewing' constraint replay_state_known check (state in
        ('previewing', 'refused', 'previewed', 'awaiting_approval', 'running', 'done', 'cancelled')),
    -- Why it was refused, or why a second person must approve it.
    words text not null default '',
    needs_approval boolean not null default false,
    records int not null default 0,
    -- How many records the preview has looked at.
    previewed int not null default 0,
    -- {"by": {"create": {"records": 10, "amounts": {"USD": "12.00"}}}, "effects": {"books a sale": 10}},
    -- the receipt besides says in how many records it happened as promised (`equal`, `of`).
    preview jsonb not null default '{}',
    receipt jsonb not null default '{}',
    -- Records that are to be sent, those begun, and those of which the end is known.
    chosen int not null default 0,
    started int not null default 0,
    finished int not null default 0,
    created_by text not null,
    created_at timestamptz not null default now(),
    previewed_at timestamptz,
    started_by text not null default '',
    started_at timestamptz,
    approved_by text not null default '',
    approved_at timestamptz,
    finished_at timestamptz,
    primary key (tenant_id, id)
);
-- A cancelled replay is active until the end of what it had begun is known.
create index replay_active on replay (tenant_id) where finished_at is null and state in ('previewing', 'running', 'cancelled');

create table replay_item (
    tenant_id uuid not null,
    replay_id uuid not null,
    number int not null,
    hold_id uuid,
    message_id uuid not null,
    delivery_id uuid,
    new_delivery_id uuid,
    flow_id uuid,
    label text not null default '',
    amount numeric(19, 6),
    currency text,
    effects text[] not null default '{}',
    -- Empty until it was looked at; `deliveries` is to how many targets it is promised.
    promised text not null default '' constraint replay_item_promise_known
        check (promised in ('', 'create', 'update', 'no_op', 'stale', 'conflict', 'read_again')),
    promised_words text not null default '',
    deliveries int not null default 1,
    pinned_version int,
    state text not null default 'waiting' constraint replay_item_state_known
        check (state in ('waiting', 'started', 'left_out', 'done')),
    happened text not null default '',
    happened_words text not null default '',
    primary key (tenant_id, replay_id, number),
    constraint replay_item_replay_fk foreign key (tenant_id, replay_id) references replay (tenant_id, id)
);
create index replay_item_open on replay_item (tenant_id, replay_id, number) where state in ('waiting', 'started');
create index replay_item_unpromised on replay_item (tenant_id, replay_id, number) where promised = '';
create index replay_item_by_delivery on replay_item (tenant_id, delivery_id) where delivery_id is not null and state in ('waiting', 'started');
create index replay_item_by_hold on replay_item (tenant_id, hold_id) where hold_id is not null and state in ('waiting', 'started');

-- ---------------------------------------------------------------- the engine

-- Which messages a worker is preparing: what it leaves behind when it dies is looked at one by one.
create table prepare_try (
    tenant_id uuid not null primary key,
    worker text not null,
    started_at timestamptz not null default now(),
    message_ids uuid[] not null
);

-- Who does a duty of the scheduler, and until when; not of any tenant.
create table duty (
    name text primary key,
    holder text not null default '',
    leased_until timestamptz,
    last_done_at timestamptz,
    last_took_ms int,
    last_problem text not null default ''
);

-- Waiting messages are taken in turn over a tenant's connections, not in one line for all of them.
create index message_waiting_by_connection on message (tenant_id, connection_id, accept_seq) where is_waiting;
drop index message_waiting;

-- How much of a tenant is under way, counted by the scheduler; doors refuse above `most`.
create table backlog (
    tenant_id uuid not null primary key,
    open bigint not null,
    most bigint not null,
    alarm_percent smallint not null default 0,
    counted_at timestamptz not null default now()
) with (fillfactor = 50);
