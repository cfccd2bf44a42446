"""POST /hooks/{token}: vendors' webhooks, as a thin ASGI route in front of the application.

A verified webhook is stored whatever is in it (vendors retry a 4xx uselessly, and some end the
subscription); a forged one is answered 401 and leaves no body behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from app.connections.directory import BookedConnection, ConnectionBook
from app.connections.hooks import HookBook
from app.intake.group_commit import IntakeWriter
from app.intake.incoming import Accepted, Incoming
from connectors import registry
from connectors.sdk.signatures import Refused, Verified, verify
from infra import clock
from infra.errors import NotFound, PlatformError
from infra.ids import Id
from infra.telemetry.events import log_event
from infra.telemetry.metrics import METRICS, AcceptResult
from infra.telemetry.trace import new_traceparent, parse
from infra.web.asgi import Receive, Scope, Send
from infra.web.problems import problem_of, send_problem

PREFIX = "/hooks/"
JSON_HEADER = (b"content-type", b"application/json")


class SignatureRefused(PlatformError):
    """The webhook is not shown to be from who it claims to be."""

    status = 401
    code = "signature.invalid"

    def __init__(self, code: str) -> None:
        super().__init__("The signature does not fit this message.", code=code)


class MethodRefused(PlatformError):
    """Only POST is served here."""

    status = 405
    code = "request.method"

    def __init__(self) -> None:
        super().__init__("Webhooks are sent with POST.")


class HookRoute:
    """Receives webhooks: find the owner, verify over the raw bytes, store, then answer."""

    def __init__(self, hooks: HookBook, connections: ConnectionBook, writer: IntakeWriter) -> None:
        self._hooks = hooks
        self._connections = connections
        self._writer = writer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is a problem document."""
        started_s = clock.monotonic_s()
        try:
            accepted = await self._receive(scope, receive)
        except PlatformError as refusal:
            METRICS.count_accept("refused", clock.monotonic_s() - started_s)
            await send_problem(send, problem_of(refusal))
            return
        result: AcceptResult = "duplicate" if accepted.is_duplicate else "accepted"
        METRICS.count_accept(result, clock.monotonic_s() - started_s)
        await send_accepted(send, accepted)

    async def _receive(self, scope: Scope, receive: Receive) -> Accepted:
        if scope["method"] != "POST":
            raise MethodRefused
        body = await read_body(receive)
        owner = await self._hooks.find(scope["path"].removeprefix(PREFIX))
        if owner is None:
            raise NotFound
        booked = await self._connections.find(owner.tenant_id, owner.connection_id)
        if booked is None or booked.config.state == "disabled":
            raise NotFound
        incoming = self._verified(booked, owner.tenant_id, lower_headers(scope), body)
        await self._writer.backlogs.refuse_when_full(owner.tenant_id)
        return await self._writer.accept(incoming)

    def _verified(
        self, booked: BookedConnection, tenant_id: Id, headers: Mapping[str, str], body: bytes
    ) -> Incoming:
        webhook = registry.manifest(booked.config.connector).webhook
        secrets = booked.secrets.reveal(webhook.field) if webhook.scheme != "none" else []
        verdict = verify(webhook, headers, body, secrets, clock.unix_s())
        if isinstance(verdict, Refused):
            log_event(
                "webhook.refused",
                level="warning",
                tenant=str(tenant_id),
                connection=str(booked.config.id),
                code=verdict.code,
                size_bytes=len(body),
            )
            raise SignatureRefused(verdict.code)
        return Incoming(
            tenant_id=tenant_id,
            connection_id=booked.config.id,
            topic=verdict.topic,
            dedup=hook_dedup(verdict, body),
            body=body,
            headers=verdict.kept_headers,
            trace_parent=parse(headers.get("traceparent", "")) or new_traceparent(),
        )


def hook_dedup(verdict: Verified, body: bytes) -> str:
    """Name a webhook for deduplication: the sender's own id, else topic, body and minute (weak)."""
    if verdict.event_id:
        return f"hook|{verdict.event_id}"
    minute = clock.unix_s() // 60
    return f"weak|{verdict.topic}|{hashlib.sha256(body).hexdigest()}|{minute}"


async def read_body(receive: Receive) -> bytes:
    """Collect a request's body; the guard in front has already bounded its size and time."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderLeft
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


class SenderLeft(PlatformError):
    """The sender went away before its message was whole; nothing is stored."""

    status = 400
    code = "request.incomplete"

    def __init__(self) -> None:
        super().__init__("The message ended before it was whole.")


def lower_headers(scope: Scope) -> dict[str, str]:
    """Give request headers by lower-case name; repeats are joined by commas, never cut."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


async def send_accepted(send: Send, accepted: Accepted) -> None:
    """Say that a message is stored (202), or was already (200)."""
    await send_json(
        send,
        200 if accepted.is_duplicate else 202,
        {"id": str(accepted.message_id), "duplicate": accepted.is_duplicate},
    )


async def send_json(send: Send, status: int, answer: dict[str, Any]) -> None:
    """Send one JSON answer."""
    body = msgspec.json.encode(answer)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [JSON_HEADER, length]})
    await send({"type": "http.response.body", "body": body})
