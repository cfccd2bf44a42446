"""Ask a retailer's system for something: over its connection, in time, and with a credential that holds.

A credential that is refused may have been renewed in the seconds that the connection is known: then it
is asked once more with the new one. Refused again, the whole connection waits for its owner, and no more
than an hourly look goes out (`connections/health.py`), whether it sends or is only asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from app.connections.directory import BookedConnection, ConnectionBook
from app.connections.watch import ConnectionWatch
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import AuthorizationLost
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent, Transport
from infra.ids import Id
from infra.telemetry.trace import new_traceparent

DEADLINE_S = 60.0
_UNAUTHORIZED = 401

T = TypeVar("T")
TransportFor = Callable[[BookedConnection, str], Transport]
Question = Callable[[JsonObject, Transport], Awaitable[T]]


@dataclass(slots=True)
class _Listening:
    """A transport that remembers whether the credential was refused."""

    inner: Transport
    was_refused: bool = False

    async def request(self, call: Call) -> Answer:
        """Send one call."""
        answer = await self.inner.request(call)
        self.was_refused = answer.status == _UNAUTHORIZED
        return answer


class Asker:
    """Asks over connections; shared by whatever polls and fetches."""

    def __init__(
        self, connections: ConnectionBook, transport_for: TransportFor, watch: ConnectionWatch
    ) -> None:
        self._connections = connections
        self._transport_for = transport_for
        self._watch = watch

    async def find(self, tenant_id: Id, connection_id: Id) -> BookedConnection | None:
        """Give a connection; None when it does not exist."""
        return await self._connections.find(tenant_id, connection_id)

    async def ask(self, booked: BookedConnection, question: Question[T]) -> T:
        """Put a question (settings, transport) and give its answer; raises what the question raises.

        Raises TimeoutError after `DEADLINE_S`.
        """
        try:
            return await self._once(booked, question)
        except _Refused as refused:
            renewed = await self._connections.renewed(booked)
            if renewed is None:
                await self._tell(booked)
                raise refused.trouble from None
        try:
            return await self._once(renewed, question)
        except _Refused as refused:
            await self._tell(renewed)
            raise refused.trouble from None

    async def _once(self, booked: BookedConnection, question: Question[T]) -> T:
        listening = _Listening(self._transport_for(booked, new_traceparent()))
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await question(booked.config.settings, listening)
        except (NotSent, AnswerLost) as trouble:
            if listening.was_refused:
                raise _Refused(trouble) from trouble
            raise

    async def _tell(self, booked: BookedConnection) -> None:
        title = booked.config.title or booked.config.name
        lost = AuthorizationLost(f"{title} no longer accepts the credential.", _UNAUTHORIZED)
        await self._watch.learn(booked.config.tenant_id, booked.config.id, lost)


class _Refused(Exception):
    """The system refused the credential; `trouble` is what the connector made of it."""

    def __init__(self, trouble: NotSent | AnswerLost) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble
