"""Ownership: our own numbers, who may say what, what others said, documents told twice."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope
OF_TENANT: dict[str, tuple[str, ...]] = {
    "ownership_rule": ("select", "insert"),
    "truth_source": ("select", "insert"),
    "truth_stated": ("select", "insert", "update"),
    "truth_turn": ("select", "insert", "update"),
    "document_trace": ("select", "insert", "delete"),
    "gtin_use": ("select", "insert", "delete"),
}
# What workers see across tenants: that a name was bound, never which; that a ticket is old.
OF_ENGINE: dict[str, tuple[str, ...]] = {
    "binding": ("select (tenant_id, connection_id, created_at)",),
    "document_trace": ("select (tenant_id, seen_at)", "delete"),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0008_ownership.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)
    for table, rights in OF_ENGINE.items():
        grant(table, "tillwire_engine", rights, "true")


def downgrade() -> None:
    """Forget owners and what was compared; names keep their meaning, without numbers of ours."""
    for table in OF_TENANT:
        op.execute(f"drop table {table}")
    op.execute("drop policy tillwire_engine_select on binding")
    op.execute(
        "revoke select (tenant_id, connection_id, created_at) on binding from tillwire_engine"
    )
    op.execute("drop index identity_match_by_candidate")
    op.execute("alter table identity drop column plain_code")
    op.execute("alter table identity drop column code")
