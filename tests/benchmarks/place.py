"""Where figures are measured: one set of servers, a fresh database for each question, real processes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from infra.database.migrate import migrate
from infra.database.pool import Database, open_database
from infra.embedded.ports import free_port
from tests.benchmarks.load import Load, Result
from tests.chaos.fleet import ROOT, Fleet
from tests.chaos.world import World

LOOK_EVERY_S = 0.05
# Settings of the run, not of the chaos world: production's own defaults but for what is named here.
KEPT = (
    "DATABASE_URL",
    "REDIS_URL",
    "TILLWIRE_MASTER_KEY",
    "EGRESS_ALLOW",
    "TILLWIRE_BIND_PORT",
    "TILLWIRE_MAX_CONNECTIONS_PER_ADDRESS",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One question's own world: a fresh migrated database, a pool on it, processes, a target log."""

    world: World
    database: Database
    fleet: Fleet
    folder: Path

    @property
    def target_log(self) -> Path:
        """Where the target writes what it was told."""
        return self.folder / "target.jsonl"

    @property
    def target_url(self) -> str:
        """Where the target listens."""
        return f"http://127.0.0.1:{self.world.target_port}"

    def start_target(self) -> None:
        """Run the recording target, calm, in a process of its own."""
        self.start_slow_target(self.world.target_port, self.target_log, 0)

    def start_slow_target(self, port: int, log: Path, delay_s: float) -> None:
        """Run another recording target, which takes its time for every answer."""
        command = [sys.executable, "-m", "connectors.catalog.http.emulator"]
        command += ["--port", str(port), "--log", str(log), "--delay-ms", str(delay_s * 1000)]
        self.fleet.start(f"target-{port}", command)

    async def start_web(self) -> None:
        """Run the web process and wait until it listens."""
        self.fleet.start_product("web", "web")
        await self.fleet.until_ready(["web"])
        await until_listening(self.world.web_port)

    async def start_worker(self, name: str = "worker") -> None:
        """Run one worker."""
        self.fleet.start_product(name, "worker")
        await self.fleet.until_ready([name])


@asynccontextmanager
async def open_scene(world: World, name: str) -> AsyncIterator[Scene]:
    """Make a fresh database for one question, and end its processes with it."""
    folder = world.folder / name
    folder.mkdir()
    owner = await asyncpg.connect(world.owner_url)
    await owner.execute(f'create database "{name}"')
    await owner.close()
    mine = replace(
        world,
        owner_url=named(world.owner_url, name),
        app_url=named(world.app_url, name),
        web_port=free_port(),
        target_port=free_port(),
    )
    await migrate(mine.owner_url, mine.app_url)
    database = await open_database(mine.app_url, size=4, application="bench")
    environment = {key: value for key, value in mine.environment().items() if key in KEPT}
    fleet = Fleet(environment, folder)
    try:
        yield Scene(mine, database, fleet, folder)
    finally:
        fleet.stop()
        await database.close()


def named(url: str, name: str) -> str:
    """Give the same address with another database name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def send(load: Load) -> Result:
    """Run the load generator in its own process and give what it measured."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    answer, _ = await process.communicate(msgspec.json.encode(load))
    return msgspec.json.decode(answer, type=Result)


async def run_prototype(
    module: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> float:
    """Run a prototype that answers with the seconds its work took."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    answer, _ = await process.communicate()
    return float(answer)


async def until_listening(port: int) -> None:
    """Wait until something accepts connections on a port."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(LOOK_EVERY_S)
        else:
            writer.close()
            return


def effect_count(log: Path) -> int:
    """Count the target's requests so far; without faults each is an effect."""
    if not log.exists():
        return 0
    with log.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


async def until_effects(log: Path, count: int, at_most_s: float) -> None:
    """Wait until the target has done `count` things; raises TimeoutError."""
    started_s = time.monotonic()
    while (done := effect_count(log)) < count:
        if time.monotonic() - started_s > at_most_s:
            raise TimeoutError(f"{done} of {count} delivered")
        await asyncio.sleep(LOOK_EVERY_S)
