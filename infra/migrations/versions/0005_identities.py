"""Identities: objects of ours, the names that systems have for them, matches for a person to say."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope
OF_TENANT: dict[str, tuple[str, ...]] = {
    "identity": ("select", "insert", "update (merged_into, merged_at)"),
    "binding": ("select", "insert", "update (valid_to, ended_by, ended_at)"),
    "identity_match": ("select", "insert", "update (state, decided_by, decided_at)"),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0005_identities.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)


def downgrade() -> None:
    """Forget which name meant what; the events keep their names."""
    for table in ("identity_match", "binding", "identity"):
        op.execute(f"drop table {table}")
