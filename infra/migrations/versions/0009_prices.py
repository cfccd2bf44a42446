"""Prices and promotions: what is valid when, and how far it has come."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope. What was told is never changed; people
# decide about it.
OF_TENANT: dict[str, tuple[str, ...]] = {
    "price_target": ("select", "insert", "update"),
    "price_version": (
        "select",
        "insert",
        "update (state, words, approved_by, approved_at, withdrawn_at, withdrawn_by)",
    ),
    "priced_article": ("select", "insert", "update"),
    "stopped_sale": ("select", "insert", "update"),
    "price_due": ("select", "insert", "update", "delete"),
    "price_activation": ("select", "insert", "update"),
    "price_proof": ("select", "insert"),
}
# What workers see across tenants: that there is work, never what it is.
OF_ENGINE: dict[str, tuple[str, ...]] = {
    "price_due": ("select (tenant_id, since)",),
    "price_activation": ("select (tenant_id, due_at)",),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0009_prices.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)
    for table, rights in OF_ENGINE.items():
        grant(table, "tillwire_engine", rights, "true")


def downgrade() -> None:
    """Forget prices; the events that told of them stay."""
    for table in (
        "price_proof",
        "price_activation",
        "price_due",
        "priced_article",
        "stopped_sale",
        "price_version",
        "price_target",
    ):
        op.execute(f"drop table {table}")
