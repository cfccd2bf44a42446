-- Returns: a process, what was told about it, what it asked others to do, what it asks people.

create table return_process (
    tenant_id uuid not null,
    id uuid not null,
    -- What the one who opened it calls it, with the connection it is from: "web-shop/R-1001".
    source_key text not null,
    label text not null,
    status text not null default 'open' constraint return_process_status_known check (status in
        ('open', 'closed_complete', 'closed_with_accepted_break', 'rejected', 'expired', 'written_off')),
    step text not null constraint return_process_step_known check (step in
        ('R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8', 'R9', 'R10', 'R11')),
    step_since timestamptz not null default now(),
    -- Until when the step may be without word; null when it is over.
    limit_at timestamptz,
    waits_for text not null constraint return_process_waits_for_known check (waits_for in ('auto', 'human', 'external', 'nobody')),
    words text not null default '',
    currency text not null default '',
    owed numeric(19, 6) not null default 0,
    refunded numeric(19, 6) not null default 0,
    breaks text[] not null default '{}',
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    primary key (tenant_id, id),
    constraint return_process_source_unique unique (tenant_id, source_key),
    constraint return_process_closed_when_over check ((status = 'open') = (closed_at is null))
);
create index return_process_open on return_process (tenant_id, limit_at) where status = 'open';
create index return_process_limit on return_process (limit_at) where status = 'open' and step = 'R3';

-- Append-only. `key` is that of the one who tells: told twice it counts once.
create table return_fact (
    tenant_id uuid not null,
    return_id uuid not null,
    key text not null,
    kind text not null,
    at timestamptz not null,
    told_at timestamptz not null default now(),
    body text not null,
    primary key (tenant_id, return_id, key),
    constraint return_fact_process_fk foreign key (tenant_id, return_id) references return_process (tenant_id, id)
);

-- Work to do, at every attempt under the same key.
create table return_command (
    tenant_id uuid not null,
    return_id uuid not null,
    key text not null,
    step text not null,
    part text not null,
    work text not null,
    state text not null default 'waiting' constraint return_command_state_known
        check (state in ('waiting', 'leased', 'done', 'refused', 'withdrawn')),
    attempts int not null default 0,
    refusals int not null default 0,
    due_at timestamptz not null default now(),
    lease_token uuid,
    words text not null default '',
    created_at timestamptz not null default now(),
    settled_at timestamptz,
    primary key (tenant_id, return_id, key),
    constraint return_command_leased_with_token check ((state = 'leased') = (lease_token is not null)),
    constraint return_command_process_fk foreign key (tenant_id, return_id) references return_process (tenant_id, id)
);
-- A lease ends at `due_at`, so that what a dead worker held is due again by itself.
create index return_command_due on return_command (due_at) where state in ('waiting', 'leased');

create table return_decision (
    tenant_id uuid not null,
    return_id uuid not null,
    question text not null,
    subject text not null,
    words text not null,
    choices text[] not null,
    asked_at timestamptz not null default now(),
    deadline_at timestamptz not null,
    -- Nobody needs the answer any more.
    withdrawn_at timestamptz,
    decided_at timestamptz,
    decided_by text,
    choice text,
    remark text not null default '',
    primary key (tenant_id, return_id, question, subject),
    constraint return_decision_whole check ((decided_at is null) = (choice is null) and (decided_at is null) = (decided_by is null)),
    constraint return_decision_process_fk foreign key (tenant_id, return_id) references return_process (tenant_id, id)
);
create index return_decision_open on return_decision (tenant_id, deadline_at) where decided_at is null and withdrawn_at is null;
