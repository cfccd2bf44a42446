"""DB4, small. Whoever works on returns dies before and after every step of every story, and all finish.

The flows, the deliveries and the emulated systems are the real ones; what dies is the loop of returns,
in the middle of a commit: once before it and once after it, for each step that a story reaches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import asyncpg

from app.exceptions.give_up import give_up
from app.retail.returns.by_delivery import ByDelivery
from app.retail.returns.loop import ReturnLoop
from app.retail.returns.steps import STEPS
from infra.database.pool import Database
from infra.ids import Id
from tests.app.retail.returns.killing import Killed, _Watched
from tests.scenarios.patience import until
from tests.scenarios.return_shop import QUICK, a_return_shop
from tests.scenarios.return_stories import answer_all, begin_story, judge, stories
from tests.stage import Stage


class Reaper:
    """Ends the process at each (retailer, step) twice: just before the commit, then just after one."""

    def __init__(self, real: Database) -> None:
        self._real = real
        self.struck: set[tuple[Id, str, str]] = set()

    @property
    def database(self) -> Database:
        return cast("Database", self)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with self._real.connection() as connection:
            yield _Reaped(connection, self)

    async def commit(
        self, connection: asyncpg.Connection[Any], tenant_id: Id | None, steps: set[str]
    ) -> str:
        fresh = sorted(
            (tenant_id, step, when)
            for step in steps
            for when in ("before", "after")
            if tenant_id is not None and (tenant_id, step, when) not in self.struck
        )
        for strike in fresh:
            self.struck.add(strike)
            if strike[2] == "after":
                await connection.execute("commit")
            raise Killed
        return await connection.execute("commit")


class _Reaped(_Watched):
    def __init__(self, connection: asyncpg.Connection[Any], reaper: Reaper) -> None:
        super().__init__(connection, reaper)  # type: ignore[arg-type]
        self._reaper, self._tenant_id = reaper, cast("Id | None", None)

    async def execute(self, sql: str, *args: Any) -> str:
        if sql == "commit":
            return await self._reaper.commit(self._connection, self._tenant_id, self._steps)
        if args and "return_" in sql:
            self._tenant_id = args[0]
        return await super().execute(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        if args and "return_" in sql:
            self._tenant_id = args[0]
        return await super().fetchrow(sql, *args)


async def _live_again_and_again(stage: Stage, reaper: Reaper) -> None:
    """Be one process after the other: each is new, and dies where the reaper says."""
    while True:
        database = reaper.database
        act = ByDelivery(database, stage.vault, give_up, lambda: None)
        try:
            await ReturnLoop(database, stage.vault, act, 0.02, QUICK).run()
        except Killed:
            continue


async def test_killed_before_and_after_every_step_all_returns_end_legally_and_exactly(
    stage: Stage,
) -> None:
    told = stories()
    reaper = Reaper(stage.database)
    async with AsyncExitStack() as stack:
        shops = [
            await stack.enter_async_context(a_return_shop(stage, refuses=dict(story.refuses)))
            for story in told
        ]
        await stack.enter_async_context(stage.engine())
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        working = tasks.create_task(_live_again_and_again(stage, reaper))
        try:
            for shop, story in zip(shops, told, strict=True):
                await begin_story(shop, story)

            async def all_ended() -> bool:
                for shop, story in zip(shops, told, strict=True):
                    await answer_all(shop, story)
                ended = [
                    await shop.status() == [story.end]
                    for shop, story in zip(shops, told, strict=True)
                ]
                return all(ended)

            await until(all_ended, "all returns end as they must", at_most_s=100)
        finally:
            working.cancel()

    for shop, story in zip(shops, told, strict=True):
        judge(shop, story)
        assert (await stage.ledger(shop.retailer)).unaccounted == 0
    # R1, R3, R4 and R6 are decided where facts are told or a plan is made: by the batch that reads.
    ours = {"R1", "R2", "R5", "R7", "R8", "R9", "R10", "R11"}
    assert {step for _, step, _ in reaper.struck} >= ours
    assert {step.id for step in STEPS} >= ours
    assert len(reaper.struck) > 80
