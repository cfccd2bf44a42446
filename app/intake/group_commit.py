"""Group commit: all requests that wait while one commit runs share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from app.intake.backlog import Backlogs
from app.intake.incoming import Accepted, Incoming, Sealed, seal
from app.intake.store import store
from infra.database.pool import Database
from infra.errors import PlatformError
from infra.keys.vault import Vault

MAX_BATCH = 500
MAX_WAITING = 20_000  # beyond this the process answers 503 instead of growing

Ring = Callable[[], None]


class IntakeWriter:
    """Stores messages durably; one flusher, no lingering: an idle process commits at once.

    Measured: lingering 2 ms halves the rate, and a second flusher is slower than one.
    """

    def __init__(self, database: Database, vault: Vault, ring: Ring) -> None:
        self._database = database
        self._vault = vault
        self._ring = ring
        self.backlogs = Backlogs(database)
        self._waiting: list[tuple[Sealed, asyncio.Future[Accepted]]] = []
        self._filled = asyncio.Event()

    async def accept(self, incoming: Incoming) -> Accepted:
        """Store one message; returns after the commit. Raises Unavailable when it cannot be kept."""
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded
        return await self._put(seal(incoming, await self._vault.current(incoming.tenant_id)))

    def _put(self, sealed: Sealed) -> asyncio.Future[Accepted]:
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((sealed, future))
        self._filled.set()
        return future

    async def accept_all(self, incoming: Sequence[Incoming]) -> list[Accepted]:
        """Store several messages of one sender in their order; returns after the commit."""
        if len(self._waiting) + len(incoming) > MAX_WAITING:
            raise Overloaded
        keys = {i.tenant_id: await self._vault.current(i.tenant_id) for i in incoming}
        futures = [self._put(seal(one, keys[one.tenant_id])) for one in incoming]
        return await asyncio.gather(*futures)

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await self._filled.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting:
                self._filled.clear()
            if batch:
                await self._flush(batch)

    async def _flush(self, batch: list[tuple[Sealed, asyncio.Future[Accepted]]]) -> None:
        """Commit a batch; when its data is refused, halve it until the bad row stands alone."""
        try:
            accepted = await store([sealed for sealed, _ in batch], self._database)
        except PlatformError as refusal:
            _fail(batch, refusal)
        except Exception as fault:  # noqa: BLE001 - a refused row must not fail its neighbours
            if len(batch) == 1:
                _fail(batch, fault)
            else:
                await self._flush(batch[: len(batch) // 2])
                await self._flush(batch[len(batch) // 2 :])
        else:
            for (_, future), one in zip(batch, accepted, strict=True):
                if not future.done():
                    future.set_result(one)
            self._ring()


class Overloaded(PlatformError):
    """More requests wait for a commit than this process should hold."""

    status = 503
    code = "service.overloaded"

    def __init__(self) -> None:
        super().__init__("Too much at once; send it again in a moment.", retry_after_s=1)


def _fail(batch: list[tuple[Sealed, asyncio.Future[Accepted]]], fault: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(fault)
