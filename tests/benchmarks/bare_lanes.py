"""The bare lane-task prototype: claims batches, one task per lane, posts in order, settles in groups.

No tenants, no row-level security, no encryption, no checks, no attempts, no books: an upper bound.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict

import aiohttp
import asyncpg
from uvicorn.loops.auto import auto_loop_factory

from tests.benchmarks.rows import BARE_TABLE

CLAIMED_AT_ONCE = 400
IN_FLIGHT = 256

_CLAIM = """
update bare set state = 'delivering', attempts = attempts + 1 where id in (
    select id from bare where state = 'ready' order by id limit $1 for update skip locked)
returning id, lane, body
"""
_SETTLE = "update bare set state = 'delivered' where id = any($1)"


class BareLanes:
    """One worker; a lane's tasks follow each other, lanes do not wait for lanes."""

    def __init__(self, target: str, session: aiohttp.ClientSession) -> None:
        self._target = target
        self._session = session
        self._lanes: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._done: list[int] = []
        self._filled = asyncio.Event()
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self.settled = 0

    async def work(self, pool: asyncpg.Pool[asyncpg.Record], count: int) -> float:
        """Deliver `count` rows; gives the seconds it took."""
        started_s = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            settling = tasks.create_task(self._settle(pool))
            while rows := await pool.fetch(_CLAIM, CLAIMED_AT_ONCE):
                for row in sorted(rows, key=lambda row: int(row["id"])):
                    await self._free.acquire()
                    tasks.create_task(self._deliver(row))
            while self.settled < count:  # noqa: ASYNC110 - tasks finish in their own time
                await asyncio.sleep(0.002)
            settling.cancel()
        return time.perf_counter() - started_s

    async def _deliver(self, row: asyncpg.Record) -> None:
        try:
            async with self._lanes[row["lane"]]:
                headers = {"idempotency-key": str(row["id"]), "content-type": "application/json"}
                async with self._session.post(
                    self._target, data=row["body"], headers=headers
                ) as answer:
                    await answer.read()
        finally:
            self._free.release()
        self._done.append(row["id"])
        self._filled.set()

    async def _settle(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            done, self._done = self._done, []
            await pool.execute(_SETTLE, done)
            self.settled += len(done)


async def main(url: str, target: str, count: int, lanes: int) -> float:
    """Seed `count` rows over lanes and drain them."""
    async with asyncpg.create_pool(url, min_size=2, max_size=2) as pool:
        await pool.execute(BARE_TABLE)
        body = b'{"specversion":"1.0","id":"x","type":"t","subject":"s","data":"%s"}' % (
            b"x" * 1400
        )
        await pool.copy_records_to_table(
            "bare",
            records=[(number, number % lanes, body) for number in range(count)],
            columns=("id", "lane", "body"),
        )
        await pool.execute("analyze bare")
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await BareLanes(target, session).work(pool, count)


if __name__ == "__main__":
    address, where, how_many, how_wide = sys.argv[1:]
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        took_s = runner.run(main(address, where, int(how_many), int(how_wide)))
    sys.stdout.write(str(took_s))
