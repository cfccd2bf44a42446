"""Distribute prices of all retailers, to the second, until stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from app.retail.prices.act import act_on_due
from app.retail.prices.missing import tell_missing
from app.retail.prices.plan import plan_due
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.keys.vault import Vault
from infra.telemetry.tell_fault import tell_fault
from infra.wake import Wake

LOOK_EVERY_S = 1.0
# A price that begins now is not kept waiting by the rhythm of looking.
LEAST_WAIT_S = 0.02
MISSING_EVERY = timedelta(seconds=10)
AT_ONCE = 64
REST_AFTER_FAULT_S = 30.0

_BUSY = """
select tenant_id from (
    select tenant_id from price_due
    union select tenant_id from price_activation where due_at <= $1
) busy order by tenant_id limit $2
"""
_NEXT = "select min(due_at) from price_activation where due_at < 'infinity' and due_at > $1"


class PriceLoop:
    """Plans what is new and does what is due, retailer by retailer.

    Any number may run: rows are locked and skipped where locked, and what is planned is planned by
    one at a time. Killed anywhere, the next one goes on.
    """

    def __init__(self, database: Database, vault: Vault, ring: Callable[[], None]) -> None:
        self._database = database
        self._vault = vault
        self._ring = ring
        self._wake = Wake()
        self._looked_at: dict[UUID, datetime] = {}
        self._to_look: set[UUID] = set()
        self._resting_until_s: dict[UUID, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not await self.round():
                await self._wake.wait(await self._until_next_s())

    async def round(self) -> bool:
        """Take one step of each retailer for whom something is due; False when nothing was done."""
        try:
            async with begin(EngineScope(), self._database) as session:
                rows = await session.fetch(_BUSY, clock.now(), AT_ONCE)
        except PlatformError:
            return False  # the book is away; nothing was lost, nothing was done
        busy = {row["tenant_id"] for row in rows} | self._to_look
        return any([await self._step(tenant_id) for tenant_id in sorted(busy)])

    async def _step(self, tenant_id: UUID) -> bool:
        if clock.monotonic_s() < self._resting_until_s.get(tenant_id, 0.0):
            return False
        try:
            return await self._advance(tenant_id)
        except PlatformError:
            return False  # a lock or the book was not to be had; the next round comes
        except Exception as fault:  # noqa: BLE001 - one retailer's fault must not stop the others
            tell_fault("prices.failed", fault, tenant=str(tenant_id))
            self._resting_until_s[tenant_id] = clock.monotonic_s() + REST_AFTER_FAULT_S
            return False

    async def _advance(self, tenant_id: UUID) -> bool:
        scope = TenantScope(tenant_id, "engine")
        async with begin(scope, self._database) as session:
            planned = await plan_due(session, clock.now())
        key = await self._vault.current(tenant_id)
        async with begin(scope, self._database) as session:
            looked, told = await act_on_due(session, key, clock.now())
        if told:
            self._ring()
        if planned or looked:
            self._to_look.add(tenant_id)
        await self._look(scope)
        return bool(planned or looked)

    async def _look(self, scope: TenantScope) -> None:
        """See who lacks what, not more often than somebody could act on it."""
        now, last = clock.now(), self._looked_at.get(scope.tenant_id)
        if scope.tenant_id not in self._to_look or (last and now - last < MISSING_EVERY):
            return
        async with begin(scope, self._database) as session:
            lacks = await tell_missing(session, now)
        self._looked_at[scope.tenant_id] = now
        if not lacks:
            self._to_look.discard(scope.tenant_id)

    async def _until_next_s(self) -> float:
        try:
            async with begin(EngineScope(), self._database) as session:
                next_at = await session.fetch_value(_NEXT, clock.now())
        except PlatformError:
            return LOOK_EVERY_S
        if next_at is None:
            return LOOK_EVERY_S
        wait_s: float = (next_at - clock.now()).total_seconds()
        return min(LOOK_EVERY_S, max(LEAST_WAIT_S, wait_s))
