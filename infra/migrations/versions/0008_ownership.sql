-- Our own numbers of objects, who may say what, what each system said last, and documents told twice.
-- Only additions: the code before runs on this schema.

-- What the retail core calls an object; the code before leaves it empty, then its id stands for it.
alter table identity add column code text not null default '';
-- Letters and digits, small, without leading zeros: how a name is found that is nearly the same.
alter table identity add column plain_code text generated always as
    (ltrim(lower(regexp_replace(code, '[\W_]+', '', 'g')), '0')) stored;
create unique index identity_code_unique on identity (tenant_id, kind, code) where code <> '';
create index identity_by_plain_code on identity (tenant_id, kind, plain_code) where code <> '';
create index identity_match_by_candidate on identity_match (tenant_id, candidate_id, connection_id) where state = 'open';

-- Who says what about which place, since when. Nothing is changed: of a group and place the newest
-- that is effective counts; without an owner it says that nobody is.
create table ownership_rule (
    tenant_id uuid not null,
    id uuid not null,
    attribute_group text not null,
    -- A location or channel; empty: everywhere else.
    place text not null default '',
    owner_id uuid,
    may_write uuid[] not null default '{}',
    on_foreign text not null constraint ownership_rule_on_foreign_known
        check (on_foreign in ('accept', 'hold', 'refuse', 'restore')),
    effective_from timestamptz not null,
    reason text not null,
    set_by text not null,
    set_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint ownership_rule_tenant_fk foreign key (tenant_id) references tenant (id),
    constraint ownership_rule_owner_fk foreign key (tenant_id, owner_id) references connection (tenant_id, id)
);
create index ownership_rule_by_group on ownership_rule (tenant_id, attribute_group, place, effective_from);

-- Which systems say something of a group at all: one alone needs no comparing.
create table truth_source (
    tenant_id uuid not null,
    attribute_group text not null,
    connection_id uuid not null,
    first_at timestamptz not null default now(),
    primary key (tenant_id, attribute_group, connection_id)
);

-- What each system said last of one attribute of one object at one place.
create table truth_stated (
    tenant_id uuid not null,
    attribute text not null,
    object_id text not null,
    place text not null,
    connection_id uuid not null,
    value text not null,
    stated_at timestamptz not null,
    event_id uuid not null,
    contract text not null,
    times int not null default 1,
    primary key (tenant_id, attribute, object_id, place, connection_id)
);

-- Whose word counted last, and when it went from one system's to another's and back.
create table truth_turn (
    tenant_id uuid not null,
    attribute text not null,
    object_id text not null,
    place text not null,
    connection_id uuid not null,
    value text not null,
    stated_at timestamptz not null,
    flips timestamptz[] not null default '{}',
    frozen_at timestamptz,
    primary key (tenant_id, attribute, object_id, place)
);
create index truth_turn_frozen on truth_turn (tenant_id) where frozen_at is not null;

-- Tickets by what they say, to find the one that was told again under another number.
create table document_trace (
    tenant_id uuid not null,
    content bytea not null,
    object_id text not null,
    label text not null,
    occurred_at timestamptz not null,
    -- Hashes of what the card terminal answered, 16 bytes each; none: paid in cash.
    payments bytea not null default '',
    seen_at timestamptz not null default now(),
    primary key (tenant_id, content, object_id)
);
create index document_trace_by_age on document_trace (seen_at);

-- Which article carries which trade number, of which packaging.
create table gtin_use (
    tenant_id uuid not null,
    gtin text not null,
    level text not null,
    sku text not null,
    connection_id uuid not null,
    first_at timestamptz not null default now(),
    primary key (tenant_id, gtin, level, sku)
);
