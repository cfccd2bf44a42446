"""Bring one delivery to its target, with no transaction open; every answer is an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.connections.directory import BookedConnection, ConnectionBook
from app.connections.unusable import waits_for_owner
from app.deliveries.claim import Claimed
from app.deliveries.handover import Loaded
from app.flows.routes import Route
from connectors import registry
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.manifest import KeyStyle
from connectors.sdk.outcome import Duplicate, Found, Missing, Outcome, Rejected, RetryLater, Unclear
from connectors.sdk.outcome import Unknown as AnswerUnknown
from connectors.sdk.transport import AnswerLost, NotSent, Transport
from infra import clock

TransportFor = Callable[[BookedConnection, str], Transport]


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one attempt, and the key style that decides how a repeat is made harmless."""

    outcome: Outcome
    keys: KeyStyle


class Sender:
    """Sends through the connector of the target's connection."""

    def __init__(
        self, connections: ConnectionBook, transport_for: TransportFor, deadline_s: float
    ) -> None:
        self._connections = connections
        self._transport_for = transport_for
        self._deadline_s = deadline_s

    async def send(self, delivery: Claimed, loaded: Loaded | None, route: Route | None) -> Sent:
        """Make one attempt within the call deadline.

        What the connection lacked may have been given in the seconds that its memory is old: it is
        read anew then, and tried once more. Raises PlatformError when the connection cannot be
        read: nothing was sent then.
        """
        if loaded is None:
            return _refused("event.unreadable", "The content of this event can no longer be read.")
        if route is None:
            return _refused("flow.disabled", "The flow of this delivery is switched off or gone.")
        booked = await self._connections.find(delivery.tenant_id, delivery.connection_id)
        if booked is None or booked.config.connector not in registry.names():
            return _refused("connection.unknown", "The target connection does not exist any more.")
        if booked.config.state == "disabled":
            return _refused("connection.disabled", "The target connection is switched off.")
        until_s = clock.monotonic_s() + self._deadline_s
        sent = await self._send_over(booked, delivery, loaded, route, self._deadline_s)
        if waits_for_owner(sent.outcome):
            renewed = await self._renewed(booked)
            if renewed is not None:
                left_s = until_s - clock.monotonic_s()
                sent = await self._send_over(renewed, delivery, loaded, route, left_s)
        return sent

    async def _renewed(self, booked: BookedConnection) -> BookedConnection | None:
        """Read a connection anew; None when it is as it was known."""
        tenant_id, connection_id = booked.config.tenant_id, booked.config.id
        self._connections.forget(tenant_id, connection_id)
        found = await self._connections.find(tenant_id, connection_id)
        return None if found is None or found.is_same(booked) else found

    async def _send_over(
        self,
        booked: BookedConnection,
        delivery: Claimed,
        loaded: Loaded,
        route: Route,
        deadline_s: float,
    ) -> Sent:
        connector = registry.load(booked.config.connector)
        action = connector.manifest.action(route.action)
        keys: KeyStyle = action.keys if action else "none"
        dispatch = Dispatch(
            action=route.action,
            event=loaded.event,
            effect_key=delivery.effect_key,
            settings={**booked.config.settings, **route.settings},
            attempt=delivery.attempt,
            trace_parent=loaded.trace_parent,
        )
        transport = self._transport_for(booked, loaded.trace_parent)
        bring = _checked if delivery.must_check and keys == "lookup" else _plainly
        return Sent(await _attempt(bring(connector, dispatch, transport), deadline_s), keys)


async def _attempt(call: Awaitable[Outcome], deadline_s: float) -> Outcome:
    try:
        async with asyncio.timeout(deadline_s):
            return await call
    except NotSent as not_sent:
        return RetryLater(not_sent.code, not_sent.words, not_sent.after_s)
    except (AnswerLost, TimeoutError) as lost:
        return AnswerUnknown(str(lost) or "The target did not answer in time.")
    except Exception as fault:  # noqa: BLE001 - a connector's fault is one record's trouble
        return Rejected(
            "connector.fault",
            "",
            f"The connector failed on this record ({type(fault).__name__}). Others go on;"
            " release it after the fix.",
        )


async def _plainly(connector: Connector, dispatch: Dispatch, transport: Transport) -> Outcome:
    return await connector.send(dispatch, transport)


async def _checked(connector: Connector, dispatch: Dispatch, transport: Transport) -> Outcome:
    """Ask before sending again where an earlier attempt may have had its effect."""
    try:
        found = await connector.look_up(dispatch, transport)
    except NotSent as not_asked:
        # The question is still open: it must be asked before the next sending, too.
        return AnswerUnknown(not_asked.words)
    match found:
        case Found(reference=reference):
            return Duplicate(reference)
        case Missing():
            return await connector.send(dispatch, transport)
        case Unclear(words=words):
            return AnswerUnknown(words)


def _refused(code: str, words: str) -> Sent:
    return Sent(Rejected(code, "", words), "none")
