-- Stock: what was told, what there is, what each channel may show and shows. Only additions.

-- Goods that moved and goods that were counted, as told; never changed. The same source key with other
-- content is a further telling: all who fold agree which one counts.
create table stock_fact (
    tenant_id uuid not null,
    sku text not null constraint stock_fact_sku_size check (length(sku) between 1 and 200),
    -- The connection and the source's own key of the movement or count.
    source_key text not null,
    telling bytea not null,
    -- `order`: so many were wanted as of this telling; `shipment`: so many of an order left.
    kind text not null constraint stock_fact_kind_known
        check (kind in ('movement', 'count', 'order', 'shipment')),
    quantity numeric(18, 6) not null,
    from_location text not null default '',
    from_state text not null default '',
    -- Where a movement goes, or what was counted.
    to_location text not null,
    to_state text not null,
    occurred_at timestamptz not null,
    uncertainty_s int not null default 0,
    reason text not null default '',
    -- The ticket or order that it belongs to.
    document text not null default '',
    -- Of two tellings of one thing the later one counts: by version and revision, then by time.
    rank text not null default '',
    stated_at timestamptz not null,
    -- What one unit was sold for, where that was told.
    unit_price numeric(19, 6),
    currency char(3),
    connection_id uuid not null,
    event_id uuid,
    told_at timestamptz not null default now(),
    primary key (tenant_id, sku, source_key, telling),
    constraint stock_fact_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index stock_fact_by_document on stock_fact (tenant_id, connection_id, document) where document <> '';
create index stock_fact_by_count on stock_fact (tenant_id, connection_id, told_at) where kind = 'count';

-- Every telling of a ticket or an order: an article that a later telling leaves out is in it no more.
create table stock_document (
    tenant_id uuid not null,
    connection_id uuid not null,
    document text not null,
    telling bytea not null,
    kind text not null constraint stock_document_kind_known check (kind in ('ticket', 'order')),
    -- Where it is served from; an order without a place stands on the account of its channel.
    location text not null default '',
    stated_at timestamptz not null,
    rank text not null default '',
    told_at timestamptz not null default now(),
    primary key (tenant_id, connection_id, document, telling),
    constraint stock_document_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);

-- Articles whose position or promise has to be worked out again. Rows are only added and taken away, so
-- that whoever tells of an article and whoever folds it never wait for each other.
create table stock_due (
    tenant_id uuid not null,
    id bigint generated always as identity,
    sku text not null,
    since timestamptz not null default clock_timestamp(),
    -- When the earliest thing happened that is not in the positions yet.
    occurred_at timestamptz not null,
    primary key (tenant_id, id),
    constraint stock_due_tenant_fk foreign key (tenant_id) references tenant (id)
);
create index stock_due_by_sku on stock_due (tenant_id, sku);

create table stock_position (
    tenant_id uuid not null,
    sku text not null,
    location text not null,
    state text not null,
    quantity numeric(18, 6) not null,
    as_of timestamptz not null,
    counted_at timestamptz,
    moved_at timestamptz,
    negative_since timestamptz,
    fold_version bigint not null default 1,
    primary key (tenant_id, sku, location, state),
    constraint stock_position_tenant_fk foreign key (tenant_id) references tenant (id)
);
create index stock_position_negative on stock_position (tenant_id, negative_since) where negative_since is not null;

-- What a channel may show of its pool: the rule of one article, or of all others (sku '').
create table channel_rule (
    tenant_id uuid not null,
    connection_id uuid not null,
    sku text not null default '',
    -- Locations whose stock it may show; empty: all places of our own.
    pool text[] not null default '{}',
    share_0_1 numeric(5, 4) not null default 1 constraint channel_rule_share check (share_0_1 between 0 and 1),
    safety_units int not null default 0 constraint channel_rule_safety check (safety_units >= 0),
    publish_from int not null default 0,
    publish_most int,
    self_decrements boolean not null default true,
    -- Where the channel keeps the stock, in its own words; what its connector calls a location.
    location text not null default '',
    frozen_until timestamptz,
    reason text not null default '',
    version int not null default 1,
    changed_by text not null default '',
    changed_at timestamptz not null default now(),
    primary key (tenant_id, connection_id, sku),
    constraint channel_rule_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);

-- One row for each article that a channel shows. `target` is what it may show, `shown` what it last said
-- that it shows (null: never told). Written by two hands: the keeper (target side), the publisher (shown side).
create table channel_position (
    tenant_id uuid not null,
    connection_id uuid not null,
    sku text not null,
    -- The keeper's side.
    target int not null constraint channel_position_target check (target >= 0),
    target_at timestamptz not null default now(),
    -- When the earliest thing happened that the channel does not show yet; null when it shows all.
    occurred_at timestamptz,
    seq bigint not null default 1,
    unit_price numeric(19, 6),
    currency char(3),
    -- The publisher's side.
    shown int,
    shown_at timestamptz,
    sent int,
    sent_at timestamptz,
    sent_seq bigint not null default 0,
    tries int not null default 0,
    not_before timestamptz,
    state text not null default 'due' constraint channel_position_state_known
        check (state in ('due', 'shown', 'refused', 'frozen')),
    code text not null default '',
    words text not null default '',
    primary key (tenant_id, connection_id, sku),
    constraint channel_position_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
) with (fillfactor = 70);
create index channel_position_due on channel_position (tenant_id, connection_id, target_at) where state = 'due';

-- Who publishes to a channel now: one path for each channel, fenced by a token.
create table channel_turn (
    tenant_id uuid not null,
    connection_id uuid not null,
    token bigint not null default 0,
    holder text not null default '',
    leased_until timestamptz,
    -- Set by the keeper with news, moved on by the publisher; 'infinity' when nothing waits.
    due_at timestamptz not null default 'infinity',
    primary key (tenant_id, connection_id),
    constraint channel_turn_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
create index channel_turn_due on channel_turn (due_at) where due_at < 'infinity';

create table reservation (
    tenant_id uuid not null,
    id uuid not null,
    client_key text not null,
    connection_id uuid not null,
    sku text not null,
    -- '' where the whole pool of the channel serves it.
    location text not null default '',
    quantity numeric(18, 6) not null constraint reservation_quantity check (quantity > 0),
    order_id text not null default '',
    state text not null default 'held' constraint reservation_state_known
        check (state in ('held', 'converted', 'released', 'expired')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    -- Since when the buyer is paying: it is kept a little longer then.
    paying_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, id),
    constraint reservation_client_key_unique unique (tenant_id, connection_id, client_key),
    constraint reservation_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
-- A converted one keeps its goods until the order itself is known.
create index reservation_keeping on reservation (tenant_id, sku) where state in ('held', 'converted');
create index reservation_expiring on reservation (expires_at) where state = 'held';

-- How often a place is heard of (null: nobody waits for it); one that fell silent gives nothing to
-- any pool, or keeps `dark_keeps` units of each article back.
create table stock_place (
    tenant_id uuid not null,
    location text not null,
    heartbeat_s int constraint stock_place_heartbeat check (heartbeat_s > 0),
    dark_keeps int constraint stock_place_dark_keeps check (dark_keeps >= 0),
    heard_at timestamptz,
    dark_since timestamptz,
    -- Sold on the spot only (a marketplace's own warehouse): in no pool of another channel.
    only_channel uuid,
    primary key (tenant_id, location),
    constraint stock_place_tenant_fk foreign key (tenant_id) references tenant (id)
);

-- What a kit is made of, and in which time.
create table kit_component (
    tenant_id uuid not null,
    kit_sku text not null,
    component_sku text not null,
    quantity numeric(18, 6) not null constraint kit_component_quantity check (quantity > 0),
    valid_from timestamptz not null,
    valid_to timestamptz,
    primary key (tenant_id, kit_sku, component_sku, valid_from),
    constraint kit_component_tenant_fk foreign key (tenant_id) references tenant (id)
);
create index kit_component_by_part on kit_component (tenant_id, component_sku);

-- One unit of `uom` is numerator/denominator base units of the article.
create table unit_conversion (
    tenant_id uuid not null,
    sku text not null,
    uom text not null,
    base_uom text not null,
    numerator bigint not null constraint unit_conversion_numerator check (numerator > 0),
    denominator bigint not null constraint unit_conversion_denominator check (denominator > 0),
    primary key (tenant_id, sku, uom),
    constraint unit_conversion_tenant_fk foreign key (tenant_id) references tenant (id)
);

-- More was sold than there was: who, how much, what it costs, how it ended.
create table oversell_case (
    tenant_id uuid not null,
    id uuid not null,
    sku text not null,
    connection_id uuid not null,
    order_id text not null,
    units numeric(18, 6) not null,
    amount numeric(19, 6),
    currency char(3),
    cause text not null,
    state text not null default 'open' constraint oversell_case_state_known
        check (state in ('open', 'resolved', 'cancelled')),
    resolution text not null default '',
    detail jsonb not null default '{}',
    found_at timestamptz not null default now(),
    ended_at timestamptz,
    decided_by text not null default '',
    primary key (tenant_id, id),
    constraint oversell_case_once unique (tenant_id, connection_id, order_id, sku),
    constraint oversell_case_connection_fk foreign key (tenant_id, connection_id) references connection (tenant_id, id)
);
