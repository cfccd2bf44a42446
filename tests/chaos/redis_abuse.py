"""Redis is disposable: killed, emptied, stalled, full, behind a wrong password; nothing is lost.

The same load twice, in the same processes: first in peace, then with one abuse every five seconds.
What counts is the time from the answer 202 to the effect at the target.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec
import redis

from connectors.catalog.http.emulator.book import read_log
from infra.database.migrate import migrate
from infra.database.pool import open_database
from infra.embedded import servers
from tests.benchmarks.accept import hooks
from tests.benchmarks.load import Door, Load, Result
from tests.benchmarks.place import send, until_effects, until_listening
from tests.chaos.books import drain, read_books
from tests.chaos.fleet import Fleet
from tests.chaos.judge import percentile
from tests.chaos.world import World, open_shops, open_world

PROCESSES = {"web": "web", "worker-1": "worker", "worker-2": "worker", "scheduler": "scheduler"}
LATER_AT_MOST_S = 1.5
AT_MOST_S = 120.0
# An abuse is undone after this share of the time to the next one.
SUFFERS_0_1 = 0.8


@dataclass(frozen=True, slots=True)
class RedisPlan:
    """How many events each of the two runs sends, how fast, and how often something happens (s)."""

    events: int = 10_000
    rate_per_s: int = 200
    tenants: int = 20
    every_s: float = 5.0


@dataclass(slots=True)
class RedisFigures:
    """Delays in seconds from accepting to the effect, in peace and under abuse."""

    events: int
    refused: int = 0
    lost: int = 0
    doubled: int = 0
    unaccounted: int = 0
    abuses: dict[str, int] = field(default_factory=dict)
    calm_p50_s: float = 0.0
    calm_p95_s: float = 0.0
    abused_p50_s: float = 0.0
    abused_p95_s: float = 0.0
    abused_worst_s: float = 0.0
    accept_p99_ms: dict[str, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


async def run_redis(plan: RedisPlan, folder: Path) -> RedisFigures:
    """Send the load in peace, then under abuse, and compare."""
    figures = RedisFigures(plan.events)
    with open_world(folder) as world:
        await migrate(world.owner_url, world.app_url)
        database = await open_database(world.app_url, size=4, application="chaos")
        # As in production: a lost bell costs at most this long.
        fleet = Fleet({**world.environment(), "TILLWIRE_POLL_S": "1"}, folder)
        try:
            _start(fleet, world)
            shops = await open_shops(world, database, plan.tenants)
            async with asyncio.timeout(AT_MOST_S):
                await fleet.until_ready(PROCESSES)
                await until_listening(world.web_port)
            calm = await _send(plan, world, hooks(shops), "calm", figures, done=0)
            async with _Abuse(world, plan.every_s) as abuse:
                abused = await _send(plan, world, hooks(shops), "abused", figures, plan.events)
            figures.abuses = dict(abuse.done)
            books = await read_books(database, shops, await drain(database, AT_MOST_S))
        finally:
            fleet.stop()
            await database.close()
    figures.unaccounted = books.unaccounted
    figures.calm_p50_s, figures.calm_p95_s = _at(calm, 0.5), _at(calm, 0.95)
    figures.abused_p50_s, figures.abused_p95_s = _at(abused, 0.5), _at(abused, 0.95)
    figures.abused_worst_s = round(max(abused), 2)
    figures.violations += _violations(figures)
    return figures


def _start(fleet: Fleet, world: World) -> None:
    command = [sys.executable, "-m", "connectors.catalog.http.emulator"]
    command += ["--port", str(world.target_port), "--log", str(world.folder / "target.jsonl")]
    fleet.start("target", command)
    for name, product in PROCESSES.items():
        fleet.start_product(name, product)


async def _send(
    plan: RedisPlan,
    world: World,
    doors: tuple[Door, ...],
    name: str,
    figures: RedisFigures,
    done: int,
) -> list[float]:
    """Send one run's events; give for each the seconds from its answer to its effect."""
    times, log = world.folder / f"{name}.json", world.folder / "target.jsonl"
    load = Load(world.web_port, doors, plan.events, name, times=str(times))
    load = msgspec.structs.replace(load, rate_per_s=float(plan.rate_per_s))
    result: Result = await send(load)
    figures.refused += plan.events - result.accepted
    figures.accept_p99_ms[name] = round(result.p99_ms, 1)
    with contextlib.suppress(TimeoutError):
        await until_effects(log, done + plan.events, AT_MOST_S)
    sent = msgspec.json.decode(times.read_bytes(), type=list[tuple[str, int, int]])
    effects = [entry for entry in read_log(log) if entry.is_effect]
    at_ns = {(entry.lane.rpartition(":")[2], int(entry.version)): entry.at_ns for entry in effects}
    figures.lost += sum((lane, version) not in at_ns for lane, version, _ in sent)
    figures.doubled += len(effects) - len(at_ns)
    return [
        (at_ns[lane, version] - began_ns) / 1e9
        for lane, version, began_ns in sent
        if (lane, version) in at_ns
    ]


class _Abuse:
    """One abuse after the other, in turn, while the block runs; each is undone before the next."""

    def __init__(self, world: World, every_s: float) -> None:
        self._world = world
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None
        self.done: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await asyncio.to_thread(servers.start, self._world.data, report=lambda _: None)

    async def _run(self) -> None:
        kinds: dict[str, Callable[[], None]] = {
            "kill": self._kill,
            "flushall": lambda: self._say("flushall"),
            "sleep": lambda: self._say("debug", "sleep", str(self._every_s)),
            "full": self._fill,
            "password": self._lock_out,
        }
        while True:
            for name, abuse in kinds.items():
                began_s = time.monotonic()
                await asyncio.to_thread(abuse)
                self.done[name] += 1
                await asyncio.sleep(max(0.0, began_s + self._every_s - time.monotonic()))

    def _say(self, *words: str) -> None:
        with redis.Redis.from_url(self._world.redis_url) as client:
            client.execute_command(*words)

    def _kill(self) -> None:
        servers.kill(self._world.data, "redis")
        time.sleep(self._every_s * SUFFERS_0_1)
        servers.start(self._world.data, report=lambda _: None)

    def _fill(self) -> None:
        self._for_a_while({"maxmemory": "1mb", "maxmemory-policy": "noeviction"})

    def _lock_out(self) -> None:
        self._for_a_while({"requirepass": "a password that nobody was told"})

    def _for_a_while(self, settings: dict[str, str]) -> None:
        """Change settings of the server and put them back; callers have to connect anew."""
        with redis.Redis.from_url(self._world.redis_url) as client:
            before = {name: client.config_get(name)[name] for name in settings}
            for name, value in settings.items():
                client.config_set(name, value)
            client.execute_command("client", "kill", "type", "normal", "skipme", "yes")
            time.sleep(self._every_s * SUFFERS_0_1)
            for name, value in before.items():
                client.config_set(name, value)


def _at(values: list[float], share_0_1: float) -> float:
    return round(percentile(values, share_0_1), 3)


def _violations(figures: RedisFigures) -> list[str]:
    later_s = figures.abused_p95_s - figures.calm_p95_s
    kept = {
        f"refused: {figures.refused}": figures.refused == 0,
        f"lost: {figures.lost}": figures.lost == 0,
        f"done twice: {figures.doubled}": figures.doubled == 0,
        f"unaccounted: {figures.unaccounted}": figures.unaccounted == 0,
        f"p95 later by {later_s:.2f} s, at most {LATER_AT_MOST_S} s": later_s <= LATER_AT_MOST_S,
        "not every abuse was done": len(figures.abuses) == 5 or figures.events < 5_000,
    }
    return [what for what, is_kept in kept.items() if not is_kept]
