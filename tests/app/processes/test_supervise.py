"""`tillwire worker --processes 2` on a bare machine: what dies is started again, all end in order."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio

from app.processes.supervise import environment_of
from infra.embedded.servers import Servers
from tests.stage import MASTER_KEY

TILLWIRE = Path(sys.executable).parent / "tillwire"
Said = list[dict[str, object]]


@pytest_asyncio.fixture
async def parent(
    database_urls: tuple[str, str], servers: Servers, tmp_path: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    """A parent of two workers, with the log that it shares with them."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_urls[1],
        "REDIS_URL": servers.redis_url,
        "TILLWIRE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
    }
    log = tmp_path / "workers.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            TILLWIRE, "worker", "--processes", "2", env=environment, stderr=file
        )
    yield process, log
    if process.returncode is None:
        process.kill()
        await process.wait()


@pytest.mark.slow
async def test_workers_that_die_are_started_again_and_all_end_on_the_word(
    parent: tuple[asyncio.subprocess.Process, Path],
) -> None:
    process, log = parent
    await _until(log, lambda said: _count(said, "worker.started") == 2)
    first, second = psutil.Process(process.pid).children()

    first.send_signal(signal.SIGKILL)
    second.send_signal(signal.SIGSEGV)
    said = await _until(log, lambda said: _count(said, "worker.started") == 4)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGTERM)
    code = await process.wait()

    restarts = [line for line in said if line["event_name"] == "worker.restarted"]
    assert {(line["pid"], line["status"]) for line in restarts} == {
        (first.pid, -signal.SIGKILL),
        (second.pid, -signal.SIGSEGV),
    }
    assert len(children) == 2
    assert code == 0
    assert _count(_said(log), "worker.stopped") == 2
    assert not any(child.is_running() for child in children)


def test_each_worker_shows_its_figures_at_a_port_of_its_own() -> None:
    ours = {"TILLWIRE_METRICS_PORT": "9100", "PATH": "/bin"}

    assert environment_of(1, ours) == {"TILLWIRE_METRICS_PORT": "9101", "PATH": "/bin"}
    assert environment_of(1, {"PATH": "/bin"}) == {"PATH": "/bin"}


async def _until(log: Path, is_so: Callable[[Said], bool]) -> Said:
    async with asyncio.timeout(60):
        while not is_so(said := _said(log)):  # noqa: ASYNC110 - others write it
            await asyncio.sleep(0.05)
    return said


def _said(log: Path) -> Said:
    """Give the whole lines of the log that are events; a crash writes its stack between them."""
    lines = log.read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line) for line in lines if line.startswith(b"{")]


def _count(said: Said, name: str) -> int:
    return sum(line["event_name"] == name for line in said)
