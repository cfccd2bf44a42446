"""Returns: found by order and number, what is due of them, the retailer's terms, prices paid."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import TENANT, grant, run_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# table -> rights of the application, in one tenant's scope
OF_TENANT: dict[str, tuple[str, ...]] = {
    "return_due": ("select", "insert", "delete"),
    "return_terms": ("select", "insert", "update"),
    "price_paid": ("select", "insert", "update", "delete"),
}
# That there is work, and at whose.
OF_ENGINE: dict[str, tuple[str, ...]] = {
    "return_due": ("select (tenant_id, return_id, due_at)",),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0010_return_work.sql").read_text(encoding="utf-8"))
    for table, rights in OF_TENANT.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        grant(table, "tillwire_app", rights, TENANT)
    for table, rights in OF_ENGINE.items():
        grant(table, "tillwire_engine", rights, "true")
    # So that only those are looked at again who wait for goods and not for a person.
    op.execute("grant select (waits_for) on return_process to tillwire_engine")


def downgrade() -> None:
    """Remove what was added; the returns themselves stay."""
    op.execute("revoke select (waits_for) on return_process from tillwire_engine")
    for table in OF_TENANT:
        op.execute(f"drop table {table}")
    for index in ("return_process_by_number", "return_process_by_ref", "return_process_by_order"):
        op.execute(f"drop index {index}")
    for column in ("agreement", "kind", "number", "source_ref", "order_id"):
        op.execute(f"alter table return_process drop column {column}")
