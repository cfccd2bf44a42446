"""The scheduler: sweeps, books and all that is due again and again; many may run, one does each."""

from __future__ import annotations

import asyncio
import os
import socket

from app.connections.resealing import Resealing
from app.connections.version import note_running_version
from app.deliveries.deadlines import raise_by_clock
from app.deliveries.sweep import make_partitions, sweep_lanes
from app.exceptions.incidents.sync import IncidentSync
from app.exceptions.incidents.tell import next_step
from app.health.alerts.duties import PLAN_EVERY_S, plan_alerts, reseal_alert_secrets
from app.health.alerts.kinds import Means, open_notifiers
from app.health.alerts.send import AlertSender
from app.health.check_books import check_books
from app.intake.backlog import COUNT_EVERY_S, count_backlogs
from app.pipeline.old_traces import FORGET_EVERY_S, forget_old_traces
from app.processes.duties import Duties, Duty
from app.processes.floor import Floor, open_floor
from app.processes.signals import until_signal
from app.processes.start import start_process
from app.retail.inventory.upkeep import KEEP_EVERY_S as STOCK_EVERY_S
from app.retail.inventory.upkeep import keep_stock
from app.retail.journals.keep import KEEP_EVERY_S, keep_store_days
from app.retail.orders.acknowledge import ACKNOWLEDGE_EVERY_S, acknowledge_all
from app.retail.orders.post import POST_EVERY_S, post_all
from app.retail.orders.watch import CLOCKS_EVERY_S, watch_all
from app.retail.returns.backlog import WATCH_EVERY_S, watch_returns
from app.retail.settlements.keep import KEEP_EVERY_S as SETTLE_EVERY_S
from app.retail.settlements.keep import keep_settlements
from app.retail.settlements.unsettled import LOOK_EVERY_S, look_for_unsettled
from infra.bell import Bell, open_broker
from infra.egress.client import EgressClient
from infra.egress.own import policy_of
from infra.ids import new_id
from infra.settings import EgressSettings, MailSettings, RedisSettings, WebSettings, load
from infra.telemetry.events import log_event
from infra.telemetry.metrics_port import open_metrics

STATEMENT_TIMEOUT_S = 60.0


async def run_scheduler() -> None:
    """Do the duties until SIGTERM or SIGINT."""
    telemetry = start_process()
    broker = open_broker(load(RedisSettings).redis_url.get_secret_value())
    policy = policy_of(load(EgressSettings), load(WebSettings))
    mail = load(MailSettings)
    async with (
        open_metrics(telemetry),
        open_floor("scheduler", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor,
        EgressClient(policy) as egress,
    ):
        with Bell(broker) as bell, until_signal() as stop:
            log_event("scheduler.started")
            # Not host and process id alone: in a container the next process has the same ones.
            holder = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
            work = Duties(duties(floor, bell), holder, floor.database)
            notifiers = open_notifiers(Means(egress, mail))
            telling = AlertSender(floor.database, floor.vault, notifiers)
            async with asyncio.TaskGroup() as tasks:
                working = [tasks.create_task(each) for each in (work.run(), telling.run())]
                await stop.wait()
                for task in working:
                    task.cancel()
    log_event("scheduler.stopped")


def duties(floor: Floor, bell: Bell) -> list[Duty]:
    """List what has to be done, and how often."""
    database = floor.database
    resealing = Resealing(database, floor.vault)
    incidents = IncidentSync(database)

    async def ring() -> None:
        bell.ring()

    return [
        Duty("lanes", 5.0, lambda: sweep_lanes(database)),
        Duty("traces", FORGET_EVERY_S, lambda: forget_old_traces(database)),
        Duty("deadlines", 15.0, lambda: raise_by_clock(database)),
        Duty("books", 30.0, lambda: check_books(database)),
        Duty("incidents", 2.0, incidents.go_on),
        Duty("alerts", PLAN_EVERY_S, lambda: plan_alerts(database, next_step)),
        Duty("alert_secrets", 600.0, lambda: reseal_alert_secrets(database, floor.vault)),
        # So that an incident can name the release that came before it.
        Duty("release", 300.0, lambda: note_running_version(database)),
        Duty("partitions", 3600.0, lambda: make_partitions(database)),
        # Before anybody erases a month: what was sealed in it must be readable afterwards.
        Duty("reseal", 600.0, resealing.go_on),
        Duty("backlogs", COUNT_EVERY_S, lambda: count_backlogs(database)),
        Duty("returns", WATCH_EVERY_S, lambda: watch_returns(database)),
        Duty("store_days", KEEP_EVERY_S, lambda: keep_store_days(database, floor.vault)),
        Duty("order_postings", POST_EVERY_S, lambda: post_all(database, floor.vault)),
        Duty(
            "order_acknowledgements",
            ACKNOWLEDGE_EVERY_S,
            lambda: acknowledge_all(database, floor.vault),
        ),
        Duty("order_deadlines", CLOCKS_EVERY_S, lambda: watch_all(database)),
        Duty("settlements", SETTLE_EVERY_S, lambda: keep_settlements(database, floor.vault)),
        Duty("unsettled", LOOK_EVERY_S, lambda: look_for_unsettled(database)),
        Duty("stock", STOCK_EVERY_S, lambda: keep_stock(database)),
        # What a lost bell would have said; engines poll besides.
        Duty("bell", 5.0, ring),
    ]
