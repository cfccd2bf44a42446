"""The way out for one connection: address, host check, credentials, pace, and nothing told back."""

from __future__ import annotations

from dataclasses import dataclass

from app.connections.address import address_of
from app.connections.credentials import (
    credential_headers,
    strike_out,
    strike_out_bytes,
    worth_striking,
)
from app.connections.directory import BookedConnection
from app.connections.pace import Pace, Slot, Verdict
from app.connections.retry_after import retry_after_s
from connectors.registry import manifest
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent
from infra.clock import now
from infra.egress.client import EgressClient, OutboundAnswer, OutboundRequest
from infra.egress.errors import EgressAnswerLost, EgressNotSent, EgressRefused
from infra.errors import PlatformError
from infra.keys.vault import SealBroken

# A call that cannot go within this time is put back; a slot of the worker is worth more.
PACE_WAIT_S = 2.0

# Answers of a target that cannot keep up; every other status shows that it can.
PUSHED_BACK = frozenset({429, 503})
_UNRATED_FROM = 500
# https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits, calls per second
_RATE_HEADER = "x-amzn-ratelimit-limit"


@dataclass(frozen=True, slots=True)
class ConnectionTransport:
    """Sends a connector's calls for one connection; implements connectors.sdk.transport.Transport."""

    booked: BookedConnection
    egress: EgressClient
    pace: Pace
    trace_parent: str = ""

    async def request(self, call: Call) -> Answer:
        """Send one call; raises NotSent or AnswerLost; any HTTP status is an answer."""
        outbound = self._outbound(call)
        async with self.pace.slot(call.cost, PACE_WAIT_S) as slot:
            answer = await self._sent(outbound, slot)
            _learn(slot, answer)
        return self._struck(answer, outbound)

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

    async def _sent(self, outbound: OutboundRequest, slot: Slot) -> OutboundAnswer:
        try:
            return await self.egress.request(outbound)
        except (EgressRefused, EgressNotSent) as failure:
            raise NotSent(failure.code, failure.words) from None
        except EgressAnswerLost as failure:
            slot.judge("pushed_back")
            raise AnswerLost(failure.words) from None

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


def _learn(slot: Slot, answer: OutboundAnswer) -> None:
    slot.judge(_verdict(answer.status), after_s=_pause_s(answer))
    try:
        slot.learn_rate(float(answer.headers.get(_RATE_HEADER, "nan")))
    except ValueError:
        return


def _verdict(status: int) -> Verdict:
    if status in PUSHED_BACK:
        return "pushed_back"
    return "unrated" if status >= _UNRATED_FROM else "clean"


def _pause_s(answer: OutboundAnswer) -> float | None:
    return retry_after_s(answer.headers, now()) if answer.status in PUSHED_BACK else None
