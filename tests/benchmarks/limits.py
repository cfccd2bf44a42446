"""How well a vendor's limit is kept: calls it refused, and how much of what it allows is used."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.catalog.http.emulator.book import Entry, read_log
from connectors.catalog.http.emulator.limits import RULES
from infra.database.scope import TenantScope
from infra.database.unit import begin
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Scene, effect_count, open_scene
from tests.benchmarks.seed import seed_waiting
from tests.chaos.judge import NANOSECONDS
from tests.chaos.world import TARGET, Shop, World, open_shops

LOOK_EVERY_S = 0.1
AT_MOST_S = 120.0
TOO_MANY = 429
# A start beside other processes, the first burst, and what an undeclared limit costs to be learned.
WARM_S = 15.0


@dataclass(frozen=True, slots=True)
class Case:
    """One vendor's rule, and whether we are told of it beforehand or learn it from answers."""

    vendor: str
    is_declared: bool


# Amazon states its rate in every answer; the others' plans are entered with the connection.
CASES = (Case("amazon", False), Case("shopify", True), Case("walmart", True))


async def measure_limits(
    world: World, seconds: float, warm_s: float = WARM_S, crews: Sequence[int] = (1, 2)
) -> list[Figure]:
    """Let each vendor's emulator judge one and two workers, after a warm-up."""
    figures = []
    for case in CASES:
        for workers in crews:
            refused, used = await _judged(world, case, workers, seconds, warm_s)
            crew = "one_worker" if workers == 1 else f"{workers}_workers"
            name = f"limits.{case.vendor}.{crew}"
            figures.append(Figure(f"{name}.refused_share", refused, "of calls"))
            figures.append(Figure(f"{name}.used_share", used, "of the allowed rate"))
    return figures


async def _judged(
    world: World, case: Case, workers: int, seconds: float, warm_s: float
) -> tuple[float, float]:
    rule = RULES[case.vendor]
    count = int(rule.burst + (seconds + warm_s) * rule.rate_per_s * 2)
    async with open_scene(world, f"limits-{case.vendor}-{workers}") as scene:
        shops = await open_shops(scene.world, scene.database, 1)
        if case.is_declared:
            await _declare(scene, shops[0], rule.rate_per_s, rule.burst)
        await seed_waiting(scene, shops, count)
        command = [sys.executable, "-m", "connectors.catalog.http.emulator"]
        command += ["--port", str(scene.world.target_port), "--log", str(scene.target_log)]
        scene.fleet.start("target", [*command, "--limits", case.vendor])
        for number in range(workers):
            await scene.start_worker(f"worker-{number}")
        await _until_first(scene)
        await asyncio.sleep(warm_s + seconds)
        return shares(list(read_log(scene.target_log)), rule.rate_per_s, warm_s, seconds)


async def _declare(scene: Scene, shop: Shop, rate_per_s: float, burst: float) -> None:
    budget = json.dumps({"budget": {"rate_per_s": rate_per_s, "burst": burst}})
    async with begin(TenantScope(shop.tenant_id), scene.database) as session:
        await session.execute(
            "update connection set settings = settings || $1::jsonb where name = $2", budget, TARGET
        )


async def _until_first(scene: Scene) -> None:
    async with asyncio.timeout(AT_MOST_S):
        while not effect_count(scene.target_log):  # noqa: ASYNC110 - other processes write it
            await asyncio.sleep(LOOK_EVERY_S)


def shares(
    entries: Sequence[Entry], rate_per_s: float, warm_s: float, seconds: float
) -> tuple[float, float]:
    """Judge a log: the share of refused calls, and of the rate that was used, after the warm-up."""
    begin_ns = entries[0].at_ns + int(warm_s * NANOSECONDS)
    end_ns = begin_ns + int(seconds * NANOSECONDS)
    counted = [entry for entry in entries if begin_ns <= entry.at_ns < end_ns]
    refused = sum(entry.status == TOO_MANY for entry in counted)
    return refused / max(1, len(counted)), (len(counted) - refused) / (rate_per_s * seconds)
