"""The worker's part in returns: work out what was told, perform what is due, note what is overdue."""

from __future__ import annotations

import asyncio

from app.retail.returns.act import Act
from app.retail.returns.progress import Pace, Progress
from app.retail.returns.work_out import due_returns, postpone, work_out
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.errors import Unavailable
from infra.ids import Id
from infra.keys.vault import Vault
from infra.telemetry.tell_fault import tell_fault

POLL_S = 0.5
# Performing is a few statements: what a dead worker held is free again soon.
PACE = Pace(lease_s=15.0, call_s=10.0)


class ReturnLoop:
    """Goes on with all returns until cancelled; any number of workers may do so."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        act: Act,
        poll_s: float = POLL_S,
        pace: Pace = PACE,
    ) -> None:
        self._database, self._vault, self._poll_s = database, vault, poll_s
        self._progress = Progress(database, act, pace)

    async def run(self) -> None:
        """Work until cancelled; what fails is told and tried again with the next round."""
        while True:
            done = 0
            try:
                done = await self.go_on()
            except Unavailable:
                pass  # the book is away: what is due stays due
            except Exception as fault:  # noqa: BLE001 - its lease puts off what fails
                tell_fault("returns.failed", fault)
            await asyncio.sleep(0 if done else self._poll_s)

    async def go_on(self) -> int:
        """Do one round; gives how much was done."""
        worked_out = 0
        for scope, return_id in await due_returns(self._database):
            worked_out += await self._work_out(scope, return_id)
        performed = await self._progress.run_due()
        return worked_out + performed + await self._progress.pass_limits()

    async def _work_out(self, scope: TenantScope, return_id: Id) -> int:
        try:
            await work_out(scope, self._database, self._vault, return_id)
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - one return's fault must not end the others
            tell_fault("returns.failed", fault, tenant=str(scope.tenant_id))
            await postpone(scope, self._database, return_id)
            return 0
        return 1
