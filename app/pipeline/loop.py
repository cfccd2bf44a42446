"""Prepare what waits, tenant by tenant in turn, until stopped."""

from __future__ import annotations

import asyncio
from uuid import UUID

from app.deliveries.weights import READ_EVERY_S, read_weights
from app.pipeline.prepare import Preparer
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.settings import EngineSettings
from infra.telemetry.tell_fault import tell_fault
from infra.wake import Wake

TENANTS_PER_ROUND = 64
TENANTS_AT_ONCE = 3

# A loose walk over the tenants with waiting messages: one index probe for each, however many wait.
_TENANTS = """
with recursive waiting as (
    (select tenant_id from message where is_waiting and tenant_id > $1
     order by tenant_id limit 1)
    union all
    select next.tenant_id from waiting cross join lateral (
        select tenant_id from message where is_waiting and tenant_id > waiting.tenant_id
        order by tenant_id limit 1) next
)
select tenant_id from waiting limit $2
"""


class PrepareLoop:
    """Takes one batch of each waiting tenant in turn, so that a flood delays only itself.

    A tenant whose plan counts more has larger batches, in the same measure as it has more slots.
    `core` is rung when messages were read: what they say may be due in the retail core.
    """

    def __init__(
        self,
        database: Database,
        preparer: Preparer,
        settings: EngineSettings,
        wake: Wake,
        deliveries: Wake,
        core: Wake | None = None,
    ) -> None:
        self._database = database
        self._preparer = preparer
        self._settings = settings
        self._wake = wake
        self._deliveries = deliveries
        self._core = core
        self._after = UUID(int=0)
        self._weights: dict[UUID, float] = {}
        self._weights_until_s = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                prepared = await self._round()
            except PlatformError:
                prepared = 0  # the book is away; nothing was lost, nothing was done
            if not prepared:
                await self._wake.wait(self._settings.poll_s)

    async def _round(self) -> int:
        await self._read_weights()
        tenants = iter(await self._waiting_tenants())

        async def take_turns() -> int:
            return sum([await self._tenant(tenant_id) for tenant_id in tenants])

        # While one waits for the database another is read.
        return sum(await asyncio.gather(*(take_turns() for _ in range(TENANTS_AT_ONCE))))

    async def _read_weights(self) -> None:
        if clock.monotonic_s() >= self._weights_until_s:
            self._weights = await read_weights(self._database)
            self._weights_until_s = clock.monotonic_s() + READ_EVERY_S

    async def _waiting_tenants(self) -> list[UUID]:
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_TENANTS, self._after, TENANTS_PER_ROUND)
        tenants = [row["tenant_id"] for row in rows]
        self._after = tenants[-1] if len(tenants) == TENANTS_PER_ROUND else UUID(int=0)
        return tenants

    async def _tenant(self, tenant_id: UUID) -> int:
        try:
            weight = self._weights.get(tenant_id, 1.0)
            limit = max(1, round(self._settings.prepare_batch * weight))
            prepared = await self._preparer.prepare(tenant_id, limit)
        except PlatformError:
            return 0  # the book is away; nothing was lost, nothing was done
        except Exception as fault:  # noqa: BLE001 - one tenant's trouble must not stop the others
            tell_fault("prepare.failed", fault, tenant=str(tenant_id))
            return 0
        if prepared.deliveries:
            self._deliveries.set()
        if prepared.messages and self._core is not None:
            self._core.set()
        return prepared.messages
