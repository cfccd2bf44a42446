-- The portal: who may enter, by which credential, and which sessions are open. Only additions.

-- One person's password and second factor. The secret of the factor is sealed under the platform's own key.
create table credential (
    person_id uuid primary key constraint credential_person_fk references person (id),
    password_hash text not null,
    factor_sealed bytea not null,
    factor_period int not null,
    -- The last thirty seconds in which a code was taken: no code is good twice.
    factor_step bigint not null default 0,
    changed_at timestamptz not null default now()
);

-- Links that open the portal once: to choose a password, or (made on the command line) to enter.
create table entry_link (
    token_hash bytea primary key constraint entry_link_hash_is_sha256 check (octet_length(token_hash) = 32),
    person_id uuid not null constraint entry_link_person_fk references person (id),
    kind text not null constraint entry_link_kind_known check (kind in ('invitation', 'sign_in')),
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index entry_link_by_person on entry_link (person_id);

create table portal_session (
    token_hash bytea primary key constraint portal_session_hash_is_sha256 check (octet_length(token_hash) = 32),
    id uuid not null constraint portal_session_id_unique unique,
    person_id uuid not null constraint portal_session_person_fk references person (id),
    way text not null constraint portal_session_way_known check (way in ('password', 'invitation', 'sign_in')),
    browser text not null default '',
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index portal_session_by_person on portal_session (person_id) where revoked_at is null;

-- How often entering failed lately, by a digest of the address or of the network it came from.
create table sign_in_failure (
    subject bytea primary key,
    failures int not null,
    since_at timestamptz not null
);

-- Which partner's portal a host name is.
create table portal_host (
    host text primary key constraint portal_host_is_lower check (host = lower(host)),
    partner_id uuid not null constraint portal_host_partner_fk references partner (id),
    created_at timestamptz not null default now()
);
create index portal_host_by_partner on portal_host (partner_id);

-- What a retailer's own look adds to its partner's.
alter table tenant add column brand jsonb not null default '{}';
