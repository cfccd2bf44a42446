"""POST /v1/events: CloudEvents, one or up to 1,000, as a thin ASGI route in front of the application.

An event's `source` names the connection it comes from; `source` and `id` make it unique, so sending
it twice changes nothing. In a batch each event has its own answer: a bad one stops no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.connections.directory import ConnectionBook
from app.connections.freshness import FreshMemory
from app.intake.group_commit import IntakeWriter
from app.intake.hooks import lower_headers, read_body, send_json
from app.intake.idempotency import IdempotentAnswers
from app.intake.incoming import Accepted, Incoming
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import FieldError, Forbidden, PlatformError, Unauthorized, Unprocessable
from infra.ids import Id, parse_id
from infra.strict_json import StrictJsonError, read_json
from infra.telemetry.metrics import METRICS
from infra.telemetry.trace import new_traceparent, parse
from infra.web.asgi import Receive, Scope, Send
from infra.web.body import check_json_media_type, decode_body
from infra.web.problems import problem_of, send_problem
from tenants.principal import Principal, PrincipalCache, reach
from tenants.roles import Permission, allows

PATH = "/v1/events"
BATCH_MAX = 1_000
TEXT_MAX = 256


class _Envelope(msgspec.Struct):
    """The CloudEvents 1.0 attributes that decide where an event belongs."""

    specversion: str
    id: str
    source: str
    type: str
    traceparent: str = ""


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_BATCH = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class EventParts:
    """What the route works with."""

    database: Database
    principals: PrincipalCache
    connections: ConnectionBook
    writer: IntakeWriter


class EventRoute:
    """Receives events from a retailer's own systems under an API key."""

    def __init__(self, parts: EventParts) -> None:
        self._parts = parts
        self._sources: FreshMemory[tuple[Id, str], Id | None] = FreshMemory(self._find_source)
        self._answers = IdempotentAnswers(parts.database)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is a problem document."""
        started_s = clock.monotonic_s()
        try:
            status, answer = await self._serve(scope, receive)
        except (PlatformError, StrictJsonError) as refusal:
            METRICS.count_accept("refused", clock.monotonic_s() - started_s)
            await send_problem(send, problem_of(refusal))
            return
        METRICS.count_accept("accepted", clock.monotonic_s() - started_s)
        await send_json(send, status, answer)

    async def _serve(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        headers = lower_headers(scope)
        principal = await authenticated(headers, self._parts.principals)
        if not allows(principal.role, Permission.MESSAGES_SEND):
            raise Forbidden("This key may not send events.")
        tenant = await chosen_tenant(principal, headers, self._parts.database)
        check_json_media_type(scope["headers"])
        body = decode_body(scope["headers"], await read_body(receive))
        async with self._answers.of(tenant, PATH, headers.get("idempotency-key"), body) as kept:
            if kept.answer is None:
                kept.answer = await self._accept(tenant, headers, body)
            return kept.answer

    async def _accept(
        self, tenant: TenantScope, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        await self._parts.writer.backlogs.refuse_when_full(tenant.tenant_id)
        parsed = read_json(body)
        if isinstance(parsed, list):
            return await self._batch(tenant, headers, _BATCH.decode(body))
        incoming = await self._incoming(tenant, headers, body, "")
        if isinstance(incoming, FieldError):
            raise Unprocessable(incoming.detail, code=incoming.code, errors=(incoming,))
        accepted = await self._parts.writer.accept(incoming)
        return (200 if accepted.is_duplicate else 202), _answer(accepted)

    async def _batch(
        self, tenant: TenantScope, headers: dict[str, str], raws: Sequence[msgspec.Raw]
    ) -> tuple[int, dict[str, Any]]:
        if not 1 <= len(raws) <= BATCH_MAX:
            raise Unprocessable(f"A batch holds 1 to {BATCH_MAX} events.", code="batch.size")
        read = [
            await self._incoming(tenant, headers, bytes(raw), f"/{place}")
            for place, raw in enumerate(raws)
        ]
        good = [one for one in read if isinstance(one, Incoming)]
        if not good:
            bad = tuple(one for one in read if isinstance(one, FieldError))
            raise Unprocessable("No event of this batch can be taken.", errors=bad[:50])
        accepted = iter(await self._parts.writer.accept_all(good))
        results = [
            _answer(next(accepted))
            if isinstance(one, Incoming)
            else {"code": one.code, "pointer": one.pointer, "detail": one.detail}
            for one in read
        ]
        return 202, {"results": results}

    async def _incoming(
        self, tenant: TenantScope, headers: dict[str, str], raw: bytes, pointer: str
    ) -> Incoming | FieldError:
        try:
            envelope = _ENVELOPE.decode(raw)
        except msgspec.ValidationError as misshapen:
            return FieldError(pointer, "event.envelope", _words(misshapen))
        fault = _envelope_fault(envelope, pointer)
        if fault is not None:
            return fault
        connection_id = await self._sources.get((tenant.tenant_id, envelope.source))
        if connection_id is None:
            return FieldError(
                f"{pointer}/source",
                "event.source_unknown",
                "`source` must be the name or id of one of this retailer's connections.",
            )
        trace = parse(envelope.traceparent) or parse(headers.get("traceparent", ""))
        return Incoming(
            tenant_id=tenant.tenant_id,
            connection_id=connection_id,
            topic=envelope.type,
            dedup=f"event|{envelope.id}",
            body=raw,
            trace_parent=trace or new_traceparent(),
        )

    async def _find_source(self, key: tuple[Id, str]) -> Id | None:
        tenant_id, source = key
        async with begin(TenantScope(tenant_id), self._parts.database) as session:
            found: Id | None = await session.fetch_value(
                "select id from connection where tenant_id = $1 and state <> 'disabled'"
                " and (name = $2 or id = $3)",
                tenant_id,
                source,
                parse_id(source),
            )
        return found


async def authenticated(headers: dict[str, str], principals: PrincipalCache) -> Principal:
    """Find whose key a request shows; raises Unauthorized for all causes alike."""
    scheme, _, text = headers.get("authorization", "").partition(" ")
    principal = await principals.authenticate(text.strip()) if scheme.lower() == "bearer" else None
    if principal is None:
        raise Unauthorized
    return principal


async def chosen_tenant(
    principal: Principal, headers: dict[str, str], database: Database
) -> TenantScope:
    """Give the retailer a request is about: the key's own, or the one `Tenant-Id` names."""
    named = headers.get("tenant-id")
    if named is None:
        if principal.tenant_id is None:
            raise Unprocessable(
                "This key reaches several retailers: name one in `Tenant-Id`.",
                code="tenant.not_named",
            )
        return TenantScope(principal.tenant_id, principal.actor)
    return await reach(principal, parse_id(named) or Id(int=0), database)


def _envelope_fault(envelope: _Envelope, pointer: str) -> FieldError | None:
    for name in ("id", "source", "type"):
        value: str = getattr(envelope, name)
        if not 1 <= len(value) <= TEXT_MAX or not value.isprintable():
            return FieldError(
                f"{pointer}/{name}",
                "event.envelope",
                f"`{name}` must be 1 to {TEXT_MAX} printable characters.",
            )
    if envelope.specversion != "1.0":
        return FieldError(f"{pointer}/specversion", "event.version", "`specversion` must be 1.0.")
    return None


def _words(fault: msgspec.ValidationError) -> str:
    """Say what is wrong without repeating any value."""
    return str(fault).split(" - at ", maxsplit=1)[0][:200]


def _answer(accepted: Accepted) -> dict[str, Any]:
    return {"id": str(accepted.message_id), "duplicate": accepted.is_duplicate}
