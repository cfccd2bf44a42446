"""What migrations share: row conditions of policies, grants with one policy each, running a script."""

from __future__ import annotations

import re

from alembic import op

# As a sub-select each setting is read once for a statement, not once for a row.
TENANT = "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)"
PARTNER = "(select nullif(current_setting('app.partner_id', true), '')::uuid)"
OPERATOR = "(select current_setting('app.operator', true) = 'on')"
LISTED = (
    "tenant_id = any ((select nullif(current_setting('app.tenant_ids', true), '')::uuid[])::uuid[])"
)
REACH = f"({OPERATOR} or partner_id = {PARTNER} or id = nullif(current_setting('app.tenant_id', true), '')::uuid)"
OWNED = f"({OPERATOR} or partner_id = {PARTNER} or {TENANT} or tenant_id in (select id from tenant where partner_id = {PARTNER}))"
# What a partner and the operator see of their retailers besides the retailers themselves.
REACHED = (
    f"({OPERATOR} or {TENANT} or tenant_id in (select id from tenant where partner_id = {PARTNER}))"
)


def run_script(script: str) -> None:
    """Run a file of statements, each ending with a semicolon at the end of a line."""
    for statement in re.split(r";\s*\n", script):
        if re.sub(r"--[^\n]*", "", statement).strip():
            op.execute(statement)


def grant(table: str, role: str, rights: tuple[str, ...], condition: str) -> None:
    """Grant rights and write one policy per command, never FOR ALL."""
    for right in rights:
        command = right.split(" ", 1)[0]
        op.execute(f"grant {right} on {table} to {role}")
        using = "" if command == "insert" else f" using ({condition})"
        check = f" with check ({condition})" if command in ("insert", "update") else ""
        op.execute(
            f"create policy {role}_{command} on {table} for {command} to {role}{using}{check}"
        )
