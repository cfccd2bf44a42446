"""The cases beside the great run, by name: each one a promise, with a plan of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.chaos.hostile_targets import HostilePlan, run_hostile
from tests.chaos.poison import PoisonPlan, run_poison
from tests.chaos.redis_abuse import RedisPlan, run_redis
from tests.chaos.takeover import TakeoverPlan, run_takeover
from tests.chaos.zombie import ZombiePlan, run_zombie


@dataclass(frozen=True, slots=True)
class Case:
    """One case: how to run it whole in an empty folder; its figures name what was not kept."""

    words: str
    run: Callable[[Path], Awaitable[Any]]

    async def figures(self, folder: Path) -> dict[str, Any]:
        """Run it and give what it found."""
        return asdict(await self.run(folder))


CASES = {
    "poison": Case(
        "one record of 2,000 that ends, blocks or eats its worker, read and sent",
        lambda folder: run_poison(PoisonPlan(), folder),
    ),
    "takeover": Case(
        "a worker with 100 calls under way is killed, 20 times",
        lambda folder: run_takeover(TakeoverPlan(), folder),
    ),
    "zombie": Case(
        "a worker is frozen for three leases in the middle of 100 calls, 5 times",
        lambda folder: run_zombie(ZombiePlan(), folder),
    ),
    "redis": Case(
        "Redis is killed, emptied, stalled, full, locked, every 5 s",
        lambda folder: run_redis(RedisPlan(), folder),
    ),
    "hostile": Case(
        "16 hostile targets at once",
        lambda folder: run_hostile(HostilePlan(), folder),
    ),
}
