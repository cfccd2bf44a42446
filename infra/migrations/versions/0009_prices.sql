-- Prices, promotions and recalls: what was told, what is valid where and when, and how far it has come.

-- Where prices go: one place (a store, a web shop) behind one connection, with the clock on its wall.
create table price_target (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    -- What the retailer calls the place: the store's number, the shop's name.
    place text not null constraint price_target_place_size check (length(place) between 1 and 100),
    kind text not null constraint price_target_kind_known check (kind in ('store', 'channel')),
    -- What else it belongs to, as kind:name (region:west, store_group:outlets).
    scopes text[] not null default '{}',
    zone text not null,
    currency char(3) not null,
    is_tax_inclusive boolean not null default false,
    tax_rate numeric(9, 6),
    -- Takes a price before it is valid and begins it by itself; else it is told at the moment.
    schedules_ahead boolean not null default false,
    lead_s int not null default 14400 constraint price_target_lead_sane check (lead_s between 0 and 2592000),
    -- Whom to call when it does not answer.
    phone text not null default '',
    is_active boolean not null default true,
    changed_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint price_target_place_unique unique (tenant_id, connection_id, place),
    constraint price_target_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);

-- What was told of a price, a promotion or a product; never changed but for what people decide about it.
create table price_version (
    tenant_id uuid not null,
    id uuid not null,
    subject text not null constraint price_version_subject_known check (subject in ('price', 'promotion', 'product')),
    connection_id uuid not null,
    object_id text not null,
    version text not null default '',
    content_hash bytea not null,
    -- The SKU of a price; a promotion or product is its own item.
    item text not null,
    body jsonb not null,
    told_at timestamptz not null,
    state text not null constraint price_version_state_known check (state in ('held', 'current', 'superseded')),
    -- Why it waits for a person, and who let it pass.
    words text not null default '',
    message_id uuid,
    approved_by text not null default '',
    approved_at timestamptz,
    -- A person ended it: from then on it holds nowhere.
    withdrawn_at timestamptz,
    withdrawn_by text not null default '',
    taken_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint price_version_once unique (tenant_id, subject, connection_id, object_id, version, content_hash),
    constraint price_version_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index price_version_by_item on price_version (tenant_id, subject, item) where state <> 'superseded';

-- What an article costs and whether it may be sold, as its product last said.
create table priced_article (
    tenant_id uuid not null,
    sku text not null,
    product_id text not null,
    title text not null default '',
    status text not null,
    cost numeric(19, 6),
    cost_currency char(3),
    told_at timestamptz not null,
    primary key (tenant_id, sku),
    constraint priced_article_tenant_fk foreign key (tenant_id) references tenant (id)
);

-- Articles that a recall took off a channel, and what it might show at most before.
create table stopped_sale (
    tenant_id uuid not null,
    connection_id uuid not null,
    sku text not null,
    publish_most int,
    stopped_at timestamptz not null default now(),
    ended_at timestamptz,
    primary key (tenant_id, connection_id, sku),
    constraint stopped_sale_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);

-- Items whose activations have to be worked out again.
create table price_due (
    tenant_id uuid not null,
    subject text not null,
    item text not null,
    since timestamptz not null default now(),
    primary key (tenant_id, subject, item),
    constraint price_due_tenant_fk foreign key (tenant_id) references tenant (id)
);
create index price_due_since on price_due (since);

-- One moment at which something begins at one place, and how far the place has come with it.
create table price_activation (
    tenant_id uuid not null,
    id uuid not null,
    target_id uuid not null,
    subject text not null constraint price_activation_subject_known check (subject in ('price', 'promotion', 'product')),
    item text not null,
    -- The list, least quantity and unit of a price; empty for others.
    series text not null default '',
    begins_at timestamptz not null,
    -- When the next one begins, or this one's time is over.
    ends_at timestamptz,
    -- What begins; with is_end it is what ends.
    version_id uuid not null,
    is_end boolean not null default false,
    amount numeric(19, 6),
    currency char(3),
    state text not null constraint price_activation_state_known check (state in (
        'planned', 'sent', 'accepted', 'active', 'verified', 'expired', 'withdrawn', 'failed')),
    -- How often something else was decided for this moment.
    revision int not null default 0,
    -- When to look at it next; 'infinity' when nothing is to be done.
    due_at timestamptz not null,
    message_id uuid,
    planned_at timestamptz not null default now(),
    sent_at timestamptz,
    accepted_at timestamptz,
    verified_at timestamptz,
    verified_by text not null default '',
    code text not null default '',
    words text not null default '',
    -- What was sold at another price in its time, and the money lost (negative: gained) by that.
    wrong_sales int not null default 0,
    leakage numeric(19, 6) not null default 0,
    primary key (tenant_id, id),
    constraint price_activation_moment_unique unique (tenant_id, target_id, subject, item, series, begins_at),
    constraint price_activation_target_fk foreign key (tenant_id, target_id) references price_target (tenant_id, id),
    constraint price_activation_version_fk foreign key (tenant_id, version_id) references price_version (tenant_id, id)
) with (fillfactor = 70);
create index price_activation_due on price_activation (due_at) where due_at < 'infinity';
create index price_activation_of_version on price_activation (tenant_id, version_id);
create index price_activation_by_item on price_activation (tenant_id, subject, item);

-- Sales that told us what a place charges; each counts once.
create table price_proof (
    tenant_id uuid not null,
    activation_id uuid not null,
    sale text not null,
    amount numeric(19, 6) not null,
    leakage numeric(19, 6) not null,
    sold_at timestamptz not null,
    primary key (tenant_id, activation_id, sale),
    constraint price_proof_activation_fk foreign key (tenant_id, activation_id) references price_activation (tenant_id, id)
);
