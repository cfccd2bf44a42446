"""The weight of retailers by their plan: how much of the slots one gets while others wait, too."""

from __future__ import annotations

from uuid import UUID

from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin

# Written by billing into `tenant.entitlements`; read anew this often (seconds).
ENTITLEMENT = "fair_weight"
READ_EVERY_S = 30.0
# A plan may make a retailer count more, but never push the others aside.
LEAST, MOST = 0.25, 8.0

_WEIGHTS = """
select id, (entitlements ->> $1)::float8 as weight from tenant
where jsonb_typeof(entitlements -> $1) = 'number'
"""


async def read_weights(database: Database) -> dict[UUID, float]:
    """Give the weights of retailers that have one by plan, bounded; all others have 1."""
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_WEIGHTS, ENTITLEMENT)
    return {row["id"]: min(max(row["weight"], LEAST), MOST) for row in rows}
