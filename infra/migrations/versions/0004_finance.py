"""Finance: rules of posting, sale records, store days, journals, settlements, breaks."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope. What was told, booked or paid out is
# never changed; a journal that waits for an account gets one.
OF_TENANT: dict[str, tuple[str, ...]] = {
    "posting_rules": ("select", "insert"),
    "sale_watermark": ("select", "insert", "update"),
    "sale_record": ("select", "insert"),
    "store_day": ("select", "insert", "update"),
    "journal": ("select", "insert", "update (status)"),
    "journal_line": ("select", "insert", "update (account)"),
    "settlement": ("select", "insert", "update (unexplained, bank_reference)"),
    "settlement_line": ("select", "insert"),
    "break": ("select", "insert", "update"),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0004_finance.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)


def downgrade() -> None:
    """Remove what was added; events are not touched, so sale records can be taken anew."""
    for table in (  # noqa: SIM905 - one line each would hide the order
        "break settlement_line settlement journal_line journal store_day sale_record sale_watermark"
        " posting_rules"
    ).split():
        op.execute(f"drop table {table} cascade")
