-- The book. Every table is keyed by tenant first and under forced row-level security, but for the
-- directory tables listed in tests/architecture/test_tables.py with their reasons.
-- Ids are UUIDv7 made by the application; range partitions on such an id are partitions by time.

-- ---------------------------------------------------------------- directory: who there is

create table partner (
    id uuid primary key,
    slug text not null constraint partner_slug_unique unique,
    name text not null,
    brand jsonb not null default '{}',
    created_at timestamptz not null default now()
);

create table tenant (
    id uuid primary key,
    partner_id uuid not null constraint tenant_partner_fk references partner (id),
    slug text not null,
    name text not null,
    timezone text not null default 'UTC',
    currency text not null default 'USD' constraint tenant_currency_iso check (currency ~ '^[A-Z]{3}$'),
    state text not null default 'active' constraint tenant_state_known check (state in ('active', 'suspended', 'leaving')),
    entitlements jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint tenant_slug_unique unique (partner_id, slug)
);

create table person (
    id uuid primary key,
    email text not null constraint person_email_unique unique,
    name text not null default '',
    created_at timestamptz not null default now()
);

create table membership (
    id uuid primary key,
    person_id uuid not null constraint membership_person_fk references person (id),
    role text not null,
    partner_id uuid constraint membership_partner_fk references partner (id),
    tenant_id uuid constraint membership_tenant_fk references tenant (id),
    region text,
    store text,
    created_at timestamptz not null default now(),
    constraint membership_role_fits check ((role = 'operator') <= (partner_id is null and tenant_id is null))
);

create table api_key (
    id uuid primary key,
    key_hash bytea not null constraint api_key_hash_unique unique,
    prefix text not null,
    label text not null default '',
    role text not null,
    partner_id uuid constraint api_key_partner_fk references partner (id),
    tenant_id uuid constraint api_key_tenant_fk references tenant (id),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint api_key_has_one_owner check (num_nonnulls(partner_id, tenant_id) <= 1),
    constraint api_key_role_fits check ((role = 'operator') <= (partner_id is null and tenant_id is null))
);

create table hook_token (
    token_hash bytea primary key,
    tenant_id uuid not null,
    connection_id uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz
);

-- Append-only; seq and hash chain run per tenant (the nil tenant is the platform's own chain).
create table audit (
    tenant_id uuid not null,
    seq bigint not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null default '{}',
    previous_hash bytea not null,
    hash bytea not null,
    primary key (tenant_id, seq)
);

create table data_key (
    tenant_id uuid not null,
    period int not null,
    wrapped bytea not null,
    master_key_id text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, period)
);

-- ---------------------------------------------------------------- configuration of one retailer

create table connection (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    connector text not null,
    title text not null default '',
    settings jsonb not null default '{}',
    state text not null default 'active' constraint connection_state_known check (state in ('active', 'paused', 'disabled')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint connection_name_unique unique (tenant_id, name)
);

create table connection_secret (
    tenant_id uuid not null,
    connection_id uuid not null,
    field text not null,
    slot text not null default 'current' constraint connection_secret_slot_known check (slot in ('current', 'previous')),
    sealed bytea not null,
    period int not null,
    valid_until timestamptz,
    updated_at timestamptz not null default now(),
    primary key (tenant_id, connection_id, field, slot),
    constraint connection_secret_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);

-- What the engine learned about a connection: breaker, authorization, pace.
create table connection_health (
    tenant_id uuid not null,
    connection_id uuid not null,
    state text not null default 'closed' constraint connection_health_state_known check (state in ('closed', 'open', 'half_open', 'authorization_lost')),
    closed_until timestamptz,
    probe_s double precision not null default 15,
    reason text not null default '',
    changed_at timestamptz not null default now(),
    last_success_at timestamptz,
    primary key (tenant_id, connection_id),
    constraint connection_health_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);

create table flow (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    blueprint text not null default '',
    source_connection_id uuid not null,
    target_connection_id uuid not null,
    event_types text[] not null,
    action text not null,
    ordering text not null default 'strict' constraint flow_ordering_known check (ordering in ('strict', 'latest_wins', 'none')),
    class smallint not null default 1 constraint flow_class_known check (class between 0 and 3),
    settings jsonb not null default '{}',
    is_enabled boolean not null default true,
    version int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint flow_name_unique unique (tenant_id, name),
    constraint flow_source_fk foreign key (tenant_id, source_connection_id) references connection (tenant_id, id),
    constraint flow_target_fk foreign key (tenant_id, target_connection_id) references connection (tenant_id, id)
);

create table poll_cursor (
    tenant_id uuid not null,
    connection_id uuid not null,
    stream text not null,
    cursor jsonb not null default '{}',
    every_s double precision not null default 60,
    next_at timestamptz not null default now(),
    lease_until timestamptz,
    last_run_at timestamptz,
    last_problem text not null default '',
    primary key (tenant_id, connection_id, stream),
    constraint poll_cursor_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index poll_cursor_due on poll_cursor (next_at);

-- ---------------------------------------------------------------- intake

create sequence message_accept_seq;

-- The promise to the sender: one row per accepted record, written with it, never changed. It is the
-- deduplication key and the witness against which the books are checked.
create table receipt (
    tenant_id uuid not null,
    connection_id uuid not null,
    dedup_hash bytea not null constraint receipt_hash_is_sha256 check (octet_length(dedup_hash) = 32),
    message_id uuid not null,
    body_sha256 bytea not null,
    received_at timestamptz not null,
    primary key (tenant_id, connection_id, dedup_hash)
);
create index receipt_by_time on receipt using brin (received_at) with (pages_per_range = 8);

create table message (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    accept_seq bigint not null default nextval('message_accept_seq'),
    topic text not null,
    dedup_label text not null default '',
    state text not null default 'received' constraint message_state_known
        check (state in ('received', 'held', 'prepared', 'settled', 'discarded', 'cancelled')),
    -- The predicate of an index must not change with every state, or no update would be heap-only.
    is_waiting boolean not null generated always as (state = 'received') stored,
    fate text not null default '' constraint message_fate_known
        check (fate in ('', 'routed', 'skipped', 'merged', 'discarded', 'cancelled')),
    code text not null default '',
    routes int not null default 0,
    open_routes int not null default 0 constraint message_open_routes_sane check (open_routes between 0 and routes),
    revision int not null default 0,
    crash_count smallint not null default 0,
    size_bytes int not null,
    file_id uuid,
    position jsonb,
    trace_parent text not null default '',
    received_at timestamptz not null,
    prepared_at timestamptz,
    primary key (tenant_id, id)
) partition by range (id);
create index message_waiting on message (tenant_id, accept_seq) where is_waiting;
create index message_by_time on message using brin (received_at) with (pages_per_range = 8);

create table message_body (
    tenant_id uuid not null,
    message_id uuid not null,
    revision int not null default 0,
    headers jsonb not null default '{}',
    sealed bytea not null,
    period int not null,
    body_sha256 bytea not null,
    edited_by text not null default '',
    edited_at timestamptz,
    primary key (tenant_id, message_id, revision)
) partition by range (message_id);

create table file (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    name text not null,
    sha256 bytea not null,
    size_bytes bigint not null,
    state text not null constraint file_state_known check (state in ('reading', 'read', 'held')),
    records int not null default 0,
    duplicates int not null default 0,
    broken int not null default 0,
    received_at timestamptz not null,
    read_at timestamptz,
    primary key (tenant_id, id),
    constraint file_content_unique unique (tenant_id, connection_id, sha256),
    constraint file_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);

create table idempotency_key (
    tenant_id uuid not null,
    key_hash bytea not null,
    fingerprint bytea not null,
    status int not null,
    answer jsonb not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, key_hash)
);

-- ---------------------------------------------------------------- events, lanes, deliveries

create table event (
    tenant_id uuid not null,
    id uuid not null,
    message_id uuid not null,
    connection_id uuid not null,
    type text not null,
    contract text not null,
    key text not null,
    object_id text not null,
    version text not null default '',
    label text not null,
    occurred_at timestamptz not null,
    business_day date,
    amount numeric(19, 6) constraint event_amount_is_a_number check (amount is null or amount <> 'NaN'),
    currency text,
    revision int not null default 0,
    routed_to uuid[] not null default '{}',
    sealed bytea not null,
    period int not null,
    accepted_at timestamptz not null,
    primary key (tenant_id, id)
) partition by range (id);
create index event_by_message on event (tenant_id, message_id);
create index event_by_object on event (tenant_id, object_id);

-- The same fact told twice: by hook and by poll, or again with other content (then a person decides).
create table fact (
    tenant_id uuid not null,
    connection_id uuid not null,
    fact_hash bytea not null,
    content_hash bytea not null,
    event_id uuid not null,
    primary key (tenant_id, connection_id, fact_hash)
);

create table lane (
    tenant_id uuid not null,
    connection_id uuid not null,
    lane_hash bytea not null,
    label text not null,
    class smallint not null default 1,
    next_seq bigint not null default 1,
    open_count int not null default 0 constraint lane_open_count_sane check (open_count >= 0),
    ready_at timestamptz,
    holder text,
    lease_token bigint not null default 0,
    blocked_by uuid,
    primary key (tenant_id, connection_id, lane_hash)
) with (fillfactor = 70);
create index lane_due on lane (tenant_id, connection_id, class, ready_at) where ready_at is not null;

create table delivery (
    tenant_id uuid not null,
    id uuid not null,
    event_id uuid not null,
    message_id uuid not null,
    flow_id uuid not null,
    source_connection_id uuid not null,
    connection_id uuid not null,
    lane_hash bytea not null,
    seq bigint not null,
    class smallint not null,
    state text not null constraint delivery_state_known check (state in (
        'ready', 'delivering', 'waiting', 'checking', 'held', 'delivered', 'superseded', 'discarded', 'cancelled')),
    is_open boolean not null generated always as
        (state in ('ready', 'delivering', 'waiting', 'checking', 'held')) stored,
    attempt_count int not null default 0,
    crash_count smallint not null default 0,
    not_before timestamptz,
    effect_key text not null,
    external_ref text not null default '',
    code text not null default '',
    words text not null default '',
    replay_no int not null default 0,
    accepted_at timestamptz not null,
    settled_at timestamptz,
    primary key (tenant_id, id),
    constraint delivery_once_per_flow unique (tenant_id, event_id, flow_id, replay_no)
) with (fillfactor = 80);
create unique index delivery_open on delivery (tenant_id, connection_id, lane_hash, seq) where is_open;
create index delivery_by_message on delivery (tenant_id, message_id);
create index delivery_by_time on delivery using brin (accepted_at) with (pages_per_range = 8);

create table attempt (
    tenant_id uuid not null,
    id uuid not null,
    delivery_id uuid not null,
    number int not null,
    started_at timestamptz not null,
    took_ms int not null,
    outcome text not null,
    status int,
    code text not null default '',
    words text not null default '',
    worker text not null,
    lease_token bigint not null,
    primary key (tenant_id, id)
) partition by range (id);
create index attempt_by_delivery on attempt (tenant_id, delivery_id);

create table hold (
    tenant_id uuid not null,
    id uuid not null,
    message_id uuid not null,
    delivery_id uuid,
    connection_id uuid not null,
    flow_id uuid,
    code text not null,
    pointer text not null default '',
    words text not null,
    label text not null default '',
    position jsonb,
    amount numeric(19, 6),
    currency text,
    state text not null default 'open' constraint hold_state_known
        check (state in ('open', 'released', 'edited', 'discarded', 'superseded', 'healed')),
    owner text not null default '',
    due_at timestamptz,
    reason text not null default '',
    decided_by text not null default '',
    decided_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index hold_open on hold (tenant_id, created_at) where state = 'open';
create index hold_by_message on hold (tenant_id, message_id);
create unique index hold_one_open_per_delivery on hold (tenant_id, delivery_id) where state = 'open' and delivery_id is not null;

-- Billable facts: once per business object, at its first successful delivery.
create table usage_fact (
    tenant_id uuid not null,
    kind text not null,
    business_key text not null,
    delivery_id uuid not null,
    counted_at timestamptz not null default now(),
    primary key (tenant_id, kind, business_key)
);

-- The books as last checked: what was accepted in one hour and what became of it.
create table book_hour (
    tenant_id uuid not null,
    connection_id uuid not null,
    hour timestamptz not null,
    accepted bigint not null,
    fates jsonb not null,
    held bigint not null,
    in_flight bigint not null,
    unaccounted bigint not null,
    checked_at timestamptz not null,
    primary key (tenant_id, connection_id, hour)
);

create table flow_hour (
    tenant_id uuid not null,
    flow_id uuid not null,
    hour timestamptz not null,
    routed bigint not null,
    fates jsonb not null,
    held bigint not null,
    in_flight bigint not null,
    unaccounted bigint not null,
    checked_at timestamptz not null,
    primary key (tenant_id, flow_id, hour)
);
