"""What nineteen quiet retailers feel when a twentieth floods the engine, and what that one still gets.

A wait is from the moment an event was due to be sent until the target was told of it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from connectors.catalog.http.emulator.book import read_log
from infra.embedded.ports import free_port
from tests.benchmarks.accept import hooks
from tests.benchmarks.deliver import moments, name_of
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Load
from tests.benchmarks.place import Scene, effect_count, open_scene, send, until_effects
from tests.benchmarks.seed import Shape, seed_waiting
from tests.chaos.judge import NANOSECONDS, percentile
from tests.chaos.world import Shop, World, open_shops

QUIET = 19
# Events per second of each quiet retailer (reliability P9).
QUIET_PER_S = 1.0
SLOW_S = 20.0
KEYS = 1_000
AT_MOST_S = 900.0


@dataclass(frozen=True, slots=True)
class Flood:
    """What the loud retailer brings: so many events on so many keys, its target answering so late."""

    name: str
    events: int
    keys: int
    delay_s: float = 0.0


async def measure_fairness(world: World, events: int, watch_s: float) -> list[Figure]:
    """Measure a flood on one key, over a thousand keys, and towards a target that answers in 20 s.

    Takes: how many events flood in, and for how long quiet traffic is watched (seconds). With the slow
           target a twentieth of the events is enough: it takes three each second.
    """
    floods = [
        Flood("one_key", events, 1),
        Flood("many_keys", events, KEYS),
        Flood("slow_target", max(events // 20, KEYS), KEYS, SLOW_S),
    ]
    figures: list[Figure] = []
    for flood in floods:
        # Long enough to see each call of a slow target answered twice.
        figures += await _measure(world, flood, max(watch_s, 2.5 * flood.delay_s))
    return figures


async def _measure(world: World, flood: Flood, watch_s: float) -> list[Figure]:
    alone = await _alone(world, flood, watch_s)
    async with open_scene(world, f"fair-{flood.name}") as scene:
        stage = await _set(scene, flood)
        calm = await _watch(stage, "calm", watch_s)
        await _pour(stage, flood)
        loud = await _watch(stage, "loud", watch_s)
        beside = stage.rate()
    name = f"fairness.{flood.name}"
    calm_p99, loud_p99 = percentile(calm, 0.99), percentile(loud, 0.99)
    return [
        Figure(f"{name}.calm.p50_ms", percentile(calm, 0.5), "ms"),
        Figure(f"{name}.calm.p99_ms", calm_p99, "ms"),
        Figure(f"{name}.flood.p50_ms", percentile(loud, 0.5), "ms"),
        Figure(f"{name}.flood.p99_ms", loud_p99, "ms"),
        Figure(f"{name}.times_calm_p99", loud_p99 / calm_p99, "times"),
        Figure(f"{name}.loud_alone.rate", alone, "events/s"),
        Figure(f"{name}.loud_beside.rate", beside, "events/s"),
        Figure(f"{name}.share_of_alone", beside / alone, "of alone"),
    ]


@dataclass(slots=True)
class _Stage:
    """A running scene: nineteen quiet retailers, a loud one, and a target for each side."""

    scene: Scene
    quiet: list[Shop]
    loud: Shop
    loud_log: Path
    watched: tuple[int, int] = (0, 0)

    def rate(self) -> float:
        """Give how many of the loud one's events were told in each second of the watch.

        Where the flood ended before the watch did, only until then.
        """
        begun_ns, ended_ns = self.watched
        told = [e.at_ns for e in read_log(self.loud_log) if begun_ns <= e.at_ns < ended_ns]
        last_ns = max(told, default=ended_ns)
        return len(told) / ((last_ns - begun_ns) / NANOSECONDS)


async def _set(scene: Scene, flood: Flood) -> _Stage:
    loud_port, loud_log = free_port(), scene.folder / "loud.jsonl"
    be_patient(scene, loud_port)
    scene.start_target()
    scene.start_slow_target(loud_port, loud_log, flood.delay_s)
    shops = await open_shops(scene.world, scene.database, QUIET + 1, [loud_port])
    await scene.start_web()
    await scene.start_worker()
    return _Stage(scene, shops[1:], shops[0], loud_log)


def be_patient(scene: Scene, further_port: int) -> None:
    """Let workers call a further target, and wait long enough for one that answers in 20 s."""
    scene.fleet.environment = {
        **scene.fleet.environment,
        "EGRESS_ALLOW": f"127.0.0.1:{scene.world.target_port},127.0.0.1:{further_port}",
        "TILLWIRE_CALL_DEADLINE_S": str(SLOW_S + 5),
        "TILLWIRE_LEASE_S": str(2 * SLOW_S + 20),
    }


async def _alone(world: World, flood: Flood, watch_s: float) -> float:
    async with open_scene(world, f"alone-{flood.name}") as scene:
        stage = await _set(scene, flood)
        await _pour(stage, flood)
        begun_ns = time.time_ns()
        await asyncio.sleep(watch_s)
        stage.watched = (begun_ns, time.time_ns())
        return stage.rate()


async def _pour(stage: _Stage, flood: Flood) -> None:
    """Put the loud one's events into the book while the worker is away, then let them flow."""
    stage.scene.fleet.end("worker")
    shape = Shape(deep=flood.events // flood.keys, prefix="flood")
    await seed_waiting(stage.scene, [stage.loud], flood.events, shape)
    await stage.scene.start_worker()
    await until_effects(stage.loud_log, 1, AT_MOST_S)


async def _watch(stage: _Stage, name: str, watch_s: float) -> list[float]:
    """Let the quiet ones sell for a while; gives their waits in ms."""
    scene, rate_per_s = stage.scene, QUIET * QUIET_PER_S
    times = scene.folder / f"{name}.json"
    count = int(rate_per_s * watch_s)
    load = Load(
        scene.world.web_port,
        hooks(stage.quiet),
        count,
        name,
        rate_per_s=rate_per_s,
        times=str(times),
    )
    before = effect_count(scene.target_log)
    begun_ns = time.time_ns()
    await send(load)
    stage.watched = (begun_ns, time.time_ns())
    await until_effects(scene.target_log, before + count, AT_MOST_S)
    return waits_ms(scene.target_log, str(times))


def waits_ms(log: Path, times: str) -> list[float]:
    """Give how long each event of a load took from when it was due to when the target was told."""
    arrived = {name_of(entry): entry.at_ns for entry in read_log(log)}
    return [(arrived[lane, version] - at_ns) / 1_000_000 for lane, version, at_ns in moments(times)]
