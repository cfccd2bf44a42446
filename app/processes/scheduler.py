"""The scheduler: books every minute, sweeps every few seconds; many may run, one at a time leads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.connections.resealing import Resealing
from app.deliveries.sweep import make_partitions, sweep_lanes
from app.health.check_books import check_books
from app.processes.floor import Floor, open_floor
from app.processes.signals import until_signal
from app.processes.start import start_process
from infra import clock
from infra.bell import Bell, open_broker
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.settings import RedisSettings, load
from infra.telemetry.events import log_event
from infra.telemetry.metrics_port import open_metrics
from infra.telemetry.tell_fault import tell_fault

STATEMENT_TIMEOUT_S = 60.0
TICK_S = 0.5

_DUTY_IS_MINE = "select pg_try_advisory_xact_lock(hashtextextended('duty:' || $1, 0))"


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do again and again: its name, how often (seconds), and how."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


async def run_scheduler() -> None:
    """Do the duties until SIGTERM or SIGINT."""
    telemetry = start_process()
    broker = open_broker(load(RedisSettings).redis_url.get_secret_value())
    async with (
        open_metrics(telemetry),
        open_floor("scheduler", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor,
    ):
        with Bell(broker) as bell, until_signal() as stop:
            log_event("scheduler.started")
            await _until(stop, duties(floor, bell), floor.database)
    log_event("scheduler.stopped")


def duties(floor: Floor, bell: Bell) -> list[Duty]:
    """List what has to be done, and how often."""
    database = floor.database
    resealing = Resealing(database, floor.vault)

    async def ring() -> None:
        bell.ring()

    return [
        Duty("lanes", 5.0, lambda: sweep_lanes(database)),
        Duty("books", 30.0, lambda: check_books(database)),
        Duty("partitions", 3600.0, lambda: make_partitions(database)),
        # Before anybody erases a month: what was sealed in it must be readable afterwards.
        Duty("reseal", 600.0, resealing.go_on),
        # What a lost bell would have said; engines poll besides.
        Duty("bell", 5.0, ring),
    ]


async def _until(stop: asyncio.Event, todo: list[Duty], database: Database) -> None:
    due_s = {duty.name: clock.monotonic_s() for duty in todo}
    while not stop.is_set():
        for duty in todo:
            if clock.monotonic_s() >= due_s[duty.name]:
                due_s[duty.name] = clock.monotonic_s() + duty.every_s
                await _do(duty, database)
        try:
            async with asyncio.timeout(TICK_S):
                await stop.wait()
        except TimeoutError:
            continue


async def _do(duty: Duty, database: Database) -> None:
    """Do one duty if no other scheduler is at it; its trouble is told and tried again next time."""
    try:
        async with begin(EngineScope(), database) as session:
            if not await session.fetch_value(_DUTY_IS_MINE, duty.name):
                return
            await duty.run()
    except PlatformError:
        return
    except Exception as fault:  # noqa: BLE001 - one duty's fault must not end the others
        tell_fault("duty.failed", fault, case=duty.name)
