"""Preview and run the replays of all retailers, a step of each in turn, until stopped."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.exceptions.replay.finish import finish_some
from app.exceptions.replay.parts import ReplayParts
from app.exceptions.replay.preview import preview_step
from app.exceptions.replay.run import run_chunk
from infra import clock
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.telemetry.events import log_event
from infra.telemetry.tell_fault import tell_fault
from infra.wake import Wake

AT_ONCE = 64
# One that fails for a reason we did not foresee is told once, and left alone for a while.
REST_AFTER_FAULT_S = 60.0

_ACTIVE = """
select tenant_id, id, state from replay
where finished_at is null and state in ('previewing', 'running', 'cancelled')
order by tenant_id, id limit $1
"""


@dataclass(frozen=True, slots=True)
class _Active:
    tenant_id: UUID
    id: UUID
    state: str


class ReplayLoop:
    """Takes one step of each active replay in turn, so that a large one does not delay a small one.

    Any number may run: each step locks its replay's row and is skipped where that is locked.
    """

    def __init__(self, parts: ReplayParts, poll_s: float) -> None:
        self._parts = parts
        self._poll_s = poll_s
        self._wake = Wake()
        self._resting_until_s: dict[UUID, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not await self.round():
                await self._wake.wait(self._poll_s)

    async def round(self) -> bool:
        """Take one step of each active replay; False when nothing could be done."""
        try:
            async with begin(EngineScope(), self._parts.database) as session:
                rows = await session.fetch(_ACTIVE, AT_ONCE)
        except PlatformError:
            return False  # the book is away; nothing was lost, nothing was done
        return any([await self._step(_Active(**dict(row))) for row in rows])

    async def _step(self, active: _Active) -> bool:
        if clock.monotonic_s() < self._resting_until_s.get(active.id, 0.0):
            return False
        self._resting_until_s.pop(active.id, None)
        try:
            return await self._advance(active)
        except PlatformError as trouble:
            # A lock or the book was not to be had; the next round comes. Said again and again, it is
            # a step that never fits into its time.
            log_event(
                "replay.delayed",
                level="warning",
                tenant=str(active.tenant_id),
                replay=str(active.id),
                reason=str(trouble),
            )
            return False
        except Exception as fault:  # noqa: BLE001 - one replay's fault must not stop the others
            tell_fault("replay.failed", fault, tenant=str(active.tenant_id))
            self._resting_until_s[active.id] = clock.monotonic_s() + REST_AFTER_FAULT_S
            return False

    async def _advance(self, active: _Active) -> bool:
        parts = self._parts
        if active.state == "previewing":
            scope = TenantScope(active.tenant_id, "engine")
            return await preview_step(parts, scope, active.id)
        begun = 0
        if active.state == "running":
            begun = await run_chunk(active.tenant_id, active.id, parts.database)
        if begun:
            parts.ring()
        finished = await finish_some(active.tenant_id, active.id, parts.database)
        return bool(begun or finished)
