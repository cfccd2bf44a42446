"""The matrix of each retailer, from process memory: one look-up for those who decided nothing."""

from __future__ import annotations

from typing import cast

from app.connections.freshness import FreshMemory
from app.connections.tenant import acting_tenant
from app.ownership.groups import GROUPS, Group
from app.ownership.matrix import Matrix, Rule
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id

_RULES = """
select attribute_group, place, owner_id, may_write, on_foreign, effective_from, set_at
from ownership_rule where tenant_id = $1 order by set_at, id
"""
_SOURCES = "select attribute_group, connection_id from truth_source where tenant_id = $1"
_CORE = "select id from connection where tenant_id = $1 and connector = 'core'"


class OwnershipBook:
    """Gives the matrix of a retailer, at most two seconds old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._matrices: FreshMemory[Id, Matrix] = FreshMemory(self._read)

    async def of(self, tenant_id: Id) -> Matrix:
        """Give the matrix of a retailer."""
        return await self._matrices.get(tenant_id)

    async def _read(self, tenant_id: Id) -> Matrix:
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            return await read_matrix(session)


async def read_matrix(session: Session) -> Matrix:
    """Read the matrix of the acting retailer; rules in the order in which they were set."""
    tenant_id = acting_tenant(session)
    rules = await session.fetch(_RULES, tenant_id)
    sources = await session.fetch(_SOURCES, tenant_id)
    return Matrix(
        tuple(_rule(row) for row in rules),
        frozenset((cast("Group", row["attribute_group"]), row["connection_id"]) for row in sources),
        await session.fetch_value(_CORE, tenant_id),
    )


def _rule(row: Row) -> Rule:
    group: Group = row["attribute_group"]
    return Rule(
        group,
        row["place"],
        row["owner_id"],
        frozenset(row["may_write"]),
        row["on_foreign"] if group in GROUPS else "accept",
        row["effective_from"],
        row["set_at"],
    )
