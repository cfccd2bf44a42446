"""The worker: prepares, sends, polls; stops within seconds on SIGTERM, and kill -9 is normal."""

from __future__ import annotations

import asyncio
import os
import socket

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
from app.processes.signals import until_signal
from app.processes.start import start_process
from infra.bell import Listener, open_broker
from infra.egress.client import EgressClient
from infra.egress.own import policy_of
from infra.settings import EgressSettings, EngineSettings, RedisSettings, WebSettings, load
from infra.telemetry.events import log_event
from infra.telemetry.metrics_port import open_metrics
from infra.wake import Wake

STATEMENT_TIMEOUT_S = 30.0


async def run_worker() -> None:
    """Work until SIGTERM or SIGINT."""
    telemetry = start_process()
    policy = policy_of(load(EgressSettings), load(WebSettings))
    async with (
        open_metrics(telemetry),
        open_floor("worker", statement_timeout_s=STATEMENT_TIMEOUT_S, only_by_key=True) as floor,
        EgressClient(policy) as egress,
    ):
        await _work(floor, egress)


async def _work(floor: Floor, egress: EgressClient) -> None:
    settings = load(EngineSettings)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    prepare_wake, delivery_wake = Wake(), Wake()
    hand_over, reports = HandOver(), Reports()
    transports = Transports(egress, share_0_1=1 / settings.workers)
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
