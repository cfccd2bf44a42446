-- Orders: what was agreed, anew and anew; what was posted of it; which deadlines run; what each channel lists.

create table sales_order (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    -- The channel's own id of the order, and what its people call it.
    order_id text not null,
    number text not null default '',
    kind text not null default '',
    status text not null constraint sales_order_status_known
        check (status in ('awaited', 'pending', 'open', 'cancelled', 'closed')),
    payment text not null default 'unpaid' constraint sales_order_payment_known
        check (payment in ('unpaid', 'partially_paid', 'paid', 'partially_refunded', 'refunded')),
    fulfilment text not null default 'unfulfilled' constraint sales_order_fulfilment_known
        check (fulfilment in ('unfulfilled', 'partial', 'fulfilled')),
    currency text not null default '',
    is_test boolean not null default false,
    is_cancelled boolean not null default false,
    placed_at timestamptz not null,
    day date not null,
    -- What the order comes to now, what its refunds took from it, and the sum of its agreements.
    total numeric(19, 6) not null default 0,
    refunded numeric(19, 6) not null default 0,
    standing numeric(19, 6) not null default 0,
    paid numeric(19, 6) not null default 0,
    agreements int not null default 0,
    -- How many tellings came that a newer one had overtaken.
    overtaken int not null default 0,
    -- The newest telling: its place in the order of tellings, and its lines.
    rank jsonb not null default '[]',
    content jsonb not null default '[]',
    -- Up to which moment the channel's changes of it are known (UTC).
    seen_at timestamptz not null,
    acknowledge_by timestamptz,
    acknowledged_at timestamptz,
    ship_by timestamptz,
    shipped_at timestamptz,
    clock_started_at timestamptz not null,
    -- Agreements of it wait to be posted.
    is_post_due boolean not null default false,
    changed_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint sales_order_once unique (tenant_id, connection_id, order_id),
    constraint sales_order_adds_up check (standing = total - refunded),
    constraint sales_order_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index sales_order_by_day on sales_order (tenant_id, connection_id, day);
create index sales_order_by_order_id on sales_order (tenant_id, order_id);
create index sales_order_by_number on sales_order (tenant_id, number);
create index sales_order_post_due on sales_order (tenant_id, id) where is_post_due;
create index sales_order_unacknowledged on sales_order (tenant_id, connection_id)
    where acknowledged_at is null and kind not in ('', 'pos');
create index sales_order_clock on sales_order (tenant_id)
    where acknowledge_by is not null and acknowledged_at is null or ship_by is not null and shipped_at is null;

-- Never changed but for what became of its posting.
create table agreement (
    tenant_id uuid not null,
    order_key uuid not null,
    number int not null constraint agreement_number check (number > 0),
    reason text not null constraint agreement_reason_known
        check (reason in ('order', 'order_edit', 'cancellation', 'refund', 'return', 'correction')),
    happened_at timestamptz not null,
    total numeric(19, 6) not null,
    event_id uuid,
    made_by text not null,
    posting text not null default 'due' constraint agreement_posting_known
        check (posting in ('due', 'said', 'not_needed')),
    posted_at timestamptz,
    made_at timestamptz not null default now(),
    primary key (tenant_id, order_key, number),
    constraint agreement_order_fk foreign key (tenant_id, order_key) references sales_order (tenant_id, id)
);

-- What one agreement adds to a line, or takes from it. `part` is the refund that it belongs to, '' for the order.
create table agreement_line (
    tenant_id uuid not null,
    order_key uuid not null,
    agreement int not null,
    place int not null,
    part text not null default '',
    line_type text not null constraint agreement_line_type_known
        check (line_type in ('product', 'shipping', 'fee', 'rounding')),
    line_id text not null default '',
    sku text,
    quantity numeric(18, 6) not null,
    net numeric(19, 6) not null,
    discount numeric(19, 6) not null,
    tax numeric(19, 6) not null,
    gross numeric(19, 6) not null,
    primary key (tenant_id, order_key, agreement, place),
    constraint agreement_line_agreement_fk foreign key (tenant_id, order_key, agreement)
        references agreement (tenant_id, order_key, number)
);

create table order_refund (
    tenant_id uuid not null,
    order_key uuid not null,
    refund_id text not null,
    rank jsonb not null,
    happened_at timestamptz not null,
    amount numeric(19, 6) not null,
    content jsonb not null,
    primary key (tenant_id, order_key, refund_id),
    constraint order_refund_order_fk foreign key (tenant_id, order_key) references sales_order (tenant_id, id)
);

-- Goods that left, as whoever sent them tells it; without an order until that is told too.
create table order_shipment (
    tenant_id uuid not null,
    connection_id uuid not null,
    shipment_id text not null,
    order_ref text not null,
    order_key uuid,
    rank jsonb not null,
    status text not null,
    shipped_at timestamptz not null,
    carrier text not null default '',
    tracking_numbers text[] not null default '{}',
    -- [line id, sku, quantity] of each line.
    content jsonb not null,
    primary key (tenant_id, connection_id, shipment_id),
    constraint order_shipment_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id),
    constraint order_shipment_order_fk foreign key (tenant_id, order_key) references sales_order (tenant_id, id)
);
create index order_shipment_by_order on order_shipment (tenant_id, order_key);
create index order_shipment_by_ref on order_shipment (tenant_id, order_ref) where order_key is null;

-- What a channel lists when it is asked, whatever it told by itself.
create table order_listed (
    tenant_id uuid not null,
    connection_id uuid not null,
    order_id text not null,
    number text not null default '',
    placed_at timestamptz not null,
    day date not null,
    updated_at timestamptz not null,
    total numeric(19, 6),
    currency text,
    listed_at timestamptz not null default now(),
    primary key (tenant_id, connection_id, order_id),
    constraint order_listed_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index order_listed_by_day on order_listed (tenant_id, connection_id, day);

-- Which stretch of time of which channel is listed next.
create table order_sweep (
    tenant_id uuid not null,
    connection_id uuid not null,
    stretch text not null,
    next_at timestamptz not null default now(),
    lease_until timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    listed int not null default 0,
    fetched int not null default 0,
    problem text not null default '',
    primary key (tenant_id, connection_id, stretch),
    constraint order_sweep_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index order_sweep_due on order_sweep (next_at);
