"""Ask channels for lists of their orders again and again: webhooks are a hint, the list is the proof.

What is listed and not known here is asked for one by one and stored as if it had been told; told late
after all, it is known. Nothing waits for a sweep, and a sweep waits for nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from app.connections.directory import BookedConnection
from app.intake.asking import Asker, Question
from app.intake.group_commit import IntakeWriter
from app.intake.incoming import FETCHED_HEADER, Incoming
from app.retail.orders.listing import keep_listed
from connectors import registry
from connectors.sdk.message import PolledRecord
from connectors.sdk.transport import AnswerLost, NotSent
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.telemetry.events import log_event
from infra.telemetry.trace import new_traceparent

AT_ONCE = 4
LEASE_S = 900.0
LOOK_EVERY_S = 5.0
# A source shows what changed a moment ago to one reader and not yet to another.
LAP = timedelta(minutes=5)
# What changed within is on its way by webhook.
GRACE = timedelta(seconds=30)
PAGES_MAX = 2_000
WORDS_MAX = 300
# Sweeps go by the budget of the connection like everything else, and have all the time in the world.
WAITS_MAX = 20
WAIT_MAX_S = 30.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far back a sweep looks, and how often."""

    back: timedelta
    every_s: float


# Each reaches back at least twice its own interval, so that one that fails costs nothing.
STRETCHES = {
    "hours": Stretch(timedelta(hours=2), 900.0),
    "days": Stretch(timedelta(days=2), 86_400.0),
    "month": Stretch(timedelta(days=30), 604_800.0),
}

_ENSURE = """
insert into order_sweep (tenant_id, connection_id, stretch)
select $1, $2, unnest($3::text[]) on conflict do nothing
"""
_UNKNOWN = """
select c.tenant_id, c.id from connection c
where c.connector = any ($1) and c.state = 'active' and not exists (
    select from order_sweep s where s.tenant_id = c.tenant_id and s.connection_id = c.id
        and s.stretch = 'month')
"""
_CLAIM = """
update order_sweep set lease_until = now() + make_interval(secs => $1), started_at = now()
from (select tenant_id, connection_id, stretch from order_sweep
    where next_at <= now() and (lease_until is null or lease_until < now())
    order by next_at limit $2 for update skip locked) due
where order_sweep.tenant_id = due.tenant_id and order_sweep.connection_id = due.connection_id
    and order_sweep.stretch = due.stretch
returning order_sweep.tenant_id, order_sweep.connection_id, order_sweep.stretch
"""
_DONE = """
update order_sweep set lease_until = null, ended_at = now(), listed = $4, fetched = $5, problem = $6,
    next_at = now() + make_interval(secs => $7)
where tenant_id = $1 and connection_id = $2 and stretch = $3
"""


@dataclass(slots=True)
class Swept:
    """What one sweep came to: orders listed, and those of them that had to be asked for."""

    listed: int = 0
    fetched: int = 0


class OrderSweeper:
    """Sweeps the lists of channels under a lease; what was found is stored before it is done."""

    def __init__(
        self,
        database: Database,
        asker: Asker,
        writer: IntakeWriter,
    ) -> None:
        self._database = database
        self._asker = asker
        self._writer = writer

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                done = await self.sweep_due()
            except PlatformError:
                done = 0
            if not done:
                await asyncio.sleep(LOOK_EVERY_S)

    async def sweep_due(self) -> int:
        """Do the sweeps that are due; gives how many there were."""
        await self._ensure()
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_CLAIM, LEASE_S, AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                tasks.create_task(self._one(row["tenant_id"], row["connection_id"], row["stretch"]))
        return len(rows)

    async def sweep(self, tenant_id: UUID, connection_id: UUID, since: datetime) -> Swept:
        """Compare everything that changed since a moment (UTC), and fetch what is missing here.

        Raises NotSent, AnswerLost, TimeoutError or PlatformError; what was fetched before stays.
        """
        swept = Swept()
        booked = await self._asker.find(tenant_id, connection_id)
        if booked is None or booked.config.state != "active":
            return swept
        page, until = "", clock.now() - GRACE
        for _ in range(PAGES_MAX):
            page = await self._page(booked, since, until, page, swept)
            if not page:
                break
        return swept

    async def _ensure(self) -> None:
        """Give connections that can be asked their sweeps, when they are new."""
        listing = [name for name in registry.names() if registry.load(name).can_list_orders]
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_UNKNOWN, listing)
        for row in rows:
            async with begin(TenantScope(row["tenant_id"], "engine"), self._database) as session:
                await session.execute(_ENSURE, row["tenant_id"], row["id"], list(STRETCHES))

    async def _one(self, tenant_id: UUID, connection_id: UUID, name: str) -> None:
        """Do one sweep; trouble of one source is written down and it is tried again at its next time."""
        stretch, problem, swept = STRETCHES[name], "", Swept()
        try:
            since = clock.now() - stretch.back - LAP
            async with asyncio.timeout(LEASE_S):
                swept = await self.sweep(tenant_id, connection_id, since)
        except (NotSent, AnswerLost, TimeoutError, PlatformError) as trouble:
            problem = str(trouble) or "The source did not answer in time."
        except Exception as fault:  # noqa: BLE001 - one source's fault must not stop the others
            problem = f"The connector failed while asking ({type(fault).__name__})."
        log_event(
            "orders.swept",
            level="warning" if problem else "info",
            tenant=str(tenant_id),
            connection=str(connection_id),
            stream=name,
            count=swept.fetched,
            reason=problem[:WORDS_MAX],
        )
        await self._finish(tenant_id, connection_id, name, swept, problem)

    async def _finish(
        self, tenant_id: UUID, connection_id: UUID, name: str, swept: Swept, problem: str
    ) -> None:
        try:
            async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
                await session.execute(
                    _DONE,
                    tenant_id,
                    connection_id,
                    name,
                    swept.listed,
                    swept.fetched,
                    problem[:WORDS_MAX],
                    STRETCHES[name].every_s,
                )
        except PlatformError:
            return  # the lease ends by itself; what was found is known when it is listed again

    async def _page(
        self, booked: BookedConnection, since: datetime, until: datetime, page: str, swept: Swept
    ) -> str:
        """Compare one page; gives the name of the next one, "" after the last."""
        config = booked.config
        connector = registry.load(config.connector)
        found = await self._ask(booked, partial(connector.list_orders, since, until, page))
        async with begin(TenantScope(config.tenant_id, "engine"), self._database) as session:
            missing = await keep_listed(session, config.id, found.orders)
        swept.listed += len(found.orders)
        for order_id in missing:
            records = await self._ask(booked, partial(connector.fetch_history, order_id))
            await self._store(booked, records)
            swept.fetched += bool(records)
        return found.next_page

    async def _ask(self, booked: BookedConnection, question: Question[T]) -> T:
        """Put one question; a system that wants us to wait is waited for, within the sweep's lease."""
        for _ in range(WAITS_MAX):
            try:
                return await self._asker.ask(booked, question)
            except NotSent as trouble:
                # One that rests, or refuses our credential, is left alone until the next sweep.
                if trouble.after_s is None or trouble.code == "breaker.open":
                    raise
                await asyncio.sleep(min(trouble.after_s, WAIT_MAX_S))
        return await self._asker.ask(booked, question)

    async def _store(self, booked: BookedConnection, records: tuple[PolledRecord, ...]) -> None:
        trace_parent = new_traceparent()
        await self._writer.accept_all(
            [
                Incoming(
                    tenant_id=booked.config.tenant_id,
                    connection_id=booked.config.id,
                    topic=record.topic,
                    dedup=f"fetched|{record.key}",
                    body=record.body,
                    headers={FETCHED_HEADER: "1"},
                    trace_parent=trace_parent,
                )
                for record in records
            ]
        )
