"""How much memory idle processes take: their proportional share (PSS), in megabytes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.place import open_scene
from tests.chaos.world import World

REST_S = 2.0
KIB_PER_MB = 1_000_000 / 1024


async def measure_memory(world: World) -> list[Figure]:
    """Start one of each kind, let them rest, and read what they hold."""
    async with open_scene(world, "memory") as scene:
        await scene.start_web()
        await scene.start_worker()
        scene.fleet.start_product("scheduler", "scheduler")
        await scene.fleet.until_ready(["scheduler"])
        await asyncio.sleep(REST_S)
        return [
            Figure(f"memory.{name}_mb", pss_mb(scene.fleet.pid(name)), "MB PSS, idle")
            for name in ("web", "worker", "scheduler")
        ]


def pss_mb(pid: int) -> float:
    """Read the proportional set size of a process; Linux only."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) / KIB_PER_MB
