"""Read the events behind claimed deliveries, each in its own tenant's scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from app.deliveries.claim import Claimed, ClaimedLane
from app.deliveries.handover import HandOver, Loaded
from connectors.canonical.event import decode
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.keys.vault import Vault

_EVENTS = """
select e.id, e.sealed, e.period, m.trace_parent from event e
join message m on m.tenant_id = e.tenant_id and m.id = e.message_id
where e.tenant_id = $1 and e.id = any($2)
"""

LoadedEvents = dict[UUID, Loaded]


class Loader:
    """Gives events from the hand-over where it has them, from the book where it has not."""

    def __init__(self, database: Database, vault: Vault, hand_over: HandOver) -> None:
        self._database = database
        self._vault = vault
        self._hand_over = hand_over

    async def load(self, lanes: Iterable[ClaimedLane]) -> LoadedEvents:
        """Give the events of all deliveries of these lanes by event id."""
        found: LoadedEvents = {}
        missing: dict[UUID, list[Claimed]] = defaultdict(list)
        for lane in lanes:
            for delivery in lane.deliveries:
                kept = self._hand_over.find(delivery.tenant_id, delivery.event_id)
                if kept is None:
                    missing[delivery.tenant_id].append(delivery)
                else:
                    found[delivery.event_id] = kept
        for tenant_id, deliveries in missing.items():
            found.update(await self._read(tenant_id, deliveries))
        return found

    async def _read(self, tenant_id: UUID, deliveries: list[Claimed]) -> LoadedEvents:
        found: LoadedEvents = {}
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            rows = await session.fetch(_EVENTS, tenant_id, [d.event_id for d in deliveries])
            for row in rows:
                key = await self._vault.of(tenant_id, row["period"], session)
                event = decode(key.open(f"event|{row['id']}", row["sealed"]))
                found[row["id"]] = Loaded(event, row["trace_parent"])
        return found
