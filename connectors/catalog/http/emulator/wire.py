"""HTTP/1.1 as the recording target speaks it: keep-alive, pipelining, no chunks, bounded sizes.

Written by hand because a benchmark of our engine must not measure the target: one request costs
some 30 microseconds here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from connectors.catalog.http.emulator.target import Reply

MAX_HEAD_BYTES = 16_384
MAX_BODY_BYTES = 2_097_152

# method, path, headers (names in lower case), body
Handler = Callable[[str, str, dict[str, str], bytes], Reply]

_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 409: "Conflict"}
_END = b"\r\n\r\n"
_BAD = Reply(400, b'{"title":"This is not HTTP/1.1 as understood here."}')


class Unreadable(Exception):
    """The bytes are no request this target takes."""


class Wire(asyncio.Protocol):
    """One connection: cuts requests out of the stream and writes answers in their order."""

    def __init__(
        self,
        handle: Handler,
        after: Callable[[], None],
        delay_s: Callable[[], float],
        open_wires: set[asyncio.Transport],
    ) -> None:
        self._handle = handle
        self._after = after
        self._delay_s = delay_s
        self._open_wires = open_wires
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        # A TCP connection gives one; uvloop's has the methods but not the class.
        self._transport = cast("asyncio.Transport", transport)
        self._open_wires.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the caller."""
        self._drop()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        self._work()

    def _work(self) -> None:
        try:
            while not self._is_waiting and self._transport is not None:
                request = _cut(self._buffer)
                if request is None:
                    break
                self._reply(self._handle(*request))
        except Unreadable:
            self._write(_BAD)
            if self._transport is not None:
                self._transport.close()
        self._after()

    def _reply(self, reply: Reply) -> None:
        delay_s = self._delay_s()
        if reply.seen == "hung":
            # The caller's own timeout ends this.
            self._is_waiting = True
        elif delay_s > 0:
            self._is_waiting = True
            asyncio.get_running_loop().call_later(delay_s, self._resume, reply)
        else:
            self._send(reply)

    def _resume(self, reply: Reply) -> None:
        self._is_waiting = False
        self._send(reply)
        self._work()

    def _send(self, reply: Reply) -> None:
        if reply.seen == "lost":
            if self._transport is not None:
                self._transport.abort()
            self._drop()
        else:
            self._write(reply)

    def _drop(self) -> None:
        if self._transport is not None:
            self._open_wires.discard(self._transport)
        self._transport = None

    def _write(self, reply: Reply) -> None:
        if self._transport is not None:
            self._transport.write(written(reply))


def written(reply: Reply) -> bytes:
    """Write an answer as HTTP/1.1."""
    extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
    head = (
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Answer')}\r\n"
        f"content-type: application/json\r\n{extra}content-length: {len(reply.body)}\r\n\r\n"
    )
    return head.encode("latin-1") + reply.body


def _cut(buffer: bytearray) -> tuple[str, str, dict[str, str], bytes] | None:
    """Take one complete request off the front of the buffer; None while more must come."""
    end = buffer.find(_END)
    if end < 0:
        if len(buffer) > MAX_HEAD_BYTES:
            raise Unreadable
        return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    headers = _headers(lines)
    size_bytes = _body_size(headers)
    start = end + len(_END)
    if len(buffer) < start + size_bytes:
        return None
    body = bytes(buffer[start : start + size_bytes])
    del buffer[: start + size_bytes]
    method, _, rest = first.partition(" ")
    return method, rest.partition(" ")[0], headers, body


def _headers(lines: list[str]) -> dict[str, str]:
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


def _body_size(headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise Unreadable
    told = headers.get("content-length", "0")
    if not (told.isascii() and told.isdecimal()) or int(told) > MAX_BODY_BYTES:
        raise Unreadable
    return int(told)
