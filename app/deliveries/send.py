"""Bring one delivery to its target, with no transaction open; every answer is an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.connections.directory import BookedConnection, ConnectionBook
from app.deliveries.claim import Claimed
from app.deliveries.handover import Loaded
from app.flows.routes import Route
from connectors import registry
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.manifest import KeyStyle
from connectors.sdk.outcome import Duplicate, Found, Missing, Outcome, Rejected, RetryLater, Unclear
from connectors.sdk.outcome import Unknown as AnswerUnknown
from connectors.sdk.transport import AnswerLost, NotSent, Transport

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

        Raises PlatformError when the connection cannot be read: nothing was sent then.
        """
        if loaded is None:
            return _refused("event.unreadable", "The content of this event can no longer be read.")
        if route is None:
            return _refused("flow.disabled", "The flow of this delivery is switched off or gone.")
        booked = await self._connections.find(delivery.tenant_id, delivery.connection_id)
        if booked is None or booked.config.connector not in registry.names():
            return _refused("connection.unknown", "The target connection does not exist any more.")
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
        return Sent(await self._attempt(bring(connector, dispatch, transport)), keys)

    async def _attempt(self, call: Awaitable[Outcome]) -> Outcome:
        try:
            async with asyncio.timeout(self._deadline_s):
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
    match await connector.look_up(dispatch, transport):
        case Found(reference=reference):
            return Duplicate(reference)
        case Missing():
            return await connector.send(dispatch, transport)
        case Unclear(words=words):
            return AnswerUnknown(words)


def _refused(code: str, words: str) -> Sent:
    return Sent(Rejected(code, "", words), "none")
