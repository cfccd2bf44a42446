"""Which systems of a retailer have names of their own, from process memory: others cost nothing."""

from __future__ import annotations

from app.connections.freshness import FreshMemory
from app.identities.bindings import Kind
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id

# One probe of an index for each connection and kind, however many names there are.
_NAMED = """
select connection.id, kind.kind from connection
cross join unnest(array['variant', 'location', 'customer']) as kind (kind)
where connection.tenant_id = $1 and exists (
    select from binding where binding.tenant_id = $1 and connection_id = connection.id
        and binding.kind = kind.kind and valid_to is null)
"""

Named = frozenset[tuple[Id, Kind]]
NOBODY_NAMED: Named = frozenset()


class NamingSystems:
    """Knows, at most two seconds old, which connections have names for articles, places, customers.

    A system without names of a kind is taken to use our numbers.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._named: FreshMemory[Id, Named] = FreshMemory(self._read)

    async def of(self, tenant_id: Id) -> Named:
        """Give the connections and the kinds of which they have names; empty for most retailers."""
        return await self._named.get(tenant_id)

    async def _read(self, tenant_id: Id) -> Named:
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            rows = await session.fetch(_NAMED, tenant_id)
        return frozenset((row["id"], row["kind"]) for row in rows)
