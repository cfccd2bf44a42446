"""A proxy between us and a real system that loses, doubles, breaks and delays chosen requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

Kind = Literal["drop_before", "drop_after", "hang", "status", "truncate", "dup"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HOP = re.compile(rb"\r\n(?:connection|keep-alive): [^\r]*", re.IGNORECASE)


@dataclass
class Fault:
    """What happens to the next `times` requests whose path and method match.

    drop_before: the system never sees it.      drop_after: the system did the work, no answer comes.
    hang: as drop_after, but the line stays open until the caller gives up.
    status: an error page instead.              truncate: the answer ends in the middle of its body.
    dup: the system gets the request twice, the caller the first answer.
    """

    kind: Kind
    path: str
    method: str = ""
    times: int = 1
    code: int = 503
    headers: str = ""


@dataclass
class FaultProxy:
    """An HTTP/1.1 proxy on a free port of 127.0.0.1; use it with `async with`."""

    upstream_port: int
    faults: list[Fault] = field(default_factory=list)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def add(self, kind: Kind, path: str, method: str = "", **options: int | str) -> Fault:
        """Plan a fault; `path` is a regular expression searched in path and query."""
        fault = Fault(kind, path, method, **options)  # type: ignore[arg-type]
        self.faults.append(fault)
        return fault

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._closing.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_message(reader)
            method, path, _ = request.split(b"\r\n", 1)[0].decode().split(" ", 2)
            fault = self._pick(method, path)
            if fault is not None:
                self.log.append((fault.kind, method, path))
            await self._answer(fault, request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _pick(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method in {"", method} and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None

    async def _answer(
        self, fault: Fault | None, request: bytes, writer: asyncio.StreamWriter
    ) -> None:
        if fault is not None and fault.kind == "drop_before":
            return
        if fault is not None and fault.kind == "status":
            head = f"HTTP/1.1 {fault.code} Injected\r\ncontent-length: 0\r\n{fault.headers}"
            writer.write(f"{head}connection: close\r\n\r\n".encode())
            await writer.drain()
            return
        answer = await self._forward(request)
        if fault is not None and fault.kind == "dup":
            await self._forward(request)
        if fault is not None and fault.kind == "hang":
            await self._closing.wait()
        if fault is not None and fault.kind in {"drop_after", "hang"}:
            return
        change: Callable[[bytes], bytes] = _halved if fault and fault.kind == "truncate" else bytes
        writer.write(change(answer))
        await writer.drain()

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        try:
            head, body = request.split(b"\r\n\r\n", 1)
            closing = _HOP.sub(b"", head) + b"\r\nConnection: close"
            writer.write(closing + b"\r\n\r\n" + body)
            await writer.drain()
            return await reader.read(-1)
        finally:
            writer.close()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def _halved(answer: bytes) -> bytes:
    head, body = answer.split(b"\r\n\r\n", 1)
    half = body[: len(body) // 2]
    return _LENGTH.sub(b"\r\nContent-Length: %d" % len(half), head) + b"\r\n\r\n" + half
