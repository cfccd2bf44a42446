"""Raw servers on loopback that stand for targets of any temper, and for things never to be reached."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]

needs_second_loopback = pytest.mark.skipif(
    sys.platform == "darwin", reason="macOS answers on 127.0.0.1 only"
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class FakeTarget:
    """A running target: its port, the requests it read and the connections it holds."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/orders"

    @property
    def allow(self) -> frozenset[str]:
        return frozenset({f"127.0.0.1:{self.port}"})


@asynccontextmanager
async def running_target(
    script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[FakeTarget]:
    """Serve a script: called once per whole request; it writes (or breaks) the answer."""
    tasks: set[asyncio.Task[None]] = set()
    target = FakeTarget(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        target.writers.append(writer)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                target.requests.append(await _read_request(reader))
                await script(writer)
                await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    target.port = server.sockets[0].getsockname()[1]
    try:
        yield target
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    sizes = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
    return head + await reader.readexactly(sizes[0] if sizes else 0)


def answering(*chunks: bytes, then_close: bool = False) -> Script:
    """Answer every request with these bytes."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(chunks))
        if then_close:
            writer.close()

    return script


def answering_body(body: bytes, *headers: str, status: int = 200) -> Script:
    """Answer every request with a well-framed body."""
    fields = "".join(f"{each}\r\n" for each in headers)
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    return answering(head.encode(), body)


def trickling(start: bytes, piece: bytes, every_s: float = 0.02) -> Script:
    """Answer with a start and then with one more piece again and again, for ever."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_s)

    return script


class Canary:
    """Listens where no request may ever arrive; connections wait in the kernel until counted."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._sockets = sockets
        self.port = int(sockets[0].getsockname()[1])

    def hits(self) -> int:
        """Count the connections that arrived since the last count."""
        count = 0
        for listener in self._sockets:
            with suppress(BlockingIOError):
                while True:
                    listener.accept()[0].close()
                    count += 1
        return count

    def close(self) -> None:
        for listener in self._sockets:
            listener.close()


def listening_canary() -> Canary:
    """Listen on one port of 127.0.0.1, and of 127.0.0.2 and ::1 where the machine has them."""
    first = _listener(socket.AF_INET, "127.0.0.1", 0)
    port = int(first.getsockname()[1])
    sockets = [first]
    with suppress(OSError):
        sockets.append(_listener(socket.AF_INET, "127.0.0.2", port))
    with suppress(OSError):
        sockets.append(_listener(socket.AF_INET6, "::1", port))
    return Canary(sockets)


def _listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(256)
    listener.setblocking(False)
    return listener


class NameServer:
    """Answers look-ups from a table, one answer after the other; the last one stays."""

    def __init__(self, table: dict[str, list[list[str]]]) -> None:
        self._table = table
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._table.get(host.rstrip("."))
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def close(self) -> None:
        return None


class SilentNameServer:
    """Never answers."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    async def close(self) -> None:
        return None
