"""The portal: credentials, links, sessions, hosts, a retailer's own look."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import OPERATOR, PARTNER, grant, run_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = ("portal_host", "sign_in_failure", "portal_session", "entry_link", "credential")

# Whoever knocks is nobody yet: the gate finds whose session, link or password it is, and nothing of
# any retailer's records.
GATE: dict[str, tuple[str, ...]] = {
    "credential": ("select", "insert", "update"),
    "entry_link": ("select", "update (used_at)"),
    "portal_session": ("select", "insert", "update (seen_at, revoked_at)"),
    "sign_in_failure": ("select", "insert", "update", "delete"),
    "portal_host": ("select",),
    "person": ("select (id, email, name)",),
    "membership": ("select (id, person_id, role, partner_id, tenant_id)",),
    "partner": ("select (id, slug, name, brand)",),
}
OWN_PARTNER = f"({OPERATOR} or partner_id = {PARTNER})"
# A link opens what its person may do, so only the operator makes one for whoever there is.
APPLICATION: dict[str, dict[str, str]] = {
    "entry_link": {"insert": OPERATOR},
    "portal_host": dict.fromkeys(("select", "insert", "delete"), OWN_PARTNER),
}


def upgrade() -> None:
    """Make everything."""
    run_script((Path(__file__).parent / "0012_portal.sql").read_text(encoding="utf-8"))
    for table in TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
    for table, rights in GATE.items():
        grant(table, "tillwire_gate", rights, "true")
    for table, conditions in APPLICATION.items():
        for right, condition in conditions.items():
            grant(table, "tillwire_app", (right,), condition)
    op.execute("grant update (brand) on tenant to tillwire_app")
    op.execute("grant select (name, brand) on tenant to tillwire_gate")


def downgrade() -> None:
    """Forget who may enter; people and their roles stay."""
    for table in ("person", "membership", "partner"):
        op.execute(f"drop policy tillwire_gate_select on {table}")
        op.execute(f"revoke all on {table} from tillwire_gate")
    for table in TABLES:
        op.execute(f"drop table {table}")
    op.execute("alter table tenant drop column brand")
    op.execute("revoke select (name) on tenant from tillwire_gate")
