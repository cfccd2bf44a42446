"""A worker that was frozen and comes back changes nothing: what it held is another's by now.

Every round one worker is stopped (SIGSTOP) in the middle of its calls, for three leases; the other one
takes everything over and brings it to its end; then the first goes on (SIGCONT), with the answers to
its calls, and tries to write what it knows. Every lane has a lease of its own, so every lane is one
trial: its late result must be refused.
"""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.catalog.http.emulator import Faults, Target
from connectors.catalog.http.emulator.book import Entry
from tests.chaos.scene import Scene, open_scene, open_targets
from tests.stage import Retailer, order_event

WORKERS = ("worker-1", "worker-2")
LEASE_S = 3.0
FROZEN_S = 3 * LEASE_S
# The target does its work at once and keeps its answer back, so that calls are under way.
ANSWER_AFTER_MS = 1_000.0
AT_MOST_S = 60.0
LOOK_EVERY_S = 0.02
# As many calls as a connection makes at once from the start.
CALLS_EACH = 4
TARGETS = 4
REFUSED = b'"event_name":"lease.lost"'


@dataclass(frozen=True, slots=True)
class ZombiePlan:
    """How often a worker is frozen, and how many lanes it holds each time, with two orders each."""

    rounds: int = 5
    lanes: int = 100


@dataclass(slots=True)
class ZombieFigures:
    """Late results that came, and what became of them."""

    trials: int
    refused: int = 0
    written_late: int = 0
    doubled: int = 0
    inverted: int = 0
    not_delivered: int = 0
    unaccounted: int = 0
    violations: list[str] = field(default_factory=list)


async def run_zombie(plan: ZombiePlan, folder: Path) -> ZombieFigures:
    """Freeze a worker that holds everything, again and again."""
    figures = ZombieFigures(plan.rounds * plan.lanes)
    # The watchdog would end a worker that was frozen, which is safer still; here it is to come back.
    async with (
        open_scene(folder, TILLWIRE_WATCHDOG_S="0") as scene,
        open_targets(TARGETS) as (target, urls),
    ):
        await scene.start_workers(WORKERS)
        for number in range(plan.rounds):
            frozen, heir = WORKERS[number % 2], WORKERS[(number + 1) % 2]
            await _round(scene, target, urls, plan, figures, frozen=frozen, heir=heir)
        figures.doubled = sum(count > 1 for count in target.book.effects.values())
    kept = {
        f"refused {figures.refused} of {figures.trials}": figures.refused == figures.trials,
        f"written late: {figures.written_late}": figures.written_late == 0,
        f"done twice: {figures.doubled}": figures.doubled == 0,
        f"out of order: {figures.inverted}": figures.inverted == 0,
        f"not delivered: {figures.not_delivered}": figures.not_delivered == 0,
        f"unaccounted: {figures.unaccounted}": figures.unaccounted == 0,
    }
    figures.violations += [what for what, is_kept in kept.items() if not is_kept]
    return figures


async def _round(
    scene: Scene,
    target: Target,
    urls: list[str],
    plan: ZombiePlan,
    figures: ZombieFigures,
    *,
    frozen: str,
    heir: str,
) -> None:
    book = target.book
    retailers = await scene.retailers(urls, plan.lanes // CALLS_EACH)
    before = len(book.entries)
    target.faults = Faults(delay_ms=ANSWER_AFTER_MS)
    os.kill(scene.fleet.pid(heir), signal.SIGSTOP)
    for retailer in retailers:
        orders = (order_event(n, version=v) for v in ("1", "2") for n in range(CALLS_EACH))
        await scene.stage.accept(retailer, "source", *orders)
    await _until(lambda: len(book.entries) >= before + plan.lanes)
    os.kill(scene.fleet.pid(frozen), signal.SIGSTOP)
    target.faults = Faults()
    os.kill(scene.fleet.pid(heir), signal.SIGCONT)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(FROZEN_S))
        for retailer in retailers:
            tasks.create_task(scene.stage.settled(retailer, AT_MOST_S))
    settled = await _written(scene, retailers)
    refused = scene.fleet.sum_in_logs(REFUSED)
    os.kill(scene.fleet.pid(frozen), signal.SIGCONT)
    await _until(lambda: scene.fleet.sum_in_logs(REFUSED) >= refused + plan.lanes)
    figures.refused += scene.fleet.sum_in_logs(REFUSED) - refused
    figures.written_late += sum(row not in settled for row in await _written(scene, retailers))
    figures.inverted += _inverted(book.entries[before:])
    for retailer in retailers:
        ledger = await scene.stage.ledger(retailer)
        figures.not_delivered += 2 * CALLS_EACH - ledger.total.fates.get("delivered", 0)
        figures.unaccounted += ledger.unaccounted


def _inverted(entries: list[Entry]) -> int:
    """Count keys of which a later order was done before an earlier one."""
    done: dict[str, list[str]] = {}
    for entry in entries:
        if entry.is_effect:
            done.setdefault(f"{entry.lane} {entry.event_id[:-1]}", []).append(entry.event_id)
    return sum(of_key != sorted(of_key) for of_key in done.values())


async def _written(scene: Scene, retailers: list[Retailer]) -> list[dict[str, Any]]:
    """Give all that a late result could change: deliveries with their states, and all attempts."""
    found = []
    for retailer in retailers:
        found += await scene.stage.rows(
            retailer,
            "select d.id, d.state, d.code, d.attempt_count, d.settled_at, a.id as attempt_id"
            " from delivery d left join attempt a on a.tenant_id = d.tenant_id"
            " and a.delivery_id = d.id order by d.id, a.id",
        )
    return found


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(AT_MOST_S):
        while not is_so():  # noqa: ASYNC110 - other processes do the work
            await asyncio.sleep(LOOK_EVERY_S)
