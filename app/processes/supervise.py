"""`tillwire worker --processes N`: keeps N workers running where nothing else does."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from app.processes.signals import until_signal
from app.processes.start import start_process
from infra import clock
from infra.telemetry.events import log_event

COMMAND = (sys.executable, "-m", "main", "worker")
# A worker that lived is started again at once; one that dies young, at growing intervals.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
GROWN_UP_S = 10.0
# Workers finish what they have in hand within their own deadlines; what is left has its lease.
STOP_TIMEOUT_S = 25.0


@dataclass(frozen=True, slots=True)
class Place:
    """One worker to keep running: its number from 0, its command and its environment."""

    number: int
    command: tuple[str, ...]
    environment: Mapping[str, str]


async def run_workers(count: int) -> None:
    """Keep `count` workers running until SIGTERM or SIGINT, then end them in order."""
    start_process()
    with until_signal() as stop:
        log_event("workers.started", count=count)
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                place = Place(number, COMMAND, environment_of(number, os.environ))
                tasks.create_task(keep(place, stop))
    log_event("workers.stopped", count=count)


def environment_of(number: int, ours: Mapping[str, str]) -> dict[str, str]:
    """Give a worker the environment with a port of its own for its figures."""
    environment = dict(ours)
    port = int(ours.get("TILLWIRE_METRICS_PORT") or 0)
    if port:
        environment["TILLWIRE_METRICS_PORT"] = str(port + number)
    return environment


async def keep(place: Place, stop: asyncio.Event) -> None:
    """Run one worker, again and again, until told to stop."""
    restarts, pause_s = 0, 0.0
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(
            *place.command,
            env=place.environment,
            # Ctrl-C goes to the parent alone, which ends its workers in order.
            start_new_session=True,
        )
        started_s = clock.monotonic_s()
        if not await _ends_before(stop, process):
            await _end(process)
            return
        restarts += 1
        is_young = clock.monotonic_s() - started_s < GROWN_UP_S
        pause_s = min(max(pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S) if is_young else 0.0
        log_event(
            "worker.restarted",
            level="warning",
            pid=process.pid,
            # Negative: the number of the signal that ended it.
            status=process.returncode,
            retries=restarts,
            next_s=pause_s,
        )
        await _pause(stop, pause_s)


async def _ends_before(stop: asyncio.Event, process: asyncio.subprocess.Process) -> bool:
    """Wait for the end of the process or for the word to stop; say whether it ended by itself."""
    async with asyncio.TaskGroup() as tasks:
        ending, stopping = tasks.create_task(process.wait()), tasks.create_task(stop.wait())
        await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        stopping.cancel()
    return not stop.is_set()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _pause(stop: asyncio.Event, pause_s: float) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await stop.wait()
    except TimeoutError:
        return
