"""Keep credentials readable when the key of the month in which they were sealed is erased."""

from __future__ import annotations

import json

from app.connections.origin import origin_of
from app.connections.secrets import seal_context
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.keys.vault import TenantKey, Vault


async def reseal_secrets(scope: TenantScope, database: Database, vault: Vault) -> int:
    """Seal credentials of earlier months under the current key; gives how many it sealed anew.

    Must run before a month's key is erased. Safe to repeat and beside a change of credentials: the
    rows are locked, and values stay the same.
    """
    current = await vault.current(scope.tenant_id)
    async with begin(scope, database) as session:
        rows = await session.fetch(
            "select s.connection_id, s.field, s.slot, s.sealed, s.period, c.settings"
            " from connection_secret s join connection c"
            " on c.tenant_id = s.tenant_id and c.id = s.connection_id"
            " where s.tenant_id = $1 and s.period <> $2"
            " order by s.connection_id, s.field, s.slot for update of s",
            scope.tenant_id,
            current.period,
        )
        for row in rows:
            old = await vault.of(scope.tenant_id, row["period"], session)
            await _reseal(session, row, old, current)
    return len(rows)


async def _reseal(session: Session, row: Row, old: TenantKey, new: TenantKey) -> None:
    context = seal_context(
        row["connection_id"], row["field"], origin_of(json.loads(row["settings"]))
    )
    await session.execute(
        "update connection_secret set sealed = $5, period = $6 where tenant_id = $1"
        " and connection_id = $2 and field = $3 and slot = $4",
        new.tenant_id,
        row["connection_id"],
        row["field"],
        row["slot"],
        new.seal(context, old.open(context, row["sealed"])),
        new.period,
    )
