"""Play a plan on the running product and let the judge read the logs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from infra.database.scope import TenantScope
from infra.database.unit import begin
from tests.benchmarks.oversell.real.judge import Judge
from tests.benchmarks.oversell.real.plan import Adverse, Plan
from tests.benchmarks.oversell.real.product import (
    Shop,
    StreetProcess,
    free_ports,
    let_out,
    load_stock,
    open_shop,
    tell_opening_stock,
)
from tests.benchmarks.place import Scene, open_scene
from tests.chaos.world import World, open_world

KILL_EVERY_S = 60.0
# Of the specification: what the adverse run meets.
ADVERSE = Adverse(
    doubled=0.02,
    late=0.05,
    lost=0.01,
    dark=(120.0, 300.0, 0.05),
    refusing=(240.0, 360.0),
)
CROWD_AT_S, CROWD_SKUS = 60.0, 200_000
_WAITING = """
select count(*) as due, count(*) filter (where target = 0 and shown > 0) as sold_out,
    (select count(*) from stock_due where tenant_id = $1) as unfolded
from channel_position where tenant_id = $1 and state = 'due'
"""


@dataclass(frozen=True, slots=True)
class Level:
    """How a run is played: its plan, and whether workers are killed beside a retailer who floods."""

    name: str
    plan: Plan
    is_adverse: bool = False


async def play(level: Level) -> dict[str, Any]:
    """Run everything in a throw-away folder and give what the judge says."""
    with _folder() as folder, open_world(folder) as world:
        async with open_scene(world, f"oversell_{level.name}") as scene:
            return await _play(level, world, scene)


async def _play(level: Level, world: World, scene: Scene) -> dict[str, Any]:
    logs = scene.folder / "street"
    logs.mkdir()
    plan = msgspec.structs.replace(level.plan, folder=str(logs), ports=free_ports())
    let_out(scene, plan)
    shop = await open_shop(scene, plan)
    await scene.start_web()
    await scene.start_worker()
    scene.fleet.start_product("scheduler", "scheduler")
    await tell_opening_stock(scene, shop)
    street = await StreetProcess.start(shop.plan)
    try:
        async with _keeping(level, scene, shop):
            street.begin()
            waiting = await _watched(street, scene, shop)
            await street.until("over")
        await street.end()
    finally:
        street.stop()
    verdict = Judge(shop.plan).judge()
    return {
        "level": level.name,
        **verdict.as_json(shop.plan),
        "waiting": waiting,
        "deaths": len(scene.fleet.own_deaths),
    }


async def _watched(street: StreetProcess, scene: Scene, shop: Shop) -> list[dict[str, float]]:
    """Note how much waits while customers buy; for people, the judge does not see it."""
    found: list[dict[str, float]] = []
    sold = asyncio.ensure_future(street.until("sold"))
    while not sold.done():
        async with begin(TenantScope(shop.tenant_id, "bench"), scene.database) as session:
            row = await session.fetch_one(_WAITING, shop.tenant_id)
        if row is not None:
            found.append({"at_s": round(time.monotonic() - street.began_s), **dict(row)})
        await asyncio.wait([sold], timeout=10)
    await sold
    return found


@asynccontextmanager
async def _keeping(level: Level, scene: Scene, shop: Shop) -> AsyncIterator[None]:
    """Keep the product's processes running; an adverse run kills its worker and has a crowd."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(scene.fleet.keep_running())]
        if level.is_adverse:
            running.append(tasks.create_task(_kill(scene)))
            running.append(tasks.create_task(_crowd(scene, shop)))
        yield
        for task in running:
            task.cancel()


async def _kill(scene: Scene) -> None:
    while True:
        await asyncio.sleep(KILL_EVERY_S)
        scene.fleet.kill("worker")


async def _crowd(scene: Scene, shop: Shop) -> None:
    """Let a second retailer load its whole catalogue."""
    await asyncio.sleep(CROWD_AT_S)
    plan = msgspec.structs.replace(shop.plan, skus=CROWD_SKUS, ports=free_ports())
    other = await open_shop(scene, plan)
    await load_stock(scene, other)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tillwire-oversell-"))
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
