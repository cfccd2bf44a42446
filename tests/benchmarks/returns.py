"""DB4 at full length: the worker process is killed -9 after every step of every story of a return.

Each strike waits until the step's fact is in the book and kills the worker at once; the next worker
goes on. In the end every return must be at a legal end, the money right at the systems' own logs.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

from app.retail.returns.steps import ENDS
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Scene, open_scene
from tests.chaos.world import World
from tests.scenarios.return_shop import ReturnShop, a_return_shop
from tests.scenarios.return_stories import Story, answer_all, begin_story, judge, stories
from tests.stage import MASTER_KEY, Stage, open_stage

# The emulated systems are on ports of their own; a dead worker's leases end soon.
SETTINGS = {
    "EGRESS_ALLOW": "127.0.0.1",
    "TILLWIRE_LEASE_S": "3",
    "TILLWIRE_CALL_DEADLINE_S": "2",
    "TILLWIRE_POLL_S": "0.1",
}
LOOK_EVERY_S = 0.005
STEP_AT_MOST_S = 60.0
END_AT_MOST_S = 300.0
# What in the book shows that a step was made.
_FACT = "select exists (select 1 from return_fact where kind = '{}')"
SHOWS: dict[str, str] = {
    "R1": _FACT.format("sale_known"),
    "R2": _FACT.format("authorised"),
    "R3": _FACT.format("received"),
    "R4": _FACT.format("inspected"),
    "R5": _FACT.format("stock_moved"),
    "R6": "select exists (select 1 from return_command where step = 'R7')",
    "R7": _FACT.format("refunded"),
    "R8": _FACT.format("posted"),
    "R9": _FACT.format("points_reversed"),
    "R10": _FACT.format("history_told"),
    "R11": "select exists (select 1 from return_process where status <> 'open')",
}


@dataclass(slots=True)
class _Played:
    """One return: its shop, its story, the step after which its worker was killed."""

    shop: ReturnShop
    story: Story
    step: str
    is_struck: bool = False


@dataclass(slots=True)
class _Run:
    scene: Scene
    stage: Stage
    stack: AsyncExitStack
    played: list[_Played] = field(default_factory=list)


async def measure_returns(world: World, most: int) -> list[Figure]:
    """Kill the worker after each step of the first `most` stories; fails when a return is not right."""
    mine = replace(world, master_key=MASTER_KEY)
    started_s = time.monotonic()
    async with (
        open_scene(mine, f"returns_{most}") as scene,
        AsyncExitStack() as stack,
        open_stage(scene.database) as stage,
    ):
        run = _Run(scene, stage, stack)
        scene.fleet.environment = {**scene.fleet.environment, **SETTINGS}
        await scene.start_worker()
        for story in stories()[:most]:
            for step in SHOWS:
                await _strike(run, story, step)
        await _all_end(run)
        ends = await _judge(run)
    strikes = [each for each in run.played if each.is_struck]
    return [
        Figure("returns.killed_worker.strikes", len(strikes), "kills"),
        Figure("returns.killed_worker.returns", len(run.played), "returns"),
        Figure("returns.killed_worker.legal_ends", ends / len(run.played), "share"),
        Figure("returns.killed_worker.took_s", time.monotonic() - started_s, "s"),
    ]


async def _strike(run: _Run, story: Story, step: str) -> None:
    """Play one return and kill the worker as soon as its step is in the book."""
    shop = await run.stack.enter_async_context(
        a_return_shop(run.stage, refuses=dict(story.refuses))
    )
    one = _Played(shop, story, step)
    run.played.append(one)
    telling = asyncio.create_task(begin_story(shop, story))
    one.is_struck = await _until_made(shop, story, SHOWS[step])
    if one.is_struck:
        run.scene.fleet.kill("worker")
        await run.scene.start_worker()
    await telling


async def _until_made(shop: ReturnShop, story: Story, sql: str) -> bool:
    """Wait until a step is made; False when the return is over without it."""
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < STEP_AT_MOST_S:
        (row,) = await shop.stage.rows(shop.retailer, f"{sql} as is_made")
        if row["is_made"]:
            return True
        if await shop.status() not in ([], ["open"]):
            return False
        await answer_all(shop, story)
        await asyncio.sleep(LOOK_EVERY_S)
    raise AssertionError(f"{story.name}: stands still")


async def _all_end(run: _Run) -> None:
    async with asyncio.timeout(END_AT_MOST_S):
        while True:
            states = []
            for each in run.played:
                await answer_all(each.shop, each.story)
                states += await each.shop.status()
            if "open" not in states:
                return
            await asyncio.sleep(0.2)


async def _judge(run: _Run) -> int:
    """Hold every return against its story at the systems' own logs; gives how many ended legally."""
    ends: Counter[str] = Counter()
    for each in run.played:
        status = await each.shop.status()
        assert status == [each.story.end], (each.story.name, each.step, status)
        judge(each.shop, each.story)
        assert (await run.stage.ledger(each.shop.retailer)).unaccounted == 0
        ends.update(status)
    return sum(ends[end] for end in ENDS)
