"""Read the events behind claimed deliveries, each in its own tenant's scope, when they are needed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from app.deliveries.claim import Claimed, ClaimedLane
from app.deliveries.handover import HandOver, Loaded
from connectors.canonical.event import decode
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.keys.vault import Vault

# Reads at one time; the other connections of the pool are for claims, results and preparing.
READS_AT_ONCE = 3
# Opening and decoding this many takes a few milliseconds, in which nothing else can run.
EVENTS_PER_READ = 100

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
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    def load(self, lanes: Iterable[ClaimedLane]) -> Loading:
        """Find what is in memory; the rest is read, tenant by tenant, when a lane asks for it."""
        found: LoadedEvents = {}
        missing: dict[UUID, list[Claimed]] = defaultdict(list)
        for lane in lanes:
            for delivery in lane.deliveries:
                kept = self._hand_over.find(delivery.tenant_id, delivery.event_id)
                if kept is None:
                    missing[delivery.tenant_id].append(delivery)
                else:
                    found[delivery.event_id] = kept
        return Loading(self, found, dict(missing))

    async def read(self, tenant_id: UUID, deliveries: Sequence[Claimed]) -> LoadedEvents:
        """Read the events of one tenant's deliveries; raises PlatformError when the book is away."""
        found: LoadedEvents = {}
        for begun in range(0, len(deliveries), EVENTS_PER_READ):
            some = deliveries[begun : begun + EVENTS_PER_READ]
            async with self._reads:
                found.update(await self._read(tenant_id, some))
        return found

    async def _read(self, tenant_id: UUID, deliveries: Sequence[Claimed]) -> LoadedEvents:
        found: LoadedEvents = {}
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            rows = await session.fetch(_EVENTS, tenant_id, [d.event_id for d in deliveries])
            for row in rows:
                key = await self._vault.of(tenant_id, row["period"], session)
                event = decode(key.open(f"event|{row['id']}", row["sealed"]))
                found[row["id"]] = Loaded(event, row["trace_parent"])
        return found


class Loading:
    """The events of one round. No lane waits for the events of another tenant."""

    def __init__(
        self, loader: Loader, found: LoadedEvents, missing: dict[UUID, list[Claimed]]
    ) -> None:
        self._loader = loader
        self._found = found
        self._missing = missing
        self._turns: dict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, lane: ClaimedLane) -> LoadedEvents:
        """Give a lane's events (and others') by event id; raises PlatformError without the book.

        The first lane of a tenant that needs something reads for all of them.
        """
        if all(delivery.event_id in self._found for delivery in lane.deliveries):
            return self._found
        tenant_id = lane.key[0]
        async with self._turns[tenant_id]:
            if tenant_id in self._missing:
                read = await self._loader.read(tenant_id, self._missing[tenant_id])
                self._found.update(read)
                # What the book does not have either stays missing: it is held as unreadable.
                del self._missing[tenant_id]
        return self._found
