"""How fast accepted messages reach a target, beside a bare prototype and one message per event."""

from __future__ import annotations

import msgspec

from connectors.catalog.http.emulator.book import Entry, read_log
from tests.benchmarks.accept import hooks
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Load
from tests.benchmarks.place import Scene, open_scene, run_prototype, send, until_effects
from tests.chaos.judge import NANOSECONDS, percentile
from tests.chaos.world import Shop, World, open_shops

AT_MOST_S = 300.0
# The first effects fall into the worker's start; they are not counted.
WARM_EFFECTS = 200


async def measure_deliver(world: World, count: int, tenants: int, live_s: float) -> list[Figure]:
    """Measure drain, everything live at once, latency at half of that rate, and both prototypes."""
    drain = await _drain(world, count, tenants, workers=1)
    drain_by_two = await _drain(world, count, tenants, workers=2)
    live, latencies_ms = await _live(world, count, tenants, live_s)
    bare = count / await _prototype(world, "bare_lanes", count)
    few = count // 5
    per_event = few / await _prototype(world, "per_event", few)
    return [
        Figure("deliver.drain.rate", drain, "events/s"),
        Figure("deliver.drain.two_workers.rate", drain_by_two, "events/s"),
        Figure("deliver.bare_lanes.rate", bare, "events/s"),
        Figure("deliver.per_event_dramatiq.rate", per_event, "events/s"),
        Figure("deliver.share_of_bare_lanes", drain / bare, "of bare lanes"),
        Figure("deliver.times_per_event_dramatiq", drain / per_event, "times"),
        Figure("live.rate", live, "events/s"),
        Figure("latency.half_rate.p50_ms", percentile(latencies_ms, 0.5), "ms"),
        Figure("latency.half_rate.p99_ms", percentile(latencies_ms, 0.99), "ms"),
        Figure("latency.half_rate.worst_ms", max(latencies_ms), "ms"),
    ]


async def _drain(world: World, count: int, tenants: int, workers: int) -> float:
    """Accept everything first, then let the workers prepare and deliver it."""
    async with open_scene(world, f"drain-{workers}") as scene:
        shops = await _shops(scene, tenants)
        await send(Load(scene.world.web_port, hooks(shops), count, "drain"))
        scene.fleet.end("web")
        for number in range(1, workers + 1):
            await scene.start_worker(f"worker-{number}")
        await until_effects(scene.target_log, count, AT_MOST_S)
        return rate_between(scene, WARM_EFFECTS, count)


async def _live(world: World, count: int, tenants: int, live_s: float) -> tuple[float, list[float]]:
    """Accept and deliver at the same time, as fast as it goes; then again at half of that rate."""
    async with open_scene(world, "live") as scene:
        shops = await _shops(scene, tenants)
        await scene.start_worker()
        port, doors = scene.world.web_port, hooks(shops)
        times = scene.folder / "blast.json"
        await send(Load(port, doors, count, "live", times=str(times)))
        await until_effects(scene.target_log, count, AT_MOST_S)
        begun_ns = min(at_ns for _, _, at_ns in moments(str(times)))
        ended_ns = max(entry.at_ns for entry in read_log(scene.target_log))
        rate = count / ((ended_ns - begun_ns) / NANOSECONDS)
        half = int(rate / 2 * live_s)
        calm = scene.folder / "half.json"
        await send(Load(port, doors, half, "half", rate_per_s=rate / 2, times=str(calm)))
        await until_effects(scene.target_log, count + half, AT_MOST_S)
        return rate, _latencies_ms(scene, str(calm))


async def _prototype(world: World, module: str, count: int) -> float:
    async with open_scene(world, module) as scene:
        scene.start_target()
        arguments = [scene.world.owner_url, scene.target_url, str(count), str(count // 5)]
        environment = {"REDIS_URL": scene.world.redis_url}
        return await run_prototype(f"tests.benchmarks.{module}", arguments, environment)


async def _shops(scene: Scene, tenants: int) -> list[Shop]:
    scene.start_target()
    await scene.start_web()
    return await open_shops(scene.world, scene.database, tenants)


def rate_between(scene: Scene, first: int, last: int) -> float:
    """Give the rate of effects from one to another, by the target's own clock."""
    moments = [entry.at_ns for entry in read_log(scene.target_log)]
    return (last - first) / ((moments[last - 1] - moments[first - 1]) / NANOSECONDS)


def _latencies_ms(scene: Scene, times: str) -> list[float]:
    arrived = {name_of(entry): entry.at_ns for entry in read_log(scene.target_log)}
    return [(arrived[lane, version] - at_ns) / 1_000_000 for lane, version, at_ns in moments(times)]


def moments(times: str) -> list[tuple[str, int, int]]:
    """Read when the generator sent what: lane, version, wall clock in nanoseconds."""
    with open(times, "rb") as file:  # noqa: PTH123 - a name that the generator was given
        return msgspec.json.decode(file.read(), type=list[tuple[str, int, int]])


def name_of(entry: Entry) -> tuple[str, int]:
    """Give lane and version of what the target was told, as the generator names them."""
    return entry.lane.rpartition(":")[2], int(entry.version)
