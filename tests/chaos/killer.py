"""The killer: SIGKILL to processes and servers as the plan says, while the load goes on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

import redis

from infra.embedded import servers
from tests.chaos.fleet import Fleet
from tests.chaos.plan import Kill
from tests.chaos.world import World

LOOK_EVERY_S = 0.02


@dataclass(slots=True)
class Killer:
    """Carries out a schedule; `progress` gives the share of the work done (0 to 1)."""

    world: World
    fleet: Fleet
    progress: Callable[[], float]
    kills: Counter[str] = field(default_factory=Counter)
    killed_at_ns: list[tuple[str, int]] = field(default_factory=list)
    flushes: int = 0

    async def run(self, schedule: list[Kill]) -> None:
        """Kill one after the other, each when its share of the work is done."""
        for kill in schedule:
            while self.progress() < kill.at_0_1:  # noqa: ASYNC110 - other processes do the work
                await asyncio.sleep(LOOK_EVERY_S)
            self.killed_at_ns.append((kill.victim, time.time_ns()))
            await self._strike(kill)
            self.kills[kill.victim] += 1

    async def _strike(self, kill: Kill) -> None:
        match kill.victim:
            case "postgres":
                await self._kill_server("postgres")
            case "redis":
                await self._kill_server("redis")
                if kill.flushes:
                    await asyncio.to_thread(self._flush)
            case "web" | "worker-1" | "worker-2" | "scheduler":
                self.fleet.kill(kill.victim)
            case _:
                assert_never(kill.victim)

    async def _kill_server(self, which: servers.Which) -> None:
        """Kill a server with all its children and start it again on its data."""
        await asyncio.to_thread(servers.kill, self.world.data, which)
        await asyncio.to_thread(servers.start, self.world.data, report=lambda _: None)

    def _flush(self) -> None:
        with redis.Redis.from_url(self.world.redis_url) as client:
            client.flushall()
        self.flushes += 1
