"""Sixteen hostile targets at once cannot hurt us, nor the four retailers whose targets are good.

The same load twice: first sixteen other retailers send to targets that are good too, then to targets
that bomb, trickle, lie, hang or send us elsewhere. The worker measures its own loop and memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from connectors.catalog.http.emulator import Recorder, Target
from tests.chaos.judge import NANOSECONDS, percentile
from tests.chaos.scene import Scene, open_scene
from tests.stage import Retailer, order_event

WORKER = "worker-1"
LAG_FILE = "TILLWIRE_TESTS_LAG_FILE"
DEADLINE_S = 2.0
# Promised: what sixteen hostile targets may cost.
MEMORY_AT_MOST_MB = 64.0
STALL_AT_MOST_MS = 100.0
OVER_DEADLINE_AT_MOST_S = 0.5
SLOWER_AT_MOST_0_1 = 0.2
LOOK_EVERY_S = 0.05
START_S = 30.0
# What each target comes to: outcome and code of its attempts.
EXPECTED: dict[str, tuple[str, str]] = {
    "gzip_bomb": ("Delivered", ""),
    "body_byte_by_byte": ("Unknown", "target.answer_lost"),
    "header_by_header": ("Unknown", "target.answer_lost"),
    "endless_interim": ("Unknown", "target.answer_lost"),
    "endless_body": ("Delivered", ""),
    "endless_header": ("Unknown", "target.answer_lost"),
    "wrong_length": ("Unknown", "target.answer_lost"),
    "reset": ("Unknown", "target.answer_lost"),
    "garbage": ("Unknown", "target.answer_lost"),
    "silence": ("Unknown", "target.answer_lost"),
    "bad_gzip": ("Delivered", ""),
    "odd_charset": ("Delivered", ""),
    "redirect_inside": ("Rejected", "target.redirect"),
    "odd_status": ("Unknown", "target.answer_lost"),
    "retry_in_30_years": ("RetryLater", "target.throttled"),
    "echoes_secrets": ("Rejected", "target.refused"),
}


@dataclass(frozen=True, slots=True)
class HostilePlan:
    """How long each half lasts, and how many orders a second each retailer sends."""

    seconds: float = 30.0
    good: int = 4
    rate_per_s: int = 5
    hostile_rate_per_s: int = 1


@dataclass(slots=True)
class HostileFigures:
    """What the good ones felt, and what the hostile ones cost."""

    calm_p95_ms: float = 0.0
    hostile_p95_ms: float = 0.0
    calm_loop_ms: dict[str, float] = field(default_factory=dict)
    hostile_loop_ms: dict[str, float] = field(default_factory=dict)
    memory_before_mb: float = 0.0
    memory_peak_mb: float = 0.0
    longest_call_ms: int = 0
    good_delivered: int = 0
    unaccounted: int = 0
    attempts: dict[str, dict[str, int]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    marks_missed: list[str] = field(default_factory=list)


async def run_hostile(plan: HostilePlan, folder: Path) -> HostileFigures:
    """Measure the good ones alone, then among the hostile ones."""
    figures = HostileFigures()
    lag, ports = folder / "lag.json", folder / "ports.json"
    async with open_scene(folder, **{LAG_FILE: str(lag)}) as scene, Recorder() as good:
        scene.fleet.start(
            "hostile", [sys.executable, "-m", "tests.chaos.hostile_server", str(ports)]
        )
        await scene.start_workers((WORKER,), planted=True)
        async with asyncio.timeout(START_S):
            while not ports.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(LOOK_EVERY_S)
        urls: dict[str, str] = json.loads(ports.read_bytes())
        phase = _Phase(plan, scene, good, figures)
        await phase.run(dict.fromkeys(urls, good.url))
        figures.calm_p95_ms, figures.calm_loop_ms = phase.p95_ms, _worst_of_loop(lag)
        figures.memory_before_mb = phase.memory_mb
        retailers = await phase.run(urls)
        figures.hostile_p95_ms, figures.hostile_loop_ms = phase.p95_ms, _worst_of_loop(lag)
        figures.memory_peak_mb = phase.memory_mb
        for name, retailer in retailers.items():
            await _read(scene, name, retailer, figures)
    _judge(plan, figures)
    return figures


@dataclass(slots=True)
class _Phase:
    """One half: the good ones and the others send side by side; leaves p95 and peak memory."""

    plan: HostilePlan
    scene: Scene
    good: Recorder
    figures: HostileFigures
    p95_ms: float = 0.0
    memory_mb: float = 0.0

    async def run(self, urls: dict[str, str]) -> dict[str, Retailer]:
        """Send for the whole time; gives the others by the name of their target."""
        plan, scene = self.plan, self.scene
        others = {name: await scene.retailer(url) for name, url in urls.items()}
        fine = [await scene.retailer(self.good.url) for _ in range(plan.good)]
        self.memory_mb = 0.0
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch_memory())
            sending = tasks.create_task(_send(scene, fine, plan.seconds, plan.rate_per_s))
            await _send(scene, list(others.values()), plan.seconds, plan.hostile_rate_per_s)
            self.p95_ms = await _p95_ms(scene, fine, self.good.target, await sending)
            await asyncio.sleep(DEADLINE_S)
            watching.cancel()
        for retailer in fine:
            ledger = await scene.stage.ledger(retailer)
            self.figures.good_delivered += ledger.total.fates.get("delivered", 0)
            self.figures.unaccounted += ledger.unaccounted
        return others

    async def _watch_memory(self) -> None:
        worker = psutil.Process(self.scene.fleet.pid(WORKER))
        while True:
            now_mb = round(worker.memory_info().rss / 1_048_576, 1)
            self.memory_mb = max(self.memory_mb, now_mb)
            await asyncio.sleep(LOOK_EVERY_S)


async def _send(
    scene: Scene, retailers: list[Retailer], seconds: float, rate_per_s: int
) -> dict[str, int]:
    """Send orders evenly; gives when each was accepted (ns), by retailer and event id."""
    accepted: dict[str, int] = {}
    began_s = time.monotonic()
    for number in range(int(seconds * rate_per_s)):
        for retailer in retailers:
            event = order_event(number)
            await scene.stage.accept(retailer, "source", event)
            accepted[f"{retailer.tenant_id} {event['id']}"] = time.time_ns()
            scene.bell.ring()
        await asyncio.sleep(max(0.0, began_s + (number + 1) / rate_per_s - time.monotonic()))
    return accepted


async def _p95_ms(
    scene: Scene, retailers: list[Retailer], target: Target, accepted: dict[str, int]
) -> float:
    """Give the time within which 95 % of the orders were done after they were accepted."""
    waits_ms = []
    done = {entry.key: entry.at_ns for entry in target.book.entries if entry.is_effect}
    for retailer in retailers:
        await scene.stage.settled(retailer)
        done = {entry.key: entry.at_ns for entry in target.book.entries if entry.is_effect}
        rows = await scene.stage.rows(
            retailer,
            "select d.effect_key, m.dedup_label from delivery d"
            " join message m on m.tenant_id = d.tenant_id and m.id = d.message_id",
        )
        for row in rows:
            name = f"{retailer.tenant_id} {row['dedup_label'].removeprefix('event|')}"
            waits_ms.append((done[row["effect_key"]] - accepted[name]) / NANOSECONDS * 1000)
    return round(percentile(waits_ms, 0.95), 1)


def _worst_of_loop(lag: Path) -> dict[str, float]:
    """Give how late the worker's loop came round at worst, and how long it worked in one piece."""
    worst: dict[str, float] = json.loads(lag.read_bytes())
    lag.unlink()
    return worst


async def _read(scene: Scene, name: str, retailer: Retailer, figures: HostileFigures) -> None:
    rows = await scene.stage.rows(
        retailer,
        # What only waited for its turn was no call.
        "select outcome, code, took_ms from attempt"
        " where split_part(code, '.', 1) not in ('pace', 'breaker')",
    )
    told = Counter(f"{row['outcome']} {row['code']}".strip() for row in rows)
    figures.attempts[name] = dict(told)
    figures.longest_call_ms = max([figures.longest_call_ms, *(row["took_ms"] for row in rows)])
    figures.unaccounted += (await scene.stage.ledger(retailer)).unaccounted


def _judge(plan: HostilePlan, figures: HostileFigures) -> None:
    expected = 2 * plan.good * int(plan.seconds * plan.rate_per_s)
    grown_mb = figures.memory_peak_mb - figures.memory_before_mb
    slower_0_1 = figures.hostile_p95_ms / max(figures.calm_p95_ms, 1.0) - 1
    longest_ms = (DEADLINE_S + OVER_DEADLINE_AT_MOST_S) * 1000
    late_ms = figures.hostile_loop_ms["late_ms"]
    # What other processes of this machine cost is in both halves.
    stall_ms = late_ms - figures.calm_loop_ms["late_ms"]
    kept = {
        f"{figures.good_delivered} of {expected} good ones delivered": (
            figures.good_delivered == expected
        ),
        f"unaccounted: {figures.unaccounted}": figures.unaccounted == 0,
        f"a call of {figures.longest_call_ms} ms": figures.longest_call_ms <= longest_ms,
        f"memory grew by {grown_mb:.0f} MB": grown_mb <= MEMORY_AT_MOST_MB,
        f"a standstill of {stall_ms:.0f} ms more": stall_ms <= STALL_AT_MOST_MS,
    }
    figures.violations += [what for what, is_kept in kept.items() if not is_kept]
    for name, (outcome, code) in EXPECTED.items():
        wanted = f"{outcome} {code}".strip()
        if set(figures.attempts.get(name, {})) != {wanted}:
            figures.violations.append(f"{name}: {figures.attempts.get(name)} instead of {wanted}")
    if late_ms > STALL_AT_MOST_MS:
        figures.marks_missed.append(f"a standstill of {late_ms} ms in all")
    if slower_0_1 > SLOWER_AT_MOST_0_1:
        figures.marks_missed.append(f"good ones slower by {slower_0_1:.0%}")
