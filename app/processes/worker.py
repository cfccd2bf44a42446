"""The worker: prepares, sends, polls; stops within seconds on SIGTERM, and kill -9 is normal."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.deliveries.engine import DeliveryEngine, Parts
from app.deliveries.handover import HandOver
from app.deliveries.load import Loader
from app.deliveries.reports import Reports
from app.deliveries.send import Sender
from app.deliveries.settler import Settler
from app.exceptions.give_up import give_up
from app.exceptions.recheck.loop import Recheck, RecheckParts
from app.exceptions.replay.loop import ReplayLoop
from app.exceptions.replay.parts import ReplayParts
from app.flows.adjust import Adjuster
from app.identities.theirs import TargetNames
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
from app.retail.inventory.keeper import Keeper
from app.retail.orders.sweep import OrderSweeper
from app.retail.prices.loop import PriceLoop
from app.retail.publishing.loop import Publisher
from app.retail.publishing.path import PublishingParts
from app.retail.returns.by_delivery import ByDelivery
from app.retail.returns.loop import ReturnLoop
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
    settings, worker = load(EngineSettings), f"{socket.gethostname()}:{os.getpid()}"
    prepare_wake, delivery_wake, publish_wake, stock_wake = Wake(), Wake(), Wake(), Wake()
    hand_over, reports = HandOver(), Reports()
    watch = ConnectionWatch(floor.database)
    transports = Transports(egress, floor.database, watch)
    settler = Settler(floor.database, reports)
    adjuster = Adjuster(floor.database, TargetNames(floor.database))
    sender = Sender(floor.connections, adjuster, transports.of, settings.call_deadline_s)
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
    prepare = PrepareLoop(
        floor.database, preparer, settings, prepare_wake, delivery_wake, stock_wake
    )
    writer = IntakeWriter(floor.database, floor.vault, prepare_wake.set)
    asker = Asker(floor.connections, transports.of, watch)
    poller = Poller(floor.database, asker, writer, settings)

    def work_came() -> None:
        prepare_wake.set()
        delivery_wake.set()

    def heard() -> None:
        prepare_wake.set_from_thread()
        delivery_wake.set_from_thread()
        stock_wake.set_from_thread()

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
                    ParentFetcher(floor.database, asker, writer, settings).run(),
                    *_exception_loops(floor, sender, settings, work_came, delivery_wake.set),
                    *_retail_loops(floor, settings, work_came),
                    OrderSweeper(floor.database, asker, writer).run(),
                    Publisher(
                        PublishingParts(floor.database, floor.connections, transports, watch),
                        worker,
                        publish_wake,
                    ).run(),
                    Keeper(floor.database, stock_wake, publish_wake, settings.poll_s).run(),
                    transports.run(),
                    keep_watch(limit_of(load(WorkerSettings).watchdog_s, settings.lease_s)),
                )
            ]
            await stop.wait()
            for task in running:
                task.cancel()
    await transports.close()
    log_event("worker.stopped", worker=worker)


def _exception_loops(
    floor: Floor,
    sender: Sender,
    settings: EngineSettings,
    work_came: Callable[[], None],
    deliveries_came: Callable[[], None],
) -> tuple[Coroutine[Any, Any, None], ...]:
    """Give the loops that bring back what was held."""
    replays = ReplayParts(floor.database, floor.vault, floor.routes, sender, work_came)
    rechecks = RecheckParts(
        floor.database, floor.vault, floor.connections, floor.routes, sender, deliveries_came
    )
    return ReplayLoop(replays, settings.poll_s).run(), Recheck(rechecks).run()


def _retail_loops(
    floor: Floor, settings: EngineSettings, work_came: Callable[[], None]
) -> tuple[Coroutine[Any, Any, None], ...]:
    """Give the loops in which the retail core works out what it has to say."""
    act = ByDelivery(floor.database, floor.vault, give_up, work_came)
    return (
        ReturnLoop(floor.database, floor.vault, act, settings.poll_s).run(),
        PriceLoop(floor.database, floor.vault, work_came).run(),
    )
