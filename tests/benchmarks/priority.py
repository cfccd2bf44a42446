"""How soon paid orders are told of while bulk fills the engine, and what bulk still gets meanwhile."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from connectors.catalog.http.emulator.book import read_log
from infra.embedded.ports import free_port
from tests.benchmarks.accept import hooks
from tests.benchmarks.deliver import moments, name_of
from tests.benchmarks.fairness import SLOW_S, be_patient, waits_ms
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Load
from tests.benchmarks.place import Scene, open_scene, send, until_effects
from tests.benchmarks.seed import Shape, seed_waiting
from tests.chaos.judge import percentile
from tests.chaos.world import World, open_shops

TENANTS = 20
ORDERS = 100
# Paid orders come spread over this time (seconds), each for a key of its own.
SPREAD_S = 5.0
BULK_CLASS = 3
AT_MOST_S = 600.0
LOOK_EVERY_S = 0.2


async def measure_priority(world: World, bulk: int) -> list[Figure]:
    """Measure paid orders behind waiting bulk: to a quick target, and where bulk's answers in 20 s."""
    quick = await _measured(world, bulk, 0.0)
    slow = await _measured(world, bulk // 10, SLOW_S)
    return [*_figures("priority.quick_bulk", *quick), *_figures("priority.slow_bulk", *slow)]


def _figures(name: str, waits_ms: list[float], share: float) -> list[Figure]:
    return [
        Figure(f"{name}.orders.p50_ms", percentile(waits_ms, 0.5), "ms"),
        Figure(f"{name}.orders.p95_ms", percentile(waits_ms, 0.95), "ms"),
        Figure(f"{name}.orders.worst_ms", max(waits_ms), "ms"),
        Figure(f"{name}.bulk_share", share, "of all told meanwhile"),
    ]


async def _measured(world: World, bulk: int, delay_s: float) -> tuple[list[float], float]:
    """Let bulk wait first, then let orders come; gives the orders' waits and the share of bulk."""
    async with open_scene(world, f"priority-{delay_s:.0f}") as scene:
        own_port, own_log = free_port(), scene.folder / "bulk.jsonl"
        be_patient(scene, own_port)
        scene.start_target()
        scene.start_slow_target(own_port, own_log, delay_s)
        shops = await open_shops(scene.world, scene.database, TENANTS, [own_port])
        # A quick target takes bulk of all retailers; the slow one is the first retailer's alone.
        of_bulk, bulk_log = (shops[:1], own_log) if delay_s else (shops[1:], scene.target_log)
        await seed_waiting(scene, of_bulk, bulk, Shape(1, BULK_CLASS, "bulk"))
        await scene.start_web()
        await scene.start_worker()
        await until_effects(bulk_log, 1, AT_MOST_S)
        times = scene.folder / "orders.json"
        doors = hooks(shops[1:])
        rate_per_s = ORDERS / SPREAD_S
        begun_ns = time.time_ns()
        await send(
            Load(
                scene.world.web_port,
                doors,
                ORDERS,
                "order",
                rate_per_s=rate_per_s,
                times=str(times),
            )
        )
        await _until_told(scene, times)
        waits = waits_ms(scene.target_log, str(times))
        told = _told_since(scene.target_log, begun_ns) + _told_since(own_log, begun_ns)
    return waits, told.count(True) / len(told)


async def _until_told(scene: Scene, times: Path) -> None:
    wanted = {(lane, version) for lane, version, _ in moments(str(times))}
    async with asyncio.timeout(AT_MOST_S):
        while not wanted <= {name_of(entry) for entry in read_log(scene.target_log)}:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY_S)


def _told_since(log: Path, begun_ns: int) -> list[bool]:
    """Say for each thing that the target was told since a moment whether it was bulk."""
    return [":bulk-" in entry.lane for entry in read_log(log) if entry.at_ns >= begun_ns]
