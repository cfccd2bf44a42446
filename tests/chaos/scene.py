"""What the cases stand on: servers of their own, a stage on them, and our processes beside."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.catalog.http.emulator import Recorder, Target
from infra.bell import Bell, open_broker
from infra.database.migrate import migrate
from infra.database.pool import open_database
from tests.chaos.fleet import Fleet
from tests.chaos.world import World, open_world
from tests.stage import MASTER_KEY, Retailer, Stage, open_stage

START_TIMEOUT_S = 60.0
PLANTED = (sys.executable, "-m", "tests.chaos.planted", "worker")


@dataclass(frozen=True, slots=True)
class Scene:
    """One case's world, its processes, and the acts that it performs on the book."""

    world: World
    fleet: Fleet
    stage: Stage
    bell: Bell

    async def start_workers(self, names: tuple[str, ...], *, planted: bool = False) -> None:
        """Run workers and wait until they have started; `planted` ones know the bad connector."""
        for name in names:
            if planted:
                self.fleet.start(name, PLANTED)
            else:
                self.fleet.start_product(name, "worker")
        await self.until_ready(names)

    async def until_ready(self, names: tuple[str, ...]) -> None:
        """Wait until these processes have started, for the first time or again."""
        async with asyncio.timeout(START_TIMEOUT_S):
            await self.fleet.until_ready(names)

    async def retailers(self, urls: Sequence[str], count: int) -> list[Retailer]:
        """Make several: a connection takes only so many calls at once, so that all are in hand."""
        return [await self.retailer(urls[number % len(urls)]) for number in range(count)]

    async def retailer(self, url: str, *, ordering: str = "strict") -> Retailer:
        """Make a retailer whose orders go from its source to a target at this address."""
        retailer = await self.stage.retailer()
        await self.stage.connect(retailer, "source", "http")
        await self.stage.connect(retailer, "target", "http", base_url=url)
        await self.stage.give_secret(retailer, "target", ["signing_secret"])
        await self.stage.flow(retailer, "source", "target", ordering=ordering)
        return retailer


@asynccontextmanager
async def open_scene(folder: Path, **settings: str) -> AsyncIterator[Scene]:
    """Start servers in an empty folder; processes get the settings of the chaos world and these.

    What dies is started again until the block ends. Targets may listen anywhere on 127.0.0.1.
    """
    with open_world(folder) as world:
        mine = replace(world, master_key=MASTER_KEY)
        await migrate(mine.owner_url, mine.app_url)
        database = await open_database(mine.app_url, size=6, application="chaos")
        environment = {**mine.environment(), "EGRESS_ALLOW": "127.0.0.1", **settings}
        fleet = Fleet(environment, folder)
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(fleet.keep_running())
            try:
                with Bell(open_broker(mine.redis_url)) as bell:
                    async with open_stage(database) as stage:
                        yield Scene(mine, fleet, stage, bell)
            finally:
                keeping.cancel()
                await asyncio.wait({keeping})
                fleet.stop()
                await database.close()


@asynccontextmanager
async def open_targets(count: int) -> AsyncIterator[tuple[Target, list[str]]]:
    """Let one target listen at several addresses: we open only so many connections to each."""
    target = Target()
    async with AsyncExitStack() as stack:
        doors = [await stack.enter_async_context(Recorder(target)) for _ in range(count)]
        yield target, [door.url for door in doors]
