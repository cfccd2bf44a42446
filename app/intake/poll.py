"""Poll sources: ask each connection's streams for what changed, store it, then move the cursor."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from app.intake.asking import Asker
from app.intake.group_commit import IntakeWriter
from app.intake.incoming import Incoming
from connectors import registry
from connectors.sdk.message import JsonObject, Page
from connectors.sdk.transport import AnswerLost, NotSent
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.settings import EngineSettings
from infra.telemetry.events import log_event
from infra.telemetry.trace import new_traceparent

AT_ONCE = 16
LEASE_S = 180.0
PROBLEM_MAX = 300


_CLAIM = """
update poll_cursor set lease_until = now() + make_interval(secs => $1), last_run_at = now()
from (select tenant_id, connection_id, stream from poll_cursor
    where next_at <= now() and (lease_until is null or lease_until < now())
    order by next_at limit $2 for update skip locked) due
where poll_cursor.tenant_id = due.tenant_id and poll_cursor.connection_id = due.connection_id
    and poll_cursor.stream = due.stream
returning poll_cursor.tenant_id, poll_cursor.connection_id, poll_cursor.stream, poll_cursor.cursor
"""
_DONE = """
update poll_cursor set cursor = $4::jsonb, last_problem = $5, lease_until = null,
    next_at = case when $6 then now() else now() + make_interval(secs => every_s) end
where tenant_id = $1 and connection_id = $2 and stream = $3
"""


@dataclass(frozen=True, slots=True)
class Due:
    """One stream that is due, with the cursor from which it goes on."""

    tenant_id: UUID
    connection_id: UUID
    stream: str
    cursor: JsonObject


class Poller:
    """Polls due streams under a lease; what was found is stored before the cursor moves."""

    def __init__(
        self,
        database: Database,
        asker: Asker,
        writer: IntakeWriter,
        settings: EngineSettings,
    ) -> None:
        self._database = database
        self._asker = asker
        self._writer = writer
        self._poll_s = settings.poll_s

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                due = await self._claim()
            except PlatformError:
                due = []
            async with asyncio.TaskGroup() as tasks:
                for one in due:
                    tasks.create_task(self._poll(one))
            if not due:
                await asyncio.sleep(self._poll_s)

    async def _claim(self) -> list[Due]:
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_CLAIM, LEASE_S, AT_ONCE)
        return [
            Due(r["tenant_id"], r["connection_id"], r["stream"], json.loads(r["cursor"]))
            for r in rows
        ]

    async def _poll(self, due: Due) -> None:
        """Ask for one page; trouble of one source is written down and tried again at its next time."""
        cursor, problem, has_more = due.cursor, "", False
        try:
            page = await self._page(due)
            await self._store(due, page)
            cursor, has_more = page.cursor, page.has_more
        except (NotSent, AnswerLost, TimeoutError, PlatformError) as trouble:
            problem = str(trouble) or "The source did not answer in time."
        except Exception as fault:  # noqa: BLE001 - one source's fault must not stop the others
            problem = f"The connector failed while asking ({type(fault).__name__})."
        if problem:
            log_event(
                "poll.failed",
                level="warning",
                tenant=str(due.tenant_id),
                connection=str(due.connection_id),
                stream=due.stream,
                reason=problem[:PROBLEM_MAX],
            )
        await self._finish(due, cursor, problem, has_more)

    async def _page(self, due: Due) -> Page:
        booked = await self._asker.find(due.tenant_id, due.connection_id)
        if booked is None or booked.config.state != "active":
            return Page((), due.cursor)
        connector = registry.load(booked.config.connector)
        return await self._asker.ask(booked, partial(connector.poll, due.stream, due.cursor))

    async def _store(self, due: Due, page: Page) -> None:
        trace_parent = new_traceparent()
        await self._writer.accept_all(
            [
                Incoming(
                    tenant_id=due.tenant_id,
                    connection_id=due.connection_id,
                    topic=record.topic,
                    dedup=f"{due.stream}|{record.key}",
                    body=record.body,
                    trace_parent=trace_parent,
                )
                for record in page.records
            ]
        )

    async def _finish(self, due: Due, cursor: JsonObject, problem: str, has_more: bool) -> None:  # noqa: FBT001
        try:
            async with begin(EngineScope(), self._database) as session:
                await session.execute(
                    _DONE,
                    due.tenant_id,
                    due.connection_id,
                    due.stream,
                    json.dumps(cursor),
                    problem[:PROBLEM_MAX],
                    has_more,
                )
        except PlatformError:
            return  # the lease ends by itself; the page is asked for again, repeats are recognised
