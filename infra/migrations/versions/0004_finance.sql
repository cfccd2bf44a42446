-- Store days, journals and settlements: what was sold, what is to be booked, what was paid out. Only
-- additions: the code before runs on this schema.

-- What an entity says about its books; the newest version counts.
create table posting_rules (
    tenant_id uuid not null,
    version int not null,
    content jsonb not null,
    published_by text not null,
    published_at timestamptz not null default now(),
    primary key (tenant_id, version)
);

-- Up to where the events of a retailer were taken into sale records.
create table sale_watermark (
    tenant_id uuid primary key,
    event_id uuid not null,
    taken_at timestamptz not null default now()
);

-- One telling of one document (a ticket, an order, a refund): what it comes to as it then stood. The
-- same telling is one row however often it comes. `facts` are [kind, detail, amount] without persons.
create table sale_record (
    tenant_id uuid not null,
    document text not null,
    telling bytea not null,
    event_id uuid not null,
    kind text not null constraint sale_record_kind_known check (kind in ('ticket', 'order', 'refund')),
    place text not null,
    channel text not null,
    store text not null default '',
    business_day date not null,
    workstation text not null default '',
    operator text not null default '',
    sequence text not null default '',
    number bigint,
    currency text not null,
    total numeric(19, 6) not null,
    -- By which names a channel's settlement may call this sale.
    reference text not null default '',
    told_at timestamptz not null,
    version text not null default '',
    revision int not null default 0,
    lines int not null default 0,
    unmapped_lines int not null default 0,
    is_clock_suspect boolean not null default false,
    facts jsonb not null,
    taken_at timestamptz not null default now(),
    primary key (tenant_id, document, telling)
);
create index sale_record_by_day on sale_record (tenant_id, place, business_day);
create index sale_record_by_channel_day on sale_record (tenant_id, channel, business_day);
create index sale_record_by_event on sale_record (tenant_id, event_id);
create index sale_record_by_reference on sale_record (tenant_id, reference) where reference <> '';

create table store_day (
    tenant_id uuid not null,
    place text not null,
    business_day date not null,
    state text not null default 'expected' constraint store_day_state_known
        check (state in ('expected', 'open', 'received', 'closed', 'audited', 'posted', 're_opened')),
    tickets int not null default 0,
    gaps int not null default 0,
    late_tickets int not null default 0,
    words text not null default '',
    -- What the store said at its close: {"counted": {...}, "report_total": ..., "last_numbers": {...}}.
    declared jsonb not null default '{}',
    first_ticket_at timestamptz,
    last_ticket_at timestamptz,
    closed_at timestamptz,
    closed_by text not null default '',
    accepted_reason text not null default '',
    posted_at timestamptz,
    primary key (tenant_id, place, business_day)
);
create index store_day_by_day on store_day (tenant_id, business_day);

create table journal (
    tenant_id uuid not null,
    id uuid not null,
    entity text not null,
    kind text not null constraint journal_kind_known check (kind in ('sales_day', 'over_short', 'settlement')),
    place text not null,
    business_day date not null,
    currency text not null,
    revision int not null constraint journal_revision_positive check (revision > 0),
    status text not null constraint journal_status_known check (status in ('draft', 'balanced')),
    posted_on date not null,
    memo text not null default '',
    debit numeric(19, 6) not null,
    credit numeric(19, 6) not null,
    source_hash bytea not null,
    made_by text not null,
    made_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint journal_balanced check (debit = credit),
    constraint journal_revision_unique unique (tenant_id, kind, place, business_day, currency, revision)
);
create index journal_draft on journal (tenant_id) where status = 'draft';

create table journal_line (
    tenant_id uuid not null,
    journal_id uuid not null,
    number int not null,
    role text not null,
    detail text not null default '',
    account text,
    debit numeric(19, 6) not null default 0,
    credit numeric(19, 6) not null default 0,
    memo text not null default '',
    primary key (tenant_id, journal_id, number),
    constraint journal_line_one_side check (debit >= 0 and credit >= 0 and (debit = 0 or credit = 0)),
    constraint journal_line_journal_fk foreign key (tenant_id, journal_id) references journal (tenant_id, id)
);

create table settlement (
    tenant_id uuid not null,
    id uuid not null,
    channel text not null,
    external_id text not null,
    account text not null default '',
    currency text not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    deposited_on date,
    opening_reserve numeric(19, 6) not null default 0,
    closing_reserve numeric(19, 6) not null default 0,
    payout numeric(19, 6) not null,
    bank_reference text not null default '',
    content_hash bytea not null,
    unexplained numeric(19, 6) not null default 0,
    taken_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint settlement_external_unique unique (tenant_id, channel, account, external_id)
);

create table settlement_line (
    tenant_id uuid not null,
    settlement_id uuid not null,
    line_key text not null,
    posted_at timestamptz not null,
    transaction_type text not null,
    type text not null,
    description text not null,
    category text not null,
    order_ref text not null default '',
    line_ref text not null default '',
    sku text not null default '',
    quantity numeric(18, 6),
    amount numeric(19, 6) not null,
    release text not null default 'released' constraint settlement_line_release_known
        check (release in ('released', 'deferred', 'deferred_released')),
    primary key (tenant_id, settlement_id, line_key),
    constraint settlement_line_settlement_fk foreign key (tenant_id, settlement_id) references settlement (tenant_id, id)
);
create index settlement_line_by_order on settlement_line (tenant_id, order_ref) where order_ref <> '';

-- What two sides say differently. The same problem found on ten nights is one break of ten days.
create table break (
    tenant_id uuid not null,
    kind text not null,
    key text not null,
    place text not null default '',
    business_day date,
    state text not null default 'open' constraint break_state_known check (state in ('open', 'closed')),
    words text not null,
    amount numeric(19, 6),
    currency text,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    closed_at timestamptz,
    resolution text not null default '',
    primary key (tenant_id, kind, key)
);
create index break_open on break (tenant_id, kind, place, business_day) where state = 'open';
