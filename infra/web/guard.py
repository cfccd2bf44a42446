"""The first thing a request meets: host, size, time and sanity, before anything reads its meaning.

Pure ASGI, in front of the whole application and of the thin routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from infra.errors import NotFound, PlatformError
from infra.strict_json import StrictJsonError
from infra.web.asgi import App, Headers, Message, Receive, Scope, Send
from infra.web.faults import record_fault
from infra.web.forwarded import ForwardedRule, Networks
from infra.web.hosts import HostCheck, host_name, target_authority
from infra.web.problems import Problem, problem_of, send_problem
from infra.web.protocol import TARGET_EXTENSION

BodyLimit: TypeAlias = Callable[[Scope], int]

MESSAGE_BODY_BYTES = 1_048_576
FILE_BODY_BYTES = 52_428_800

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ALLOW = (b"allow", ", ".join(sorted(_METHODS)).encode())
_CLOSE = (b"connection", b"close")
# Everything but control characters; tab is allowed in a value (RFC 9110, section 5.5).
_CLEAN_VALUE = bytes(byte for byte in range(256) if (byte >= 32 and byte != 127) or byte == 9)  # noqa: PLR2004
# `tchar` of RFC 9110, section 5.6.2.
_CLEAN_NAME = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MAX_LENGTH_DIGITS = 18
_FIELD_OVERHEAD_BYTES = 4  # ": " and CR LF

_MALFORMED = Problem(400, "request.malformed", "The request is not well-formed HTTP.")
_WRONG_HOST = Problem(421, "request.wrong_host", "This host is not served here.")
_WRONG_METHOD = Problem(
    405, "request.method_not_allowed", "This method is not served here.", headers=(_ALLOW,)
)
_LONG_TARGET = Problem(414, "request.target_too_long", "The address is too long.")
_LARGE_HEADERS = Problem(
    431, "request.headers_too_large", "The header block is too large.", headers=(_CLOSE,)
)
_LARGE_BODY = Problem(413, "body.too_large", "The body is too large.", headers=(_CLOSE,))
_LATE_BODY = Problem(408, "body.too_slow", "The body did not arrive in time.", headers=(_CLOSE,))
_UNKNOWN_CODING = Problem(
    501, "request.not_supported", "Only chunked transfer coding is served.", headers=(_CLOSE,)
)


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What one request may use: bytes, fields and seconds for its whole body."""

    max_header_bytes: int = 16_384
    max_header_fields: int = 100
    max_target_bytes: int = 8_000
    body_deadline_s: float = 20.0


def limit_by_prefix(
    by_prefix: Mapping[str, int], default_bytes: int = MESSAGE_BODY_BYTES
) -> BodyLimit:
    """Make a body limit (bytes) by the beginning of the path; the first that fits wins."""
    table = tuple(by_prefix.items())

    def limit(scope: Scope) -> int:
        path: str = scope["path"]
        return next((size for prefix, size in table if path.startswith(prefix)), default_bytes)

    return limit


class WebGuard:
    """Refuse what is not for us, too large, too slow or malformed; answer every error in one form.

    hosts:       says which host names are served (`hosts.allow_hosts`)
    body_limit:  most bytes of a body as sent, by request
    trusted:     networks of proxies whose X-Forwarded-* fields are believed
    """

    def __init__(
        self,
        app: App,
        *,
        hosts: HostCheck,
        limits: WebLimits | None = None,
        body_limit: BodyLimit | None = None,
        trusted: Networks = (),
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._limits = limits or WebLimits()
        self._body_limit = body_limit or limit_by_prefix({"/v1/files": FILE_BODY_BYTES})
        self._forwarded = ForwardedRule(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; lifespan passes, anything else but HTTP is not served."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._request_fault(scope)
        if problem is not None:
            await send_problem(send, problem)
            return
        self._forwarded.apply(scope)
        max_bytes = self._body_limit(scope)
        body, problem = _announced_body(scope["headers"], max_bytes)
        if problem is not None:
            await send_problem(send, problem)
        elif body:
            exchange = _Exchange(receive, send, max_bytes, self._limits.body_deadline_s)
            await self._run(scope, exchange.receive, exchange.send, exchange)
        else:
            exchange = _Exchange(receive, send, 0, self._limits.body_deadline_s)
            await self._run(scope, receive, exchange.send, exchange)

    async def _run(self, scope: Scope, receive: Receive, send: Send, exchange: _Exchange) -> None:
        """Run the application; whatever it raises becomes an answer, once."""
        try:
            await self._app(scope, receive, send)
        except (PlatformError, StrictJsonError) as refused:
            await exchange.answer(problem_of(refused))
        except Exception as error:  # noqa: BLE001 - the boundary of a request
            if exchange.problem is None:
                failed = record_fault(error, scope["method"], _route(scope))
                await exchange.answer(failed)
        if exchange.problem is not None:
            await exchange.answer(exchange.problem)

    def _request_fault(self, scope: Scope) -> Problem | None:
        headers: Headers = scope["headers"]
        return (
            self._size_fault(scope, headers)
            or _sanity_fault(scope, headers)
            or self._host_fault(scope, headers)
        )

    def _size_fault(self, scope: Scope, headers: Headers) -> Problem | None:
        target_bytes = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if target_bytes > self._limits.max_target_bytes:
            return _LONG_TARGET
        header_bytes = sum(map(len, chain.from_iterable(headers)))
        header_bytes += _FIELD_OVERHEAD_BYTES * len(headers)
        is_large = header_bytes > self._limits.max_header_bytes
        return _LARGE_HEADERS if is_large or len(headers) > self._limits.max_header_fields else None

    def _host_fault(self, scope: Scope, headers: Headers) -> Problem | None:
        named = [value for name, value in headers if name == b"host"]
        host = host_name(named[0]) if len(named) == 1 else None
        if host is None:
            return _MALFORMED
        if not self._hosts(host):
            return _WRONG_HOST
        if scope.get("extensions") and TARGET_EXTENSION in scope["extensions"]:
            target = target_authority(scope["extensions"][TARGET_EXTENSION]["raw"])
            if target is None:
                return _MALFORMED
            return None if host_name(target) == host else _WRONG_HOST
        return None


class _Exchange:
    """One request and its answer: counts and times the body, and lets only one answer out.

    When a limit is broken while the application reads, the application sees a disconnect, what it
    still says is dropped, and the guard answers in its place.
    """

    __slots__ = ("_deadline_s", "_ends_at", "_is_started", "_is_whole", "_left", "_receive",
                 "_send", "problem")  # fmt: skip

    def __init__(self, receive: Receive, send: Send, max_bytes: int, deadline_s: float) -> None:
        self._receive = receive
        self._send = send
        self._left = max_bytes
        self._deadline_s = deadline_s
        self._ends_at: float | None = None
        self._is_whole = False
        self._is_started = False
        self.problem: Problem | None = None

    async def receive(self) -> Message:
        if self.problem is not None:
            return {"type": "http.disconnect"}
        if self._is_whole:
            return await self._receive()
        try:
            message = await self._next_part()
        except TimeoutError:
            return self._refuse(_LATE_BODY)
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)
            if self._left < 0:
                return self._refuse(_LARGE_BODY)
        return message

    async def send(self, message: Message) -> None:
        if self.problem is not None and not self._is_started:
            return
        self._is_started = True
        await self._send(message)

    async def answer(self, problem: Problem) -> None:
        """Answer in place of the application, unless an answer has begun."""
        if not self._is_started:
            self._is_started = True
            await send_problem(self._send, problem)

    async def _next_part(self) -> Message:
        loop = asyncio.get_running_loop()
        if self._ends_at is None:
            self._ends_at = loop.time() + self._deadline_s
        async with asyncio.timeout_at(self._ends_at):
            return await self._receive()

    def _refuse(self, problem: Problem) -> Message:
        self.problem = problem
        return {"type": "http.disconnect"}


def _sanity_fault(scope: Scope, headers: Headers) -> Problem | None:
    if scope["method"] not in _METHODS:
        return _WRONG_METHOD
    names, values = b"".join([name for name, _ in headers]), b"".join([v for _, v in headers])
    if names.translate(None, _CLEAN_NAME) or values.translate(None, _CLEAN_VALUE):
        return _MALFORMED
    # A NUL or a hidden separator in a path never names anything: the same answer as unknown.
    if "\x00" in scope["path"] or "\\" in scope["path"] or "/../" in f"{scope['path']}/":
        return problem_of(NotFound())
    return None


def _announced_body(headers: Headers, max_bytes: int) -> tuple[bool, Problem | None]:
    """Say whether a body comes, and what is wrong with how it is announced."""
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings:
        if lengths:
            return True, _MALFORMED
        return True, None if codings == [b"chunked"] else _UNKNOWN_CODING
    if not lengths:
        return False, None
    if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > _MAX_LENGTH_DIGITS:
        return True, _MALFORMED
    size_bytes = int(lengths[0])
    return size_bytes > 0, _LARGE_BODY if size_bytes > max_bytes else None


def _route(scope: Scope) -> str:
    """Name the route, not the path: a path may hold a token."""
    return str(getattr(scope.get("route"), "path", ""))
