"""Tell a machine: JSON under a Standard Webhooks signature, to checked addresses only.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import json

from app.connections.retry_after import retry_after_s
from app.health.alerts.notice import DEADLINE_S, Channel, Never, Notice, Result, Told, TryLater
from connectors.sdk.signatures import sign_standard
from infra import clock
from infra.egress.client import EgressClient, OutboundAnswer, OutboundRequest
from infra.egress.errors import EgressFailure, EgressRefused

_ANSWER_BYTES = 1_024
_GONE = 410
_TYPES = {"digest": "alerts.digest", "test": "alerts.test"}


class WebhookNotifier:
    """Posts notices; 2xx means taken, 410 means never again, anything else means later."""

    def __init__(self, egress: EgressClient) -> None:
        self._egress = egress

    async def send(self, channel: Channel, notice: Notice) -> Result:
        """Post once; the receiver knows a repeat by its `webhook-id`."""
        body = _body(notice)
        request = OutboundRequest(
            "POST",
            channel.address,
            {"Content-Type": "application/json", **_signed(channel, notice, body)},
            body,
            timeout_s=DEADLINE_S,
            max_body_bytes=_ANSWER_BYTES,
        )
        try:
            return _read(await self._egress.request(request))
        except EgressRefused as refusal:
            return Never(refusal.words)
        except EgressFailure as failure:
            return TryLater(failure.words)


def _body(notice: Notice) -> bytes:
    """Write the body; the same for each try, so that a repeat is one byte for byte."""
    content = {
        "type": _TYPES.get(notice.kind, f"incident.{notice.kind}"),
        "timestamp": notice.at.isoformat(),
        "data": {
            "id": str(notice.id),
            "thread_id": str(notice.thread_id),
            "subject": notice.subject,
            "lines": [{"label": line.label, "text": line.text} for line in notice.lines],
            "entries": list(notice.entries),
            "link": notice.link or None,
            **notice.data,
        },
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _signed(channel: Channel, notice: Notice, body: bytes) -> dict[str, str]:
    """Sign with every secret in use: for a day after a change, two."""
    msg_id, now_s = f"alert_{notice.id}", clock.unix_s()
    signed = [
        sign_standard(secret.get_secret_value(), msg_id, now_s, body) for secret in channel.secrets
    ]
    together = " ".join(headers["webhook-signature"] for headers in signed)
    return {**signed[0], "webhook-signature": together}


def _read(answer: OutboundAnswer) -> Result:
    if 200 <= answer.status < 300:  # noqa: PLR2004 - any success, RFC 9110 section 15.3
        return Told()
    if answer.status == _GONE:
        return Never("The receiver answered 410: it is gone for good.", is_channel_gone=True)
    after_s = retry_after_s(answer.headers, clock.now())
    return TryLater(f"The receiver answered {answer.status}.", after_s)
