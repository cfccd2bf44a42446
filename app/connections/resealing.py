"""Once a month every retailer's credentials move to the new month's key, a few seconds at a time."""

from __future__ import annotations

from uuid import UUID

from app.connections.reseal import reseal_secrets
from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.ids import Id
from infra.keys.vault import Vault, period_of
from infra.telemetry.events import log_event
from infra.telemetry.tell_fault import tell_fault
from tenants.retailers import list_retailers

ACTOR = "system.reseal"
# The transaction that keeps other schedulers away rests meanwhile; the book ends it after 15 s.
AT_MOST_S = 8.0

_FIRST = UUID(int=0)


class Resealing:
    """One scheduler's way through all retailers; starts anew with each month and each process.

    Twice is harmless: what is sealed under the current key is left alone.
    """

    def __init__(self, database: Database, vault: Vault, *, at_most_s: float = AT_MOST_S) -> None:
        self._database = database
        self._vault = vault
        self._at_most_s = at_most_s
        self._done_period = 0
        self._after: Id = _FIRST
        self._has_failed = False

    async def go_on(self) -> int:
        """Go on where the last call stopped; gives how many credentials were sealed anew."""
        period = period_of(clock.now())
        if self._done_period == period:
            return 0
        until_s = clock.monotonic_s() + self._at_most_s
        count = 0
        for tenant_id in await self._waiting():
            count += await self._reseal(tenant_id)
            self._after = tenant_id
            if clock.monotonic_s() > until_s:
                break
        else:
            self._done_period = 0 if self._has_failed else period
            self._after, self._has_failed = _FIRST, False
        if count:
            log_event("secrets.resealed", count=count)
        return count

    async def _waiting(self) -> list[Id]:
        found = await list_retailers(OperatorScope(ACTOR), self._database)
        return sorted(each.id for each in found if each.id > self._after)

    async def _reseal(self, tenant_id: Id) -> int:
        try:
            return await reseal_secrets(TenantScope(tenant_id, ACTOR), self._database, self._vault)
        except Exception as fault:  # noqa: BLE001 - one retailer's trouble must not stop the others
            self._has_failed = True
            tell_fault("reseal.failed", fault, tenant=str(tenant_id))
            return 0
