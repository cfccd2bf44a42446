"""The worker: prepares, sends, polls; stops within seconds on SIGTERM, and kill -9 is normal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator

from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.deliveries.engine import DeliveryEngine, Parts
from app.deliveries.handover import HandOver
from app.deliveries.load import Loader
from app.deliveries.reports import Reports
from app.deliveries.send import Sender
from app.deliveries.settler import Settler
from app.intake.group_commit import IntakeWriter
from app.intake.poll import Poller
from app.pipeline.loop import PrepareLoop
from app.pipeline.prepare import Preparer
from app.processes.floor import Floor, open_floor
from infra.bell import Listener, open_broker
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.settings import EgressSettings, EngineSettings, RedisSettings, TelemetrySettings, load
from infra.telemetry.events import log_event, start_logging
from infra.wake import Wake

STATEMENT_TIMEOUT_S = 30.0


async def run_worker() -> None:
    """Work until SIGTERM or SIGINT."""
    telemetry = load(TelemetrySettings)
    start_logging(telemetry.log_level, telemetry.log_sample_share_0_1)
    async with open_floor(
        "worker", statement_timeout_s=STATEMENT_TIMEOUT_S, only_by_key=True
    ) as floor:
        policy = EgressPolicy(allow=frozenset(load(EgressSettings).egress_allow))
        async with EgressClient(policy) as egress:
            await _work(floor, egress)


async def _work(floor: Floor, egress: EgressClient) -> None:
    settings = load(EngineSettings)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    prepare_wake, delivery_wake = Wake(), Wake()
    hand_over, reports = HandOver(), Reports()
    transports = Transports(egress)
    settler = Settler(floor.database, reports)
    engine = DeliveryEngine(
        Parts(
            database=floor.database,
            routes=floor.routes,
            loader=Loader(floor.database, floor.vault, hand_over),
            sender=Sender(floor.connections, transports.of, settings.call_deadline_s),
            settler=settler,
            watch=ConnectionWatch(floor.database),
            hand_over=hand_over,
            reports=reports,
        ),
        settings,
        worker,
        delivery_wake,
    )
    preparer = Preparer(
        floor.database,
        floor.vault,
        floor.connections,
        floor.routes,
        hand_over,
        fault=settings.faults,
    )
    prepare = PrepareLoop(floor.database, preparer, settings, prepare_wake, delivery_wake)
    writer = IntakeWriter(floor.database, floor.vault, prepare_wake.set)
    poller = Poller(floor.database, floor.connections, transports.of, writer, settings)

    def heard() -> None:
        prepare_wake.set_from_thread()
        delivery_wake.set_from_thread()

    broker = open_broker(load(RedisSettings).redis_url.get_secret_value())
    log_event("worker.started", worker=worker)
    with Listener(broker, heard), until_signal() as stop:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(run)
                for run in (
                    engine.run(), settler.run(), prepare.run(), writer.run(), poller.run()
                )
            ]  # fmt: skip
            await stop.wait()
            for task in running:
                task.cancel()
    log_event("worker.stopped", worker=worker)


@contextlib.contextmanager
def until_signal() -> Iterator[asyncio.Event]:
    """Give an event that is set on SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
