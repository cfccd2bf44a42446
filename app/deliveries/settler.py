"""Group commit for results: one settler, no lingering; a result that cannot be written is dropped.

Dropping is safe: the lane's lease ends, and the repeat is made harmless by key or look-up.
"""

from __future__ import annotations

import asyncio

from app.deliveries.reports import Reports
from app.deliveries.settle import LaneResult, settle
from infra.database.pool import Database
from infra.errors import PlatformError

MAX_BATCH = 300


class Settler:
    """Collects lane results and settles what piled up while the last commit ran."""

    def __init__(self, database: Database, reports: Reports) -> None:
        self._database = database
        self._reports = reports
        self._waiting: list[tuple[LaneResult, asyncio.Future[None]]] = []
        self._filled = asyncio.Event()

    async def settle(self, result: LaneResult) -> None:
        """Hand over one lane's result; returns when it is written or lost to another worker."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, done))
        self._filled.set()
        await done

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
            ours = await settle(results, self._database)
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
