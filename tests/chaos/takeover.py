"""A dead worker's deliveries are soon in another worker's hands, each done once.

Every round one worker holds all deliveries, each waiting for a target that hangs; it is killed with
SIGKILL, and the target counts how long until the other worker has brought the last of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from connectors.catalog.http.emulator import Faults, Target
from tests.chaos.judge import NANOSECONDS, percentile
from tests.chaos.scene import Scene, open_scene, open_targets
from tests.stage import order_event

WORKERS = ("worker-1", "worker-2")
LEASE_S = 3.0
PROMISED_S = LEASE_S + 5.0
AT_MOST_S = 60.0
LOOK_EVERY_S = 0.02
# As many calls as a connection makes at once from the start.
CALLS_EACH = 4
TARGETS = 4


@dataclass(frozen=True, slots=True)
class TakeoverPlan:
    """How often a worker is killed, and how many deliveries it holds each time."""

    rounds: int = 20
    deliveries: int = 100


@dataclass(slots=True)
class TakeoverFigures:
    """Seconds from the kill until the last delivery of a round was in the other worker's hands."""

    rounds: int
    deliveries: int
    last_s: list[float] = field(default_factory=list)
    p50_s: float = 0.0
    p99_s: float = 0.0
    worst_s: float = 0.0
    doubled: int = 0
    unaccounted: int = 0
    violations: list[str] = field(default_factory=list)


async def run_takeover(plan: TakeoverPlan, folder: Path) -> TakeoverFigures:
    """Kill a worker that holds everything, again and again."""
    figures = TakeoverFigures(plan.rounds, plan.deliveries)
    waits_s: list[float] = []
    # A worker that is stopped for a moment is not to end itself for standing still.
    async with (
        open_scene(folder, TILLWIRE_WATCHDOG_S="0") as scene,
        open_targets(TARGETS) as (target, urls),
    ):
        await scene.start_workers(WORKERS)
        for number in range(plan.rounds):
            victim, heir = WORKERS[number % 2], WORKERS[(number + 1) % 2]
            waited_s = await _round(scene, target, urls, plan, figures, victim=victim, heir=heir)
            waits_s += waited_s
            figures.last_s.append(round(max(waited_s), 2))
        figures.doubled = sum(count > 1 for count in target.book.effects.values())
    figures.p50_s = round(percentile(waits_s, 0.5), 2)
    figures.p99_s = round(percentile(waits_s, 0.99), 2)
    figures.worst_s = round(max(waits_s), 2)
    figures.violations += _violations(figures)
    return figures


async def _round(
    scene: Scene,
    target: Target,
    urls: list[str],
    plan: TakeoverPlan,
    figures: TakeoverFigures,
    *,
    victim: str,
    heir: str,
) -> list[float]:
    """Kill the victim while it holds all; give for each delivery the seconds until it was done."""
    book = target.book
    retailers = await scene.retailers(urls, plan.deliveries // CALLS_EACH)
    before = len(book.entries)
    target.faults = Faults(hang=1.0)
    os.kill(scene.fleet.pid(heir), signal.SIGSTOP)  # so that the victim takes them all
    try:
        for retailer in retailers:
            await scene.stage.accept(retailer, "source", *map(order_event, range(CALLS_EACH)))
        async with asyncio.timeout(AT_MOST_S):
            while len(book.entries) < before + plan.deliveries:  # noqa: ASYNC110 - others work
                await asyncio.sleep(LOOK_EVERY_S)
    finally:
        os.kill(scene.fleet.pid(heir), signal.SIGCONT)
    target.faults = Faults()
    killed_ns = time.time_ns()
    scene.fleet.kill(victim)
    for retailer in retailers:
        await scene.stage.settled(retailer, AT_MOST_S)
        figures.unaccounted += (await scene.stage.ledger(retailer)).unaccounted
    await scene.until_ready((victim,))
    done = [entry for entry in book.entries[before:] if entry.is_effect]
    held = Counter(entry.key for entry in book.entries[before : before + plan.deliveries])
    if len(held) != plan.deliveries or len(done) != plan.deliveries:
        figures.violations.append(f"{len(held)} held by the victim, {len(done)} done")
    return [(entry.at_ns - killed_ns) / NANOSECONDS for entry in done]


def _violations(figures: TakeoverFigures) -> list[str]:
    kept = {
        f"p99 {figures.p99_s} s, promised {PROMISED_S} s": figures.p99_s <= PROMISED_S,
        f"done twice: {figures.doubled}": figures.doubled == 0,
        f"unaccounted: {figures.unaccounted}": figures.unaccounted == 0,
    }
    return [what for what, is_kept in kept.items() if not is_kept]
