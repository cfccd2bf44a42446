-- Which name of which system meant which object, and when. Only additions.

-- An object of ours, whatever systems call it. What was merged stays as a tombstone.
create table identity (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null constraint identity_kind_known check (kind in
        ('product', 'variant', 'listing', 'customer', 'location', 'order', 'vendor', 'loyalty_account')),
    -- For people on a list; empty for persons.
    label text not null default '',
    -- The one that it is now; never one that was merged itself.
    merged_into uuid,
    merged_at timestamptz,
    created_by text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint identity_tenant_fk foreign key (tenant_id) references tenant (id),
    constraint identity_merged_fk foreign key (tenant_id, merged_into) references identity (tenant_id, id),
    constraint identity_merged_once check ((merged_into is null) = (merged_at is null) and merged_into <> id)
);
create index identity_by_merge on identity (tenant_id, merged_into) where merged_into is not null;

-- A name that means an object from one moment until just before another. Rows are ended, never changed.
create table binding (
    tenant_id uuid not null,
    id uuid not null,
    identity_id uuid not null,
    connection_id uuid not null,
    kind text not null,
    -- Compared letter by letter: 0007 is not 7.
    external_id text not null constraint binding_external_id_size check (length(external_id) between 1 and 200),
    valid_from timestamptz not null,
    valid_to timestamptz,
    -- 1: a person or the source says so; less: how probable it was when it was accepted.
    confidence numeric(4, 3) not null constraint binding_confidence_share check (confidence between 0 and 1),
    reason text not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    ended_by text,
    ended_at timestamptz,
    primary key (tenant_id, id),
    constraint binding_identity_fk foreign key (tenant_id, identity_id) references identity (tenant_id, id),
    constraint binding_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id),
    constraint binding_not_backwards check (valid_to is null or valid_to >= valid_from),
    constraint binding_ended_by_somebody check ((valid_to is null) = (ended_by is null))
);
create unique index binding_one_open on binding (tenant_id, connection_id, kind, external_id) where valid_to is null;
create index binding_by_name on binding (tenant_id, connection_id, kind, external_id, valid_from);
create index binding_by_identity on binding (tenant_id, identity_id);

-- A name that probably means an object of ours, for a person to say before anything is written.
create table identity_match (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    kind text not null,
    external_id text not null,
    candidate_id uuid not null,
    score numeric(4, 3) not null,
    reasons text[] not null,
    state text not null default 'open' constraint identity_match_state_known
        check (state in ('open', 'accepted', 'rejected')),
    proposed_at timestamptz not null default now(),
    decided_by text,
    decided_at timestamptz,
    primary key (tenant_id, id),
    constraint identity_match_candidate_fk foreign key (tenant_id, candidate_id) references identity (tenant_id, id),
    constraint identity_match_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id),
    constraint identity_match_asked_once unique (tenant_id, connection_id, kind, external_id, candidate_id)
);
create index identity_match_open on identity_match (tenant_id, connection_id, score desc) where state = 'open';
