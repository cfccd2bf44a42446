"""Stock: movements and counts, positions, what channels may show, reservations, oversell cases."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope
OF_TENANT: dict[str, tuple[str, ...]] = {
    "stock_fact": ("select", "insert"),
    "stock_document": ("select", "insert"),
    "stock_due": ("select", "insert", "delete"),
    "stock_position": ("select", "insert", "update", "delete"),
    "channel_rule": ("select", "insert", "update", "delete"),
    "channel_position": ("select", "insert", "update", "delete"),
    "channel_turn": ("select", "insert", "update"),
    "reservation": ("select", "insert", "update (state, order_id, paying_at, ended_at)"),
    "stock_place": ("select", "insert", "update"),
    "kit_component": ("select", "insert", "update (valid_to)"),
    "unit_conversion": ("select", "insert", "update", "delete"),
    "oversell_case": ("select", "insert", "update"),
}
# What workers see across tenants: that there is work, never what it is.
OF_ENGINE: dict[str, tuple[str, ...]] = {
    "stock_due": ("select (tenant_id, since)",),
    "channel_turn": ("select", "update"),
    "reservation": ("select (tenant_id, state, expires_at)",),
    "stock_place": ("select (tenant_id, heartbeat_s, heard_at, dark_since)",),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0006_stock.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)
    for table, rights in OF_ENGINE.items():
        grant(table, "tillwire_engine", rights, "true")


def downgrade() -> None:
    """Forget stock; the events that told of it stay."""
    for table in OF_TENANT:
        op.execute(f"drop table {table}")
