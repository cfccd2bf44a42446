-- What returns need to be found by, to be worked on, and to be judged by.

alter table return_process
    -- The order that it goes back to, empty without a receipt or while it is not known.
    add column order_id text not null default '',
    -- What its source calls it: its id there and the number people read.
    add column source_ref text not null default '',
    add column number text not null default '',
    add column kind text not null default '',
    -- Goods received, refund paid, books reversed, history told: 1 or 0 each, in this order.
    add column agreement text not null default '0000' constraint return_process_agreement_known check (agreement ~ '^[01]{4}$');
create index return_process_by_order on return_process (tenant_id, order_id) where order_id <> '';
create index return_process_by_ref on return_process (tenant_id, source_ref) where source_ref <> '';
create index return_process_by_number on return_process (tenant_id, number) where number <> '';

-- Returns about which something is known that was not worked out yet. Rows are only added and taken
-- away, so that whoever tells waits for nobody.
create table return_due (
    tenant_id uuid not null,
    id uuid not null,
    return_id uuid not null,
    due_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index return_due_by_time on return_due (due_at);
create index return_due_of_return on return_due (tenant_id, return_id);

-- A retailer's terms of returns, and the steps that its own systems do without being asked.
create table return_terms (
    tenant_id uuid not null,
    policy text not null default '{}',
    elsewhere text[] not null default '{}',
    updated_at timestamptz not null default now(),
    updated_by text not null default '',
    primary key (tenant_id)
);

-- The lowest price that was paid for an article on a day, tax included: what a return without a
-- receipt is worth.
create table price_paid (
    tenant_id uuid not null,
    sku text not null,
    currency text not null,
    day date not null,
    gross numeric(19, 6) not null,
    rate numeric(9, 6) not null default 0,
    at timestamptz not null,
    primary key (tenant_id, sku, currency, day)
);
