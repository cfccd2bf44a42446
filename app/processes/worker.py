"""The worker: prepares, sends, polls; stops within seconds on SIGTERM, and kill -9 is normal."""

from __future__ import annotations

import asyncio
import faulthandler
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
from app.exceptions.recheck.loop import Recheck, RecheckParts
from app.exceptions.replay.loop import ReplayLoop
from app.exceptions.replay.parts import ReplayParts
from app.flows.adjust import Adjuster
from app.intake.asking import Asker
from app.intake.group_commit import IntakeWriter
from app.intake.parents import ParentFetcher
from app.intake.poll import Poller
from app.pipeline.loop import PrepareLoop
from app.pipeline.prepare import Preparer
from app.processes.bounds import bound_process
from app.processes.floor import Floor, open_floor
from app.processes.signals import until_signal
from app.processes.start import start_process
from app.processes.watchdog import keep_watch, limit_of
from infra.bell import Listener, open_broker
from infra.egress.client import EgressClient
from infra.egress.own import policy_of
from infra.settings import (
    EgressSettings,
    EngineSettings,
    RedisSettings,
    WebSettings,
    WorkerSettings,
    load,
)
from infra.telemetry.events import log_event
from infra.telemetry.metrics_port import open_metrics
from infra.wake import Wake

STATEMENT_TIMEOUT_S = 30.0


async def run_worker() -> None:
    """Work until SIGTERM or SIGINT."""
    telemetry = start_process()
    # A crash in C code says where it stood; without values.
    faulthandler.enable()
    bound_process(load(WorkerSettings).memory_mb)
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
    watch = ConnectionWatch(floor.database)
    transports = Transports(egress, floor.database, watch)
    settler = Settler(floor.database, reports)
    sender = Sender(
        floor.connections, Adjuster(floor.database), transports.of, settings.call_deadline_s
    )
    engine = DeliveryEngine(
        Parts(
            database=floor.database,
            routes=floor.routes,
            loader=Loader(floor.database, floor.vault, hand_over),
            sender=sender,
            settler=settler,
            watch=watch,
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
    asker = Asker(floor.connections, transports.of, watch)
    poller = Poller(floor.database, asker, writer, settings)

    def work_came() -> None:
        prepare_wake.set()
        delivery_wake.set()

    replays = ReplayLoop(
        ReplayParts(
            floor.database,
            floor.vault,
            floor.routes,
            sender,
            work_came,
        ),
        settings.poll_s,
    )
    parents = ParentFetcher(floor.database, asker, writer, settings)

    def heard() -> None:
        prepare_wake.set_from_thread()
        delivery_wake.set_from_thread()

    broker = open_broker(load(RedisSettings).redis_url.get_secret_value())
    with Listener(broker, heard), until_signal() as stop:
        log_event("worker.started", worker=worker)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(run)
                for run in (
                    engine.run(),
                    settler.run(),
                    prepare.run(),
                    writer.run(),
                    poller.run(),
                    parents.run(),
                    replays.run(),
                    Recheck(
                        RecheckParts(
                            floor.database,
                            floor.vault,
                            floor.connections,
                            floor.routes,
                            sender,
                            delivery_wake.set,
                        )
                    ).run(),
                    transports.run(),
                    keep_watch(limit_of(load(WorkerSettings).watchdog_s, settings.lease_s)),
                )
            ]
            await stop.wait()
            for task in running:
                task.cancel()
    await transports.close()
    log_event("worker.stopped", worker=worker)
