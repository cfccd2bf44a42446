"""The loop of a worker that lets exceptions close themselves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from app.connections.directory import ConnectionBook
from app.deliveries.send import Sender
from app.exceptions.claim import AlreadyDecided
from app.exceptions.recheck.due import ROUND_S, DueHold, ask_again_later, postpone, take_due
from app.exceptions.recheck.heal import heal_hold
from app.exceptions.recheck.names_came import NamesCame
from app.exceptions.recheck.own_causes import EVERY_S, OwnCauses
from app.exceptions.recheck.question import Question, read_question
from app.flows.routes import Route, RouteBook, by_flow
from connectors.registry import manifest
from connectors.sdk.outcome import Found
from infra import clock
from infra.database.pool import Database
from infra.errors import PlatformError
from infra.ids import Id
from infra.keys.vault import Vault
from infra.telemetry.events import log_event
from infra.telemetry.fields import register_fields
from infra.telemetry.tell_fault import tell_fault

register_fields({"hold"})

ASKS_AT_ONCE = 16
# Questions are for what waits anyway: sales go first.
SHARE_OF_QUOTA = 0.1
MOST_PER_MINUTE = 120
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class RecheckParts:
    """What rechecking works with; `ring` wakes the engine when a lane may go on."""

    database: Database
    vault: Vault
    connections: ConnectionBook
    routes: RouteBook
    sender: Sender
    ring: Callable[[], None]


class Recheck:
    """Asks targets about open holds, and closes what they have."""

    def __init__(self, parts: RecheckParts) -> None:
        self._parts = parts
        self._own_causes = OwnCauses(parts.database, parts.ring)
        self._names_came = NamesCame(parts.database, parts.ring)
        self._asked: Counter[tuple[Id, Id]] = Counter()
        self._minute_began_s = clock.monotonic_s()
        self._looked_s = float("-inf")

    async def run(self) -> None:
        """Work until cancelled; a round that fails is told, and the next one tries again."""
        while True:
            try:
                await self.round()
            except PlatformError:
                pass  # the book is away: so is every hold
            except Exception as fault:  # noqa: BLE001 - one round's fault must not end the worker
                tell_fault("recheck.failed", fault)
            await asyncio.sleep(ROUND_S)

    async def round(self) -> None:
        """Do what is due now."""
        if clock.monotonic_s() - self._looked_s >= EVERY_S:
            self._looked_s = clock.monotonic_s()
            await self._own_causes.look()
            await self._names_came.look()
        due = await take_due(self._parts.database)
        limit = asyncio.Semaphore(ASKS_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for each in due:
                tasks.create_task(self._within(limit, each))

    async def _within(self, limit: asyncio.Semaphore, due: DueHold) -> None:
        async with limit:
            try:
                await self._look_after(due)
            except PlatformError:
                return  # its time is set already: it comes again
            except Exception as fault:  # noqa: BLE001 - one record's fault must not end the round
                tell_fault("recheck.failed", fault, tenant=str(due.tenant_id))

    async def _look_after(self, due: DueHold) -> None:
        parts = self._parts
        question = await read_question(parts.database, parts.vault, due)
        if question is None:
            return
        route = await self._route(due.tenant_id, question.delivery.flow_id)
        if route is None or not await parts.sender.can_ask(question.delivery):
            await ask_again_later(parts.database, due, is_askable=False)
        elif not await self._has_budget(due):
            await postpone(parts.database, due, MINUTE_S)
        else:
            await self._ask(question, route)

    async def _ask(self, question: Question, route: Route) -> None:
        answer = await self._parts.sender.ask(question.delivery, question.loaded, route)
        if not isinstance(answer, Found):
            await ask_again_later(self._parts.database, question.due, is_askable=True)
            return
        try:
            target = await self._name(question)
            await heal_hold(self._parts.database, question, answer, target)
        except AlreadyDecided:
            return
        self._parts.ring()
        log_event(
            "hold.healed",
            tenant=str(question.due.tenant_id),
            hold=str(question.due.id),
            delivery=str(question.delivery.id),
        )

    async def _name(self, question: Question) -> str:
        booked = await self._parts.connections.find(
            question.due.tenant_id, question.due.connection_id
        )
        return "The target" if booked is None else booked.config.title or booked.config.name

    async def _route(self, tenant_id: Id, flow_id: Id) -> Route | None:
        return by_flow(await self._parts.routes.routes(tenant_id)).get(flow_id)

    async def _has_budget(self, due: DueHold) -> bool:
        """Count a question of this minute, unless the connection's small share is used up."""
        if clock.monotonic_s() - self._minute_began_s >= MINUTE_S:
            self._minute_began_s = clock.monotonic_s()
            self._asked.clear()
        booked = await self._parts.connections.find(due.tenant_id, due.connection_id)
        if booked is None:
            return False
        quota = manifest(booked.config.connector).quota
        share = quota.rate_per_s * MINUTE_S * SHARE_OF_QUOTA
        most = max(1, min(MOST_PER_MINUTE, int(share)))
        self._asked[due.tenant_id, due.connection_id] += 1
        return self._asked[due.tenant_id, due.connection_id] <= most
