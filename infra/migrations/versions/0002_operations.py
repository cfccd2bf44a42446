"""Operations: error classes, incidents, alerts, work on records, replays, shared budgets, duties."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import (
    OPERATOR,
    OWNED,
    PARTNER,
    REACHED,
    TENANT,
    grant,
    run_script,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope
OF_TENANT: dict[str, tuple[str, ...]] = {
    "flow_version": ("select", "insert"),
    "connection_outage": ("select", "insert", "update"),
    "wanted_record": ("select", "insert", "update"),
    "budget": ("select", "insert", "update"),
    "reconnect_link": ("select", "insert", "update"),
    "remark": ("select", "insert"),
    "manual_override": ("select", "insert", "update"),
    "replay": ("select", "insert", "update"),
    "replay_item": ("select", "insert", "update"),
    "prepare_try": ("select", "insert", "update", "delete"),
    "backlog": ("select",),
}
# What a partner and the operator see of all their retailers: counts, money and words, no payload.
OF_PARTNER: dict[str, tuple[str, ...]] = {
    "incident": ("select", "insert", "update"),
    "incident_moment": ("select", "insert", "update (is_alert_planned)"),
}
ENGINE: dict[str, tuple[str, ...]] = {
    "change": ("select", "insert"),
    "connection_outage": ("select", "insert", "update"),
    "wanted_record": ("select", "insert", "update"),
    "budget": ("select", "insert", "update"),
    "incident": ("select", "insert", "update"),
    "incident_moment": ("select", "insert", "update"),
    "alert_channel": (
        "select",
        "update (is_enabled, disabled_reason, leased_until, sealed_secret, secret_period)",
    ),
    "alert": ("select", "insert", "update"),
    "manual_override": ("select", "update"),
    "replay": ("select",),
    "prepare_try": ("select", "delete"),
    "duty": ("select", "insert", "update"),
    "backlog": ("select", "insert", "update"),
    "partner": ("select (id, slug, name, brand)",),
}
GATE: dict[str, tuple[str, ...]] = {"reconnect_link": ("select", "update (used_at)")}
# Further columns for roles that have their policy already.
FURTHER = (
    "grant select (entitlements, timezone, currency) on tenant to tillwire_engine",
    "grant select (settings, title) on connection to tillwire_engine",
    "grant select (class, action, is_paused, version) on flow to tillwire_engine",
    "grant select (code, revision, crash_count, file_id) on message to tillwire_engine",
    "grant update (crash_count, fate, code) on message to tillwire_engine",
    "grant select (version, occurred_at, business_day) on event to tillwire_engine",
    "grant select on attempt to tillwire_engine",
    "create policy tillwire_engine_select on attempt for select to tillwire_engine using (true)",
)


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0002_operations.sql").read_text(encoding="utf-8"))
    for table in (*OF_TENANT, *OF_PARTNER, "alert_channel", "alert", "change", "duty"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
    for table, rights in OF_TENANT.items():
        grant(table, "tillwire_app", rights, TENANT)
    for table, rights in OF_PARTNER.items():
        grant(table, "tillwire_app", rights, REACHED)
    grant("alert_channel", "tillwire_app", ("select", "insert", "update", "delete"), OWNED)
    # What a partner's channel is told stays with the partner, although it is about a retailer.
    of_partner = f"({OPERATOR} or partner_id = {PARTNER} or (partner_id is null and {REACHED}))"
    grant("alert", "tillwire_app", ("select",), of_partner)
    nil = "tenant_id = '00000000-0000-0000-0000-000000000000'"
    # Nobody sends through a foreign channel, or tells a channel of a retailer that is not its owner's.
    own_channel = (
        "exists (select 1 from alert_channel c where c.id = channel_id"
        " and c.partner_id is not distinct from alert.partner_id"
        " and (c.tenant_id is null or c.tenant_id = alert.tenant_id))"
    )
    told = f"(({REACHED} or ({nil} and partner_id = {PARTNER})) and {own_channel})"
    grant("alert", "tillwire_app", ("insert",), told)
    # A release of the product is a change for everybody.
    grant("change", "tillwire_app", ("select",), f"({REACHED} or {nil})")
    grant("change", "tillwire_app", ("insert",), f"({TENANT} or ({OPERATOR} and {nil}))")
    for table, rights in ENGINE.items():
        grant(table, "tillwire_engine", rights, "true")
    for table, rights in GATE.items():
        grant(table, "tillwire_gate", rights, "true")
    for statement in FURTHER:
        op.execute(statement)


def downgrade() -> None:
    """Remove what was added; classes, owners and replays are forgotten, records are not."""
    op.execute("drop policy tillwire_engine_select on attempt")
    op.execute("revoke select on attempt from tillwire_engine")
    op.execute("drop policy tillwire_engine_select on partner")
    op.execute("revoke select (id, slug, name, brand) on partner from tillwire_engine")
    for table in (  # noqa: SIM905 - one line each would hide the order
        "backlog duty prepare_try replay_item replay manual_override remark alert alert_channel incident_moment"
        " incident reconnect_link budget wanted_record connection_outage change flow_version"
    ).split():
        op.execute(f"drop table {table} cascade")
    for table, columns in (
        ("delivery", "error_class pinned_version replay_id replay_of deadline_at is_failing"),
        ("attempt", "error_class flow_version"),
        (
            "hold",
            "error_class incident_id tags event_type object_id deadline_at recheck_at rechecks",
        ),
        ("flow", "is_paused pause_reason overrides"),
        ("lane", "deadline_at"),
    ):
        dropped = ", ".join(f"drop column {column} cascade" for column in columns.split())
        op.execute(f"alter table {table} {dropped}")
    for index in ("lane_parked", "lane_stranded", "lane_blocked", "lane_due"):
        op.execute(f"drop index if exists {index}")
    op.execute(
        "create index lane_due on lane (tenant_id, connection_id, class, ready_at)"
        " where ready_at is not null"
    )
    op.execute("drop index message_waiting_by_connection")
    op.execute("create index message_waiting on message (tenant_id, accept_seq) where is_waiting")
