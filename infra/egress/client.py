"""The one outbound HTTP client: checked addresses, total deadline, capped answers, honest failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.client_middlewares import ClientHandlerType

from infra import clock
from infra.egress.attempt import Attempt, current_attempt
from infra.egress.bodies import read_body
from infra.egress.connector import CheckedConnector
from infra.egress.errors import EgressAnswerLost, EgressFailure, EgressNotSent
from infra.egress.guard import refuse_inside_transaction
from infra.egress.headers import DECODABLE, check_call, read_headers
from infra.egress.policy import EgressPolicy
from infra.egress.protocol import MAX_HEAD_BYTES, HeadTooLarge
from infra.egress.resolver import Resolver, SystemResolver
from infra.egress.urls import parse_url

DEFAULT_TIMEOUT_S = 20.0
DEFAULT_MAX_BODY_BYTES = 65_536

# A body is written in pieces, so that a large one does not hold the loop.
_WRITE_BYTES = 65_536
# Room for chunk framing and trailers around a body at its cap.
_FRAMING_FACTOR = 4
_FRAMING_ROOM_BYTES = 1_048_576
# Neutral: no product name ever reaches a retailer's systems.
_OWN_HEADERS = {"Accept": "*/*", "Accept-Encoding": DECODABLE, "User-Agent": "integration/1"}


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One request to the outside; `timeout_s` covers look-up, connecting, sending and the answer.

    `max_body_bytes` caps the decoded body of the answer.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    timeout_s: float = DEFAULT_TIMEOUT_S
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class OutboundAnswer:
    """What came back: any final status; header names in lower case; body decoded and capped.

    `is_body_complete` is false when the body was cut at the cap or could not be decoded.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_ms: int
    is_body_complete: bool


class EgressClient:
    """Sends requests for the whole process; one pool, safe for use by many tasks at once.

    Redirects are answers, cookies are forgotten, proxies and .netrc of the environment are ignored,
    and no request is ever repeated: whether to repeat is the caller's decision.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        per_host_limit: int = 64,
        total_limit: int = 512,
        resolver: Resolver | None = None,
    ) -> None:
        self._policy = policy
        self._per_host_limit = per_host_limit
        self._total_limit = total_limit
        self._resolver = resolver or SystemResolver()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; calling twice is safe."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def request(self, r: OutboundRequest) -> OutboundAnswer:
        """Send one request and read its answer.

        Raises: EgressRefused (never sent, by rule), EgressNotSent (nothing left), EgressAnswerLost
                (something left); RuntimeError while a database transaction is open.
        """
        refuse_inside_transaction()
        check_call(r.method, r.headers)
        target = parse_url(r.url)
        self._policy.check_target(target)
        attempt = Attempt(target, _FRAMING_FACTOR * r.max_body_bytes + _FRAMING_ROOM_BYTES)
        token = current_attempt.set(attempt)
        try:
            async with asyncio.timeout(r.timeout_s):
                return await self._exchange(r, attempt)
        except TimeoutError:
            raise _too_late(attempt, r.timeout_s) from None
        finally:
            current_attempt.reset(token)

    async def _exchange(self, r: OutboundRequest, attempt: Attempt) -> OutboundAnswer:
        started_s = clock.monotonic_s()
        try:
            response = await self._opened().request(
                r.method,
                attempt.target.url,
                headers=_headers_to_send(r),
                data=_body_to_send(r.body),
                allow_redirects=False,
            )
            try:
                encoding = response.headers.get("Content-Encoding", "")
                body = await read_body(response.content, encoding, r.max_body_bytes)
            finally:
                # After a whole body the connection is in the pool already; otherwise it must end.
                response.close()
        except aiohttp.ClientError as fault:
            raise _lost(attempt, fault) from None
        took_ms = round((clock.monotonic_s() - started_s) * 1000)
        headers = read_headers(response.raw_headers)
        return OutboundAnswer(response.status, headers, body.content, took_ms, body.is_complete)

    def _opened(self) -> aiohttp.ClientSession:
        """Give the session, made within the running loop at first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=CheckedConnector(
                    self._policy,
                    self._resolver,
                    per_host_limit=self._per_host_limit,
                    total_limit=self._total_limit,
                ),
                headers=_OWN_HEADERS,
                skip_auto_headers=("Content-Type",),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None),
                auto_decompress=False,
                max_line_size=MAX_HEAD_BYTES,
                max_field_size=MAX_HEAD_BYTES,
                trust_env=False,
                middlewares=(_send_once,),
            )
        return self._session


async def _send_once(
    request: aiohttp.ClientRequest, send: ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating PUT, DELETE and GET by itself after a connection broke."""
    try:
        return await send(request)
    except (aiohttp.ClientConnectionError, HeadTooLarge) as fault:
        raise _lost(current_attempt.get(), fault) from None


def _headers_to_send(r: OutboundRequest) -> dict[str, str]:
    headers = dict(r.headers)
    if len(r.body) > _WRITE_BYTES:
        headers["Content-Length"] = str(len(r.body))
    return headers


def _body_to_send(body: bytes) -> bytes | AsyncIterator[bytes] | None:
    if len(body) > _WRITE_BYTES:
        return _pieces(body)
    return body or None


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _WRITE_BYTES):
        yield body[start : start + _WRITE_BYTES]


def _too_late(attempt: Attempt, timeout_s: float) -> EgressFailure:
    host = attempt.target.host
    if attempt.has_left:
        return EgressAnswerLost("target.deadline", f"{host} did not answer in {timeout_s:g} s.")
    return EgressNotSent("target.unreachable", f"{host} was not reached in {timeout_s:g} s.")


def _lost(attempt: Attempt, fault: Exception) -> EgressFailure:
    """Name how an answer was lost; library texts may hold the URL and are left out."""
    host = attempt.target.host
    if not attempt.has_left:
        return EgressNotSent("target.unreachable", f"{host} accepts no connection.")
    if isinstance(fault, HeadTooLarge):
        return EgressAnswerLost("target.head_too_large", f"{host} sent more than 32 KB of headers.")
    return EgressAnswerLost("target.answer_lost", f"{host} broke off before a whole answer.")
