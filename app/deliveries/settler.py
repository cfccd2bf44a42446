"""Group commit for results: one settler, no lingering; while the book is away, results are kept.

Whoever took a lane over meanwhile is noticed by its token. What cannot be written for a minute is
dropped, which is safe: the next worker's repeat is made harmless by key or look-up.
"""

from __future__ import annotations

import asyncio

from app.deliveries.reports import Reports
from app.deliveries.settle import LaneResult, Lease, settle
from infra import clock
from infra.database.pool import Database
from infra.errors import PlatformError

MAX_BATCH = 300
AGAIN_AFTER_S = 0.1
KEPT_FOR_S = 60.0


class Settler:
    """Collects lane results and settles what piled up while the last commit ran."""

    def __init__(self, database: Database, reports: Reports) -> None:
        self._database = database
        self._reports = reports
        self._waiting: list[tuple[LaneResult, asyncio.Future[None]]] = []
        self._filled = asyncio.Event()

    async def settle(self, result: LaneResult) -> None:
        """Hand over one lane's result; returns when it is written or lost to another worker."""
        await self.hand_over(result)

    def hand_over(self, result: LaneResult) -> asyncio.Future[None]:
        """Hand over a result without waiting; at most one of a lane may be under way at a time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, done))
        self._filled.set()
        return done

    async def run(self) -> None:
        """Settle until cancelled."""
        while True:
            await self._filled.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting:
                self._filled.clear()
            await self._flush([result for result, _ in batch])
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    async def _flush(self, results: list[LaneResult]) -> None:
        try:
            ours = await self._settle(results)
        except PlatformError:
            self._reports.unsettled(len(results))
        except Exception as fault:  # noqa: BLE001 - one lane's row must not fail its neighbours
            if len(results) == 1:
                self._reports.settle_failed(results[0], fault)
            else:
                await self._flush(results[: len(results) // 2])
                await self._flush(results[len(results) // 2 :])
        else:
            self._reports.settled(results, ours)

    async def _settle(self, results: list[LaneResult]) -> frozenset[Lease]:
        """Write results, again and again while the book is away; raises after a minute.

        Without this every crash of the database sends everything anew that was under way.
        """
        until_s = clock.monotonic_s() + KEPT_FOR_S
        while True:
            try:
                return await settle(results, self._database)
            except PlatformError:
                if clock.monotonic_s() > until_s:
                    raise
                await asyncio.sleep(AGAIN_AFTER_S)
