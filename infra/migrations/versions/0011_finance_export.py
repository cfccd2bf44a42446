"""Finance: journals on their way to the books, settlements on their way in."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What a journal books is never changed; when it is said, and under which date, is noted. The policies
# for updates of these tables are there since they are.
NOTED = {"journal": "object_id, posted_on, memo", "settlement": "event_id"}
ADDED = {"journal": ("object_id", "records", "evidence"), "settlement": ("event_id",)}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0011_finance_export.sql").read_text(encoding="utf-8"))
    for table, columns in NOTED.items():
        op.execute(f"grant update ({columns}) on {table} to tillwire_app")
    op.execute("alter table settlement_due enable row level security")
    op.execute("alter table settlement_due force row level security")
    rights = ("select", "insert", "update (due_at)", "delete")
    grant("settlement_due", "tillwire_app", rights, TENANT)
    # Workers see that there is work, never what it is.
    grant("settlement_due", "tillwire_engine", ("select (tenant_id, due_at)",), "true")


def downgrade() -> None:
    """Forget what was exported; journals and settlements stay as they are."""
    op.execute("drop table settlement_due")
    op.execute("revoke update (posted_on, memo) on journal from tillwire_app")
    for table, columns in ADDED.items():
        for column in columns:
            op.execute(f"alter table {table} drop column {column}")
    op.execute("alter table break drop column owner")
