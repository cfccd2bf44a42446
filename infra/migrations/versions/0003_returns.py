"""Returns: the process, its facts, its commands, what people decide."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0003"
# Behind finance, which also began at 0002: the schema has one line of versions, not two.
down_revision = "0002"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope; facts are never changed
OF_TENANT: dict[str, tuple[str, ...]] = {
    "return_process": ("select", "insert", "update"),
    "return_fact": ("select", "insert"),
    "return_command": ("select", "insert", "update"),
    "return_decision": ("select", "insert", "update"),
}
# The engine finds what is due, at whose; what is to be done it cannot read.
ENGINE: dict[str, tuple[str, ...]] = {
    "return_process": ("select (tenant_id, id, status, step, limit_at)",),
    "return_command": ("select (tenant_id, return_id, key, state, due_at)",),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0003_returns.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)
    for table, rights in ENGINE.items():
        grant(table, "tillwire_engine", rights, "true")


def downgrade() -> None:
    """Remove it; what is known of returns is forgotten."""
    for table in ("return_decision", "return_command", "return_fact", "return_process"):
        op.execute(f"drop table {table}")
