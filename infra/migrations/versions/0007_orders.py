"""Orders: agreements, changes after export, deadlines, completeness."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope; in the order in which they refer to each other
OF_TENANT: dict[str, tuple[str, ...]] = {
    "sales_order": ("select", "insert", "update"),
    "agreement": ("select", "insert", "update (posting, posted_at)"),
    "agreement_line": ("select", "insert"),
    "order_refund": ("select", "insert", "update"),
    "order_shipment": ("select", "insert", "update"),
    "order_listed": ("select", "insert", "update"),
    "order_sweep": ("select", "insert", "update"),
}
# What workers see across tenants: that there is work, never what it is.
OF_ENGINE: dict[str, tuple[str, ...]] = {
    "sales_order": (
        (
            "select (tenant_id, id, status, is_post_due, acknowledge_by, acknowledged_at, ship_by,"
            " shipped_at, clock_started_at)"
        ),
    ),
    "order_sweep": (
        "select (tenant_id, connection_id, stretch, next_at, lease_until)",
        "update (lease_until, started_at)",
    ),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0007_orders.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)
    for table, rights in OF_ENGINE.items():
        grant(table, "tillwire_engine", rights, "true")


def downgrade() -> None:
    """Forget orders; the events that told of them stay."""
    for table in reversed(OF_TENANT):
        op.execute(f"drop table {table}")
