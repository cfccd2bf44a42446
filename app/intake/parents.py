"""Ask sources for records that must come first: the order whose webhook was lost before its refund.

A target said "not yet" and named what it misses; settling noted it in `wanted_record`. What is found
is stored as if its webhook had come, so that it takes the same path into the same lane. Neither the
waiting nor the asking is an exception for people until the clock of the waiting record ends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from app.intake.asking import Asker
from app.intake.group_commit import IntakeWriter
from app.intake.incoming import FETCHED_HEADER, Accepted, Incoming
from connectors import registry
from connectors.canonical.parent import FIRST
from connectors.sdk.message import PolledRecord
from connectors.sdk.transport import AnswerLost, NotSent
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.settings import EngineSettings
from infra.telemetry.events import log_event
from infra.telemetry.trace import new_traceparent

AT_ONCE = 16
# Longer than a question may take, so that no two workers ask at once; after a crash it is asked again.
LEASE_S = 150.0
# A source may show an order some time after it told of its refund.
AGAIN_AFTER_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800)
# As long as the waiting record waits (`backoff.NOT_YET_MAX_S`).
WANTED_FOR_S = 86_400.0
WORDS_MAX = 300

_CLAIM = """
update wanted_record set due_at = now() + make_interval(secs => $1), tries = tries + 1
from (select tenant_id, connection_id, reference from wanted_record
    where state = 'wanted' and due_at <= now() order by due_at limit $2 for update skip locked) due
where wanted_record.tenant_id = due.tenant_id and wanted_record.connection_id = due.connection_id
    and wanted_record.reference = due.reference
returning wanted_record.tenant_id, wanted_record.connection_id, wanted_record.reference,
    wanted_record.tries, extract(epoch from now() - wanted_record.asked_at)::float8 as age_s
"""
_IN_BOOK = """
select exists (select 1 from event
    where tenant_id = $1 and object_id = $3 and connection_id = $2 and type = any($4))
"""
_ANSWERED = """
update wanted_record set state = $4, words = $5, due_at = now() + make_interval(secs => $6)
where tenant_id = $1 and connection_id = $2 and reference = $3 and state = 'wanted'
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that is asked for, under the id that its source uses; `tries` counts this one."""

    tenant_id: UUID
    connection_id: UUID
    reference: str
    tries: int
    age_s: float


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one question: found, missing, or wanted still and asked again after `wait_s`."""

    state: str
    words: str
    wait_s: float = 0.0


class ParentFetcher:
    """Asks for wanted records under a lease, a few at a time; what was found is stored first."""

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
        self._scale = settings.retry_scale

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            if not await self.ask_due():
                await asyncio.sleep(self._poll_s)

    async def ask_due(self) -> int:
        """Ask for what is due; gives how many questions there were. The book being away is none."""
        try:
            due = await self._claim()
        except PlatformError:
            return 0
        async with asyncio.TaskGroup() as tasks:
            for wanted in due:
                tasks.create_task(self._ask(wanted))
        return len(due)

    async def _claim(self) -> list[Wanted]:
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_CLAIM, LEASE_S, AT_ONCE)
        return [
            Wanted(r["tenant_id"], r["connection_id"], r["reference"], r["tries"], r["age_s"])
            for r in rows
        ]

    async def _ask(self, wanted: Wanted) -> None:
        """Ask one source for one record; its trouble is written down and it is asked again."""
        try:
            answer = await self._answer(wanted)
        except (NotSent, AnswerLost, TimeoutError, PlatformError) as trouble:
            answer = self._later(wanted, str(trouble) or "The source did not answer in time.")
        except Exception as fault:  # noqa: BLE001 - one source's fault must not stop the others
            words = f"The connector failed while asking ({type(fault).__name__})."
            answer = self._later(wanted, words)
        log_event(
            "parent.asked",
            tenant=str(wanted.tenant_id),
            connection=str(wanted.connection_id),
            attempt=wanted.tries,
            state=answer.state,
            reason=answer.words[:WORDS_MAX],
        )
        await self._write(wanted, answer)

    async def _answer(self, wanted: Wanted) -> _Answer:
        if await self._is_in_book(wanted):
            return _Answer("found", "It is in the book already and on its way.")
        booked = await self._asker.find(wanted.tenant_id, wanted.connection_id)
        if booked is None or booked.config.connector not in registry.names():
            return _Answer("missing", "The system that it came from is not connected any more.")
        connector = registry.load(booked.config.connector)
        if not connector.can_fetch:
            title = connector.manifest.title
            return _Answer("missing", f"{title} cannot be asked for one record; it has to come.")
        if booked.config.state != "active":
            return self._later(wanted, "The connection is paused.")
        records = await self._asker.ask(booked, partial(connector.fetch, wanted.reference))
        if not records:
            title = connector.manifest.title
            return self._later(wanted, f"{title} has no record {wanted.reference}.")
        await self._store(wanted, records)
        return _Answer("found", "Its source was asked and gave it.")

    async def _is_in_book(self, wanted: Wanted) -> bool:
        async with begin(EngineScope(), self._database) as session:
            return bool(
                await session.fetch_value(
                    _IN_BOOK,
                    wanted.tenant_id,
                    wanted.connection_id,
                    wanted.reference,
                    sorted(FIRST),
                )
            )

    async def _store(self, wanted: Wanted, records: tuple[PolledRecord, ...]) -> list[Accepted]:
        trace_parent = new_traceparent()
        return await self._writer.accept_all(
            [
                Incoming(
                    tenant_id=wanted.tenant_id,
                    connection_id=wanted.connection_id,
                    topic=record.topic,
                    dedup=f"fetched|{record.key}",
                    body=record.body,
                    headers={FETCHED_HEADER: "1"},
                    trace_parent=trace_parent,
                )
                for record in records
            ]
        )

    def _later(self, wanted: Wanted, words: str) -> _Answer:
        """Ask again after a while, until the record that waits for it would be held."""
        if wanted.age_s > WANTED_FOR_S / self._scale:
            return _Answer("missing", f"Asked {wanted.tries} times. {words}")
        wait_s = AGAIN_AFTER_S[min(wanted.tries, len(AGAIN_AFTER_S)) - 1] / self._scale
        return _Answer("wanted", words, wait_s)

    async def _write(self, wanted: Wanted, answer: _Answer) -> None:
        try:
            async with begin(EngineScope(), self._database) as session:
                await session.execute(
                    _ANSWERED,
                    wanted.tenant_id,
                    wanted.connection_id,
                    wanted.reference,
                    answer.state,
                    answer.words[:WORDS_MAX],
                    answer.wait_s,
                )
        except PlatformError:
            return  # the lease ends by itself; a repeat is recognised when it is stored
