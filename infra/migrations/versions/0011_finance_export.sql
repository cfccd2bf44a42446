-- Journals on their way to the books of account, settlements on their way in. Only additions.

-- `object_id` is the name under which the retail core said the journal, and under which its deliveries
-- are found; empty while it waits for an account. `records` and `evidence` count and hash the sale
-- records (or the settlement's lines) that it and all revisions before it add up to.
alter table journal add column object_id text not null default '';
alter table journal add column records int not null default 0;
alter table journal add column evidence bytea;
create unique index journal_by_object on journal (tenant_id, object_id) where object_id <> '';

-- The event that told a settlement, from which it can be taken again.
alter table settlement add column event_id uuid;

-- Settlements that were told and are still to be taken, or to be matched again.
create table settlement_due (
    tenant_id uuid not null,
    event_id uuid not null,
    due_at timestamptz not null default now(),
    primary key (tenant_id, event_id)
);

-- Who takes care of a break; empty: whoever has that kind of break.
alter table break add column owner text not null default '';
