"""The way out for one connection: address, host check, credentials, pace, and nothing told back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from app.connections.address import address_of
from app.connections.call_limit import Verdict
from app.connections.credentials import (
    credential_headers,
    strike_out,
    strike_out_bytes,
    worth_striking,
)
from app.connections.directory import BookedConnection
from app.connections.pace import PAUSE_MAX_S, Pace, Slot
from app.connections.retry_after import retry_after_s
from app.connections.vendor_versions import VendorVersions
from app.connections.watch import ConnectionWatch, Leave
from connectors.registry import load, manifest
from connectors.sdk.budget import BudgetReport
from connectors.sdk.outcome import AuthorizationLost, Delivered, Outcome, RetryLater, Unknown
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent
from infra.clock import now
from infra.egress.client import EgressClient, OutboundAnswer, OutboundRequest
from infra.egress.errors import EgressAnswerLost, EgressNotSent, EgressRefused
from infra.errors import PlatformError
from infra.keys.vault import SealBroken
from infra.telemetry.events import log_event

# A call that cannot go within this time is put back; a slot of the worker is worth more. Well below
# the deadline of a call: what ends that one while it waits would count as an answer that was lost.
PACE_WAIT_S = 1.0

_THROTTLED = 429
_OVERLOADED = 503
_FAILED_FROM = 500

_CLOSED = frozenset({401, 403})
# Lanes of a resting connection are not taken before its next trial call: they only have to be there.
REST_S = 2.0

PaceOf = Callable[[BookedConnection, str], Pace]


@dataclass(frozen=True, slots=True)
class ConnectionTransport:
    """Sends a connector's calls for one connection; implements connectors.sdk.transport.Transport."""

    booked: BookedConnection
    egress: EgressClient
    pace_of: PaceOf
    watch: ConnectionWatch
    versions: VendorVersions
    trace_parent: str = ""

    async def request(self, call: Call) -> Answer:
        """Send one call; raises NotSent or AnswerLost; any HTTP status is an answer."""
        outbound = self._outbound(call)
        pace = self.pace_of(self.booked, call.bucket)
        async with pace.slot(call.cost, PACE_WAIT_S) as slot:
            # Asked again: while this call waited for its slot, others may have found the target down.
            is_trial = await self._leave() == "trial"
            answer = (
                await self._tried(outbound, slot) if is_trial else await self._sent(outbound, slot)
            )
            self._judge(slot, answer)
            struck = self._struck(answer, outbound)
            self._learn(slot, struck, call)
        await self.versions.note(self.booked, struck.headers)
        return struck

    def _outbound(self, call: Call) -> OutboundRequest:
        """Check the address first; only then are credentials opened."""
        url = address_of(self.booked.config, call)
        auth = manifest(self.booked.config.connector).auth
        try:
            added = credential_headers(auth, self.booked.secrets, call.headers, call.body)
        except (SealBroken, PlatformError, ValueError):
            # The cause may quote the credential.
            raise NotSent(
                "connection.credentials_unreadable",
                "The credentials of this connection cannot be used. Enter them again.",
            ) from None
        if self.trace_parent:
            added["traceparent"] = self.trace_parent
        ours = {name.lower() for name in added}
        headers = {name: text for name, text in call.headers.items() if name.lower() not in ours}
        return OutboundRequest(
            method=call.method,
            url=url,
            headers=headers | added,
            body=call.body,
            timeout_s=call.timeout_s,
            max_body_bytes=call.max_body_bytes,
        )

    async def _leave(self) -> Leave:
        config = self.booked.config
        try:
            leave = await self.watch.leave(config.tenant_id, config.id)
        except PlatformError:
            # Without the book nobody can take what this call would bring; it goes when the book is back.
            raise NotSent(
                "pace.book_away", "The shared budget for this system cannot be read now.", 1.0
            ) from None
        if leave == "none":
            words = "This system does not work at present and is left alone."
            raise NotSent("breaker.open", words, REST_S)
        return leave

    async def _tried(self, outbound: OutboundRequest, slot: Slot) -> OutboundAnswer:
        """Make the trial call of a resting connection; what it says moves the breaker."""
        try:
            answer = await self._sent(outbound, slot)
        except NotSent as failure:
            await self._tell(RetryLater(failure.code, failure.words))
            raise
        except AnswerLost as failure:
            await self._tell(Unknown(failure.words))
            raise
        await self._tell(_outcome_of(answer.status))
        return answer

    async def _tell(self, outcome: Outcome) -> None:
        # Without the book the trial's lease ends by itself, and the next one is made.
        with suppress(PlatformError):
            await self.watch.learn(self.booked.config.tenant_id, self.booked.config.id, outcome)

    async def _sent(self, outbound: OutboundRequest, slot: Slot) -> OutboundAnswer:
        try:
            return await self.egress.request(outbound)
        except EgressRefused as refusal:
            raise NotSent(refusal.code, refusal.words) from None
        except EgressNotSent as failure:
            slot.judge("failed")
            raise NotSent(failure.code, failure.words) from None
        except EgressAnswerLost as failure:
            slot.judge("overloaded")
            raise AnswerLost(failure.words) from None

    def _judge(self, slot: Slot, answer: OutboundAnswer) -> None:
        pause_s = _pause_s(answer)
        slot.judge(_verdict(answer.status), after_s=pause_s)
        if pause_s is not None and pause_s > PAUSE_MAX_S:
            log_event(
                "connection.asked_too_long",
                level="warning",
                tenant=str(self.booked.config.tenant_id),
                connection=str(self.booked.config.id),
                reason="The system asks to be left alone for longer than an hour; an hour is kept.",
                next_s=PAUSE_MAX_S,
            )

    def _learn(self, slot: Slot, answer: Answer, call: Call) -> None:
        try:
            report = load(self.booked.config.connector).budget_of(answer, call)
        except Exception:  # noqa: BLE001 - a fault in reading limits must not cost the answer
            return
        if isinstance(report, BudgetReport):
            slot.learn(replace(report, overpaid=min(report.overpaid, call.cost)))
            if report.is_refused:
                slot.judge("throttled")

    def _struck(self, answer: OutboundAnswer, outbound: OutboundRequest) -> Answer:
        """Give the answer without our credentials, which some targets repeat in error pages."""
        known = worth_striking(_known_values(self.booked, outbound))
        return Answer(
            status=answer.status,
            headers={name: strike_out(text, known) for name, text in answer.headers.items()},
            body=strike_out_bytes(answer.body, known),
            took_ms=answer.took_ms,
        )


def _known_values(booked: BookedConnection, outbound: OutboundRequest) -> list[str]:
    sent = [
        text.partition(" ")[2] or text
        for name, text in outbound.headers.items()
        if name.lower() == "authorization"
    ]
    return [*booked.secrets.reveal_all(), *sent]


def _outcome_of(status: int) -> Outcome:
    """Say what a status means for the connection as a whole, whatever it means for a record."""
    if status in _CLOSED:
        return AuthorizationLost("The system no longer accepts the credential.", status)
    if status >= _FAILED_FROM:
        return RetryLater("target.unavailable", "The system has a passing trouble.", status=status)
    return Delivered(status=status)


def _verdict(status: int) -> Verdict:
    if status == _THROTTLED:
        return "throttled"
    if status == _OVERLOADED:
        return "overloaded"
    return "failed" if status >= _FAILED_FROM else "clean"


def _pause_s(answer: OutboundAnswer) -> float | None:
    is_pushed_back = answer.status in (_THROTTLED, _OVERLOADED)
    return retry_after_s(answer.headers, now()) if is_pushed_back else None
