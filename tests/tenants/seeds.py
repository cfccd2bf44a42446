"""One row of every table of tenants, as SQL, in the order in which rows refer."""

from __future__ import annotations

# $1 tenant, $2 connection, $3 any other id of the row, in the order in which rows refer.
SEEDS = {
    "connection": "(tenant_id, id, name, connector) values ($1, $2, $3::text, 'http')",
    "connection_secret": (
        "(tenant_id, connection_id, field, sealed, period) values ($1, $2, $3::text, 'x', 202611)"
    ),
    "connection_health": "(tenant_id, connection_id, reason) values ($1, $2, $3::text)",
    "flow": (
        "(tenant_id, id, name, source_connection_id, target_connection_id, event_types, action)"
        " values ($1, $3, 'f', $2, $2, '{order.placed}', 'create')"
    ),
    "poll_cursor": "(tenant_id, connection_id, stream) values ($1, $2, $3::text)",
    "data_key": (
        "(tenant_id, period, wrapped, master_key_id)"
        " values ($1, 202611, sha256($2::uuid::text::bytea), $3::uuid::text)"
    ),
    "hook_token": (
        "(token_hash, tenant_id, connection_id) values (sha256($3::uuid::text::bytea), $1, $2)"
    ),
    "receipt": "values ($1, $2, sha256($3::uuid::text::bytea), $3, sha256('x'), now())",
    "message": (
        "(tenant_id, id, connection_id, topic, size_bytes, received_at)"
        " values ($1, $3, $2, 'orders', 1, now())"
    ),
    "message_body": (
        "(tenant_id, message_id, sealed, period, body_sha256)"
        " values ($1, $3, $2::uuid::text::bytea, 202611, sha256('x'))"
    ),
    "file": (
        "(tenant_id, id, connection_id, name, sha256, size_bytes, state, received_at)"
        " values ($1, $3, $2, 'f.csv', sha256('x'), 1, 'read', now())"
    ),
    "idempotency_key": (
        "(tenant_id, key_hash, fingerprint, status, answer)"
        " values ($1, sha256($2::uuid::text::bytea), sha256($3::uuid::text::bytea), 202, '{}')"
    ),
    "event": (
        "(tenant_id, id, message_id, connection_id, type, contract, key, object_id, label,"
        " occurred_at, sealed, period, accepted_at)"
        " values ($1, $3, $3, $2, 'order.placed', 'order/1', 'k', 'o', 'l', now(), 'x', 202611, now())"
    ),
    "fact": ("values ($1, $2, sha256($3::uuid::text::bytea), sha256('x'), $3)"),
    "lane": (
        "(tenant_id, connection_id, lane_hash, label) values ($1, $2, sha256('l'), $3::uuid::text)"
    ),
    "delivery": (
        "(tenant_id, id, event_id, message_id, flow_id, source_connection_id, connection_id,"
        " lane_hash, seq, class, state, effect_key, accepted_at)"
        " values ($1, $3, $3, $3, $3, $2, $2, sha256('l'), 1, 1, 'ready', 'e', now())"
    ),
    "attempt": (
        "(tenant_id, id, delivery_id, number, started_at, took_ms, outcome, worker, lease_token)"
        " values ($1, $2, $3, 1, now(), 5, 'delivered', 'w', 1)"
    ),
    "hold": (
        "(tenant_id, id, message_id, connection_id, code, words)"
        " values ($1, $3, $3, $2, 'contract.missing', 'w')"
    ),
    "usage_fact": (
        "(tenant_id, kind, business_key, delivery_id) values ($1, 'order', $2::uuid::text, $3)"
    ),
    "flow_version": (
        "(tenant_id, flow_id, version, settings, overrides, published_by)"
        " values ($1, $3, 1, '{}', '[]', $2::text)"
    ),
    "change": (
        "(tenant_id, id, kind, connection_id, words, actor)"
        " values ($1, $3, 'mapping', $2, 'w', 'test')"
    ),
    "connection_outage": "(tenant_id, id, connection_id, kind) values ($1, $3, $2, 'open')",
    "wanted_record": "(tenant_id, connection_id, reference) values ($1, $2, $3::text)",
    "budget": (
        "(tenant_id, credential, bucket, connection_id, tokens, rate_per_s, burst, declared_per_s,"
        " declared_burst) values ($1, sha256($3::uuid::text::bytea), 'b', $2, 1, 1, 1, 1, 1)"
    ),
    "reconnect_link": (
        "(token_hash, tenant_id, connection_id, created_by, expires_at)"
        " values (sha256($3::uuid::text::bytea), $1, $2, 'test', now())"
    ),
    "incident": (
        "(tenant_id, id, fingerprint, connection_id, connector, error_class, code, title,"
        " first_seen_at, last_seen_at)"
        " values ($1, $3, sha256('c'), $2, 'http', 'e', 'c', 't', now(), now())"
    ),
    "incident_moment": (
        "(tenant_id, id, incident_id, kind, actor, words)"
        " values ($1, $2, $3, 'opened', 'engine', 'w')"
    ),
    "alert_channel": (
        "(tenant_id, id, kind, name, address) values ($1, $3, 'mail', $2::text, 'a@x.example')"
    ),
    "alert": (
        "(tenant_id, id, channel_id, incident_id, thread_id, kind, severity)"
        " values ($1, $2, $3, $3, $2, 'opened', 2)"
    ),
    "remark": "(tenant_id, id, incident_id, author, words) values ($1, $2, $3, 'test', 'w')",
    "manual_override": (
        "(tenant_id, id, flow_id, kind, reason, created_by, expires_at)"
        " values ($1, $2, $3, 'skip', 'r', 'test', now())"
    ),
    "replay": (
        "(tenant_id, id, title, selection, reason, created_by)"
        " values ($1, $3, $2::text, '{}', 'r', 'test')"
    ),
    "replay_item": (
        "(tenant_id, replay_id, number, message_id, label) values ($1, $3, 1, $3, $2::text)"
    ),
    "prepare_try": "(tenant_id, worker, message_ids) values ($1, $2::text, array[$3::uuid])",
    "return_process": (
        "(tenant_id, id, source_key, label, step, waits_for)"
        " values ($1, $3, $2::text, 'l', 'R1', 'auto')"
    ),
    "return_fact": (
        "(tenant_id, return_id, key, kind, at, body) values ($1, $3, $2::text, 'k', now(), 'x')"
    ),
    "return_command": (
        "(tenant_id, return_id, key, step, part, work) values ($1, $3, $2::text, 'R1', 'p', 'w')"
    ),
    "return_decision": (
        "(tenant_id, return_id, question, subject, words, choices, deadline_at)"
        " values ($1, $3, 'q', $2::text, 'w', '{yes,no}', now())"
    ),
    "posting_rules": "(tenant_id, version, content, published_by) values ($1, 1, '{}', $2::text)",
    "sale_watermark": "(tenant_id, event_id) values ($1, $2)",
    "sale_record": (
        "(tenant_id, document, telling, event_id, kind, place, channel, business_day, currency,"
        " total, told_at, facts) values ($1, $2::text, sha256('t'), $3, 'ticket', 'p', 'c',"
        " '2026-11-27', 'USD', 1, now(), '[]')"
    ),
    "store_day": "(tenant_id, place, business_day) values ($1, $2::text, '2026-11-27')",
    "journal": (
        "(tenant_id, id, entity, kind, place, business_day, currency, revision, status, posted_on,"
        " debit, credit, source_hash, made_by) values ($1, $3, 'e', 'sales_day', $2::text,"
        " '2026-11-27', 'USD', 1, 'balanced', '2026-11-27', 1, 1, sha256('j'), 'test')"
    ),
    "journal_line": (
        "(tenant_id, journal_id, number, role, debit) values ($1, $3, 1, $2::text, 1)"
    ),
    "settlement": (
        "(tenant_id, id, channel, external_id, currency, period_start, period_end, payout,"
        " content_hash) values ($1, $3, 'c', $2::text, 'USD', now(), now(), 1, sha256('s'))"
    ),
    "settlement_line": (
        "(tenant_id, settlement_id, line_key, posted_at, transaction_type, type, description,"
        " category, amount) values ($1, $3, $2::text, now(), 't', 't', 'd', 'c', 1)"
    ),
    "break": "(tenant_id, kind, key, words) values ($1, 'k', $2::text, 'w')",
    "identity": "(tenant_id, id, kind, created_by) values ($1, $3, 'product', $2::text)",
    "binding": (
        "(tenant_id, id, identity_id, connection_id, kind, external_id, valid_from, confidence,"
        " reason, created_by) values ($1, $3, $3, $2, 'product', '0007', now(), 1, 'r', 'test')"
    ),
    "identity_match": (
        "(tenant_id, id, connection_id, kind, external_id, candidate_id, score, reasons)"
        " values ($1, $3, $2, 'product', '0007', $3, 0.5, '{r}')"
    ),
    "stock_fact": (
        "(tenant_id, sku, source_key, telling, kind, quantity, to_location, to_state, occurred_at,"
        " stated_at, connection_id) values ($1, 's', $3::uuid::text, sha256('t'), 'count', 1, 'l',"
        " 'available', now(), now(), $2)"
    ),
    "stock_document": (
        "(tenant_id, connection_id, document, telling, kind, stated_at)"
        " values ($1, $2, $3::uuid::text, sha256('t'), 'order', now())"
    ),
    "stock_due": "(tenant_id, sku, occurred_at) values ($1, $2::uuid::text || $3::text, now())",
    "stock_position": (
        "(tenant_id, sku, location, state, quantity, as_of)"
        " values ($1, $2::uuid::text, $3::text, 'available', 1, now())"
    ),
    "channel_rule": "(tenant_id, connection_id, sku) values ($1, $2, $3::uuid::text)",
    "channel_position": (
        "(tenant_id, connection_id, sku, target) values ($1, $2, $3::uuid::text, 1)"
    ),
    "channel_turn": "(tenant_id, connection_id, holder) values ($1, $2, $3::uuid::text)",
    "reservation": (
        "(tenant_id, id, client_key, connection_id, sku, quantity, expires_at)"
        " values ($1, $3, 'k', $2, 's', 1, now())"
    ),
    "stock_place": "(tenant_id, location) values ($1, $2::uuid::text || $3::text)",
    "kit_component": (
        "(tenant_id, kit_sku, component_sku, quantity, valid_from)"
        " values ($1, $2::uuid::text, $3::text, 1, now())"
    ),
    "unit_conversion": (
        "(tenant_id, sku, uom, base_uom, numerator, denominator)"
        " values ($1, $2::uuid::text, $3::text, 'EA', 12, 1)"
    ),
    "oversell_case": (
        "(tenant_id, id, sku, connection_id, order_id, units, cause)"
        " values ($1, $3, 's', $2, 'o', 1, 'c')"
    ),
    "sales_order": (
        "(tenant_id, id, connection_id, order_id, status, placed_at, day, seen_at, clock_started_at)"
        " values ($1, $3, $2, 'o', 'open', now(), '2026-11-27', now(), now())"
    ),
    "agreement": (
        "(tenant_id, order_key, number, reason, happened_at, total, made_by)"
        " values ($1, $3, 1, 'order', now(), 1, $2::text)"
    ),
    "agreement_line": (
        "(tenant_id, order_key, agreement, place, line_type, quantity, net, discount, tax, gross, sku)"
        " values ($1, $3, 1, 1, 'product', 1, 1, 0, 0, 1, $2::text)"
    ),
    "order_refund": (
        "(tenant_id, order_key, refund_id, rank, happened_at, amount, content)"
        " values ($1, $3, $2::text, '[]', now(), 1, '{}')"
    ),
    "order_shipment": (
        "(tenant_id, connection_id, shipment_id, order_ref, rank, status, shipped_at, content)"
        " values ($1, $2, $3::uuid::text, 'o', '[]', 'success', now(), '{}')"
    ),
    "order_listed": (
        "(tenant_id, connection_id, order_id, placed_at, day, updated_at)"
        " values ($1, $2, $3::uuid::text, now(), '2026-11-27', now())"
    ),
    "order_sweep": "(tenant_id, connection_id, stretch) values ($1, $2, $3::uuid::text)",
    "ownership_rule": (
        "(tenant_id, id, attribute_group, owner_id, on_foreign, effective_from, reason, set_by)"
        " values ($1, $3, 'stock', $2, 'hold', now(), 'r', 'test')"
    ),
    "truth_source": ("(tenant_id, attribute_group, connection_id) values ($1, $3::uuid::text, $2)"),
    "truth_stated": (
        "(tenant_id, attribute, object_id, place, connection_id, value, stated_at, event_id, contract)"
        " values ($1, 'a', 'o', 'p', $2, 'v', now(), $3, 'c')"
    ),
    "truth_turn": (
        "(tenant_id, attribute, object_id, place, connection_id, value, stated_at)"
        " values ($1, 'a', $3::uuid::text, 'p', $2, 'v', now())"
    ),
    "document_trace": (
        "(tenant_id, content, object_id, label, occurred_at)"
        " values ($1, sha256($2::uuid::text::bytea), $3::text, 'l', now())"
    ),
    "gtin_use": (
        "(tenant_id, gtin, level, sku, connection_id) values ($1, 'g', 'each', $3::uuid::text, $2)"
    ),
    "price_target": (
        "(tenant_id, id, connection_id, place, kind, zone, currency)"
        " values ($1, $3, $2, 'p', 'store', 'UTC', 'USD')"
    ),
    "price_version": (
        "(tenant_id, id, subject, connection_id, object_id, content_hash, item, body, told_at, state)"
        " values ($1, $3, 'price', $2, 'o', sha256('c'), 'i', '{}', now(), 'current')"
    ),
    "priced_article": (
        "(tenant_id, sku, product_id, status, told_at)"
        " values ($1, $2::uuid::text, $3::text, 'active', now())"
    ),
    "stopped_sale": "(tenant_id, connection_id, sku) values ($1, $2, $3::uuid::text)",
    "price_due": "(tenant_id, subject, item) values ($1, $2::uuid::text, $3::text)",
    "price_activation": (
        "(tenant_id, id, target_id, subject, item, begins_at, version_id, state, due_at, words)"
        " values ($1, $3, $3, 'price', 'i', now(), $3, 'planned', now(), $2::text)"
    ),
    "price_proof": (
        "(tenant_id, activation_id, sale, amount, leakage, sold_at)"
        " values ($1, $3, $2::text, 1, 0, now())"
    ),
    "return_due": "(tenant_id, id, return_id) values ($1, $2, $3)",
    "return_terms": "(tenant_id, policy, elsewhere) values ($1, $2::uuid::text, array[$3::text])",
    "price_paid": (
        "(tenant_id, sku, currency, day, gross, at)"
        " values ($1, $2::uuid::text || $3::text, 'USD', '2026-11-27', 1, now())"
    ),
    "settlement_due": (
        "(tenant_id, event_id, due_at)"
        " values ($1, $3, now() + ($2::text is null)::int * interval '1 s')"
    ),
}
