"""Bring one delivery to its target, with no transaction open; every answer is an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import assert_never

from app.connections.directory import BookedConnection, ConnectionBook
from app.connections.unusable import waits_for_owner
from app.deliveries.claim import Claimed
from app.deliveries.decide import Decision
from app.deliveries.handover import Loaded
from app.deliveries.states import State
from app.flows.adjust import Adjusted, Adjuster, KeptBack, Skipped, VersionGone
from app.flows.manual import PAUSED_CODE, SKIPPED_CODE
from app.flows.overrides import Fault
from app.flows.routes import Route
from connectors import registry
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.manifest import KeyStyle
from connectors.sdk.outcome import (
    Duplicate,
    Found,
    LookUp,
    Missing,
    Outcome,
    Rejected,
    RetryLater,
    Unclear,
)
from connectors.sdk.outcome import Unknown as AnswerUnknown
from connectors.sdk.transport import AnswerLost, NotSent, Transport
from infra import clock

# What a person keeps back is looked at 24 times a day: it may have been let go in the moment in which a
# worker had it.
KEPT_BACK_S = 3600.0

TransportFor = Callable[[BookedConnection, str], Transport]


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one attempt, and what was known of the target and the flow when it was made.

    `keys` decides how a repeat is made harmless. `version` is that of the flow, None when no flow was
    found. `is_asked` says that the target was called: only then does the outcome speak for it.
    `decided` is what a person decided beforehand; where it is given, the outcome decides nothing.
    """

    outcome: Outcome
    keys: KeyStyle = "none"
    connector: str = ""
    version: int | None = None
    is_asked: bool = True
    decided: Decision | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A delivery that may go: over which connection, by which connector, with what content."""

    booked: BookedConnection
    connector: Connector
    delivery: Claimed
    adjusted: Adjusted
    trace_parent: str

    @property
    def keys(self) -> KeyStyle:
        """Give the key style of the action."""
        action = self.connector.manifest.action(self.adjusted.route.action)
        return action.keys if action else "none"

    @property
    def dispatch(self) -> Dispatch:
        """Give what the connector is handed."""
        route = self.adjusted.route
        return Dispatch(
            action=route.action,
            event=self.adjusted.event,
            effect_key=self.delivery.effect_key,
            settings={**self.booked.config.settings, **route.settings},
            attempt=self.delivery.attempt,
            trace_parent=self.trace_parent,
        )


class Sender:
    """Sends through the connector of the target's connection, and asks it what it has."""

    def __init__(
        self,
        connections: ConnectionBook,
        adjuster: Adjuster,
        transport_for: TransportFor,
        deadline_s: float,
    ) -> None:
        self._connections = connections
        self._adjuster = adjuster
        self._transport_for = transport_for
        self._deadline_s = deadline_s

    async def send(self, delivery: Claimed, loaded: Loaded | None, route: Route | None) -> Sent:
        """Make one attempt within the call deadline.

        What the connection lacked may have been given in the seconds that its memory is old: it is
        read anew then, and tried once more. Raises PlatformError when the connection cannot be
        read: nothing was sent then.
        """
        ready = await self._ready(delivery, loaded, route)
        if isinstance(ready, Sent):
            return ready
        until_s = clock.monotonic_s() + self._deadline_s
        sent = await self._send_over(ready, self._deadline_s)
        if waits_for_owner(sent.outcome):
            renewed = await self._connections.renewed(ready.booked)
            if renewed is not None:
                left_s = until_s - clock.monotonic_s()
                sent = await self._send_over(replace(ready, booked=renewed), left_s)
        return sent

    async def ask(self, delivery: Claimed, loaded: Loaded, route: Route) -> LookUp:
        """Ask the target whether it has the effect of a delivery; sends nothing, never raises for it.

        What cannot be asked now is Unclear. Raises PlatformError when the book is away.
        """
        booked = await self._connections.find(delivery.tenant_id, delivery.connection_id)
        if booked is None or booked.config.connector not in registry.names():
            return Unclear("The target connection does not exist any more.")
        adjusted = await self._adjuster.as_sent(
            delivery.tenant_id, loaded.event, route, delivery.pinned_version
        )
        if adjusted is None:
            return Unclear("The mapping of this flow cannot be applied to it.")
        connector = registry.load(booked.config.connector)
        ready = _Ready(booked, connector, delivery, adjusted, loaded.trace_parent)
        transport = self._transport_for(booked, loaded.trace_parent)
        try:
            async with asyncio.timeout(self._deadline_s):
                return await connector.look_up(ready.dispatch, transport)
        except NotSent as not_asked:
            return Unclear(not_asked.words)
        except (AnswerLost, TimeoutError):
            return Unclear("The target did not answer in time.")
        except Exception as fault:  # noqa: BLE001 - a connector's fault is one record's trouble
            return Unclear(f"The connector failed on this question ({type(fault).__name__}).")

    async def can_ask(self, delivery: Claimed) -> bool:
        """Say whether the target of a delivery, as it is set up, can be asked at all."""
        booked = await self._connections.find(delivery.tenant_id, delivery.connection_id)
        if booked is None or booked.config.connector not in registry.names():
            return False
        return registry.load(booked.config.connector).can_be_asked(booked.config.settings)

    async def _ready(
        self, delivery: Claimed, loaded: Loaded | None, route: Route | None
    ) -> _Ready | Sent:
        """Find what is needed to send a delivery, or the reason why it is not sent."""
        if loaded is None:
            return _refused(
                "event.unreadable", "The content of this event can no longer be read.", delivery
            )
        if route is None:
            return _refused(
                "flow.disabled", "The flow of this delivery is switched off or gone.", delivery
            )
        booked = await self._connections.find(delivery.tenant_id, delivery.connection_id)
        if booked is None or booked.config.connector not in registry.names():
            return _refused(
                "connection.unknown", "The target connection does not exist any more.", delivery
            )
        if booked.config.state == "disabled":
            return _refused(
                "connection.disabled", "The target connection is switched off.", delivery
            )
        adjusted = await self._adjuster.adjust(
            delivery.tenant_id, loaded.event, route, delivery.pinned_version
        )
        if not isinstance(adjusted, Adjusted):
            return replace(_withheld(delivery, adjusted), version=route.version)
        connector = registry.load(booked.config.connector)
        return _Ready(booked, connector, delivery, adjusted, loaded.trace_parent)

    async def _send_over(self, ready: _Ready, deadline_s: float) -> Sent:
        transport = self._transport_for(ready.booked, ready.trace_parent)
        bring = _checked if ready.delivery.must_check and ready.keys == "lookup" else _plainly
        outcome = await _attempt(bring(ready.connector, ready.dispatch, transport), deadline_s)
        version = ready.adjusted.route.version
        return Sent(outcome, ready.keys, ready.booked.config.connector, version)


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


def _withheld(delivery: Claimed, adjusted: Skipped | KeptBack | VersionGone | Fault) -> Sent:
    """Say why a delivery is not sent, in the words of whoever decided so."""
    match adjusted:
        case Skipped(words=words):
            # The only end to which a delivery in a worker's hands may come unsent.
            decided = Decision("cancelled", code=SKIPPED_CODE, words=words)
            return Sent(Rejected(SKIPPED_CODE, "", words), is_asked=False, decided=decided)
        case KeptBack(until=until, words=words):
            wait_s = min(max(0.0, (until - clock.now()).total_seconds()), KEPT_BACK_S)
            state: State = "checking" if delivery.must_check else "waiting"
            decided = Decision(state, wait_s, PAUSED_CODE, words, burns=False)
            later = RetryLater(PAUSED_CODE, words, wait_s)
            return Sent(later, is_asked=False, decided=decided)
        case VersionGone(version=wanted):
            return _refused(
                "mapping.version_missing",
                f"Version {wanted} of this flow, with which this was to be sent, is not there.",
                delivery,
            )
        case Fault(code=code, pointer=pointer, words=words):
            return _refused(code, words, delivery, pointer)
    assert_never(adjusted)


def _refused(code: str, words: str, delivery: Claimed, pointer: str = "") -> Sent:
    """Hold a delivery for a reason of our own, without asking its target.

    Where an earlier answer was lost the question stays open: released as anything else, it would be
    sent again without being asked about.
    """
    if not delivery.must_check:
        return Sent(Rejected(code, pointer, words), is_asked=False)
    told = f"{words} An earlier answer was lost: the target may have this already."
    decided = Decision(
        "held", code="outcome.unknown", words=told, pointer=pointer, error_class="unknown"
    )
    return Sent(AnswerUnknown(told), is_asked=False, decided=decided)
