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
}
