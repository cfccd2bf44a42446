"""The load generator: a process of its own, raw sockets, requests made before the clock starts.

Run by the benchmark with a specification (JSON) on standard input; answers with JSON.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from typing import cast

import msgspec
from uvicorn.loops.auto import auto_loop_factory

from connectors.sdk.signatures import sign_standard

NANOSECONDS = 1_000_000_000


class Door(msgspec.Struct, frozen=True):
    """Where one retailer's events go: a path with a signing secret, or a path with an API key."""

    path: str
    secret: str = ""
    api_key: str = ""


class Load(msgspec.Struct, frozen=True):
    """What to send: `count` events over `lanes` per door, as fast as answered or at a rate (per s).

    `prefix` keeps the events of several loads apart; `times` is a file for the moments of sending.
    """

    port: int
    doors: tuple[Door, ...]
    count: int
    prefix: str
    connections: int = 64
    lanes: int = 40
    rate_per_s: float = 0.0
    times: str = ""


class Result(msgspec.Struct, frozen=True):
    """What came of it; latencies are from the moment a request was due to its whole answer."""

    seconds: float
    answered: int
    accepted: int
    per_s: float
    p50_ms: float
    p99_ms: float


_LINES = ",".join(
    f'{{"line_id":"{n}","sku":"SKU-{n:03}","title":"Lambswool scarf, heather grey, number {n}",'
    '"quantity":"1","unit_price":"20.00","net":"20.00","gross":"20.00"}'
    for n in range(1, 9)
)
# About 1.5 KB, as an order of eight lines is.
_BODY = (
    '{"specversion":"1.0","id":"%(id)s","source":"orders","type":"retail.order.placed.v1",'
    '"time":"2026-11-20T10:00:00Z","objectversion":"%(version)d","data":{"order_id":"%(lane)s",'
    '"number":"%(lane)s","kind":"web","currency":"USD","placed_at":"2026-11-20T10:00:00+00:00",'
    '"total":"160.00","lines":[' + _LINES + "]}}"
)


def event_names(load: Load) -> list[tuple[str, int, Door]]:
    """Name the events of a load: lane, version and door; neighbours are of different doors."""
    width = len(load.doors) * load.lanes
    return [
        (
            f"{load.prefix}-{number % width:06}",
            number // width + 1,
            load.doors[number % len(load.doors)],
        )
        for number in range(load.count)
    ]


def request(lane: str, version: int, door: Door) -> bytes:
    """Write one whole request."""
    name = f"{lane}-{version}"
    body = (_BODY % {"id": name, "version": version, "lane": lane}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    if door.secret:
        headers |= sign_standard(door.secret, name, int(time.time()), body)
    else:
        headers["authorization"] = f"Bearer {door.api_key}"
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    return f"POST {door.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n".encode() + body


class Sender(asyncio.Protocol):
    """One keep-alive connection: sends the next request when the last was answered."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._due_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready for a request."""
        self._transport = cast("asyncio.Transport", transport)
        self._crowd.idle.append(self)

    def send(self, request: bytes, due_s: float) -> None:
        """Send one request that was due at a moment."""
        self._due_s = due_s
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take an answer when it is whole."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(rest) < int(length):
            return
        self._buffer = b""
        self._crowd.answered(self, time.perf_counter() - self._due_s, head[9:12])

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that goes away ends the measurement: nothing here should close one."""
        self._transport = None
        self._crowd.lost += 1


class Crowd:
    """All connections; hands out requests as answers come, or as they are due."""

    def __init__(self, load: Load, requests: list[bytes]) -> None:
        self.idle: deque[Sender] = deque()
        self.lost = 0
        self.sent_ns: list[int] = []
        self._load = load
        self._requests = requests
        self._next = 0
        self._latencies_s: list[float] = []
        self._accepted = 0
        self._done = asyncio.Event()

    async def run(self) -> Result:
        """Send everything and wait for the last answer."""
        loop = asyncio.get_running_loop()
        for _ in range(self._load.connections):
            await loop.create_connection(lambda: Sender(self), "127.0.0.1", self._load.port)
        started_s = time.perf_counter()
        if self._load.rate_per_s:
            await self._paced(started_s)
        else:
            while self.idle and self._next < len(self._requests):
                self._send(self.idle.popleft(), time.perf_counter())
        await self._done.wait()
        return self._result(time.perf_counter() - started_s)

    def answered(self, sender: Sender, latency_s: float, status: bytes) -> None:
        """Note one answer and go on."""
        self._latencies_s.append(latency_s)
        self._accepted += status in (b"202", b"200")
        if len(self._latencies_s) == len(self._requests):
            self._done.set()
        elif not self._load.rate_per_s and self._next < len(self._requests):
            self._send(sender, time.perf_counter())
        else:
            self.idle.append(sender)

    async def _paced(self, started_s: float) -> None:
        while self._next < len(self._requests):
            due = int((time.perf_counter() - started_s) * self._load.rate_per_s) + 1
            while self._next < min(due, len(self._requests)) and self.idle:
                due_s = started_s + self._next / self._load.rate_per_s
                self._send(self.idle.popleft(), due_s)
            await asyncio.sleep(0.001)

    def _send(self, sender: Sender, due_s: float) -> None:
        self.sent_ns.append(time.time_ns() - int((time.perf_counter() - due_s) * NANOSECONDS))
        sender.send(self._requests[self._next], due_s)
        self._next += 1

    def _result(self, seconds: float) -> Result:
        ordered = sorted(self._latencies_s)
        return Result(
            seconds=seconds,
            answered=len(ordered),
            accepted=self._accepted,
            per_s=self._accepted / seconds,
            p50_ms=ordered[len(ordered) // 2] * 1000,
            p99_ms=ordered[int(len(ordered) * 0.99)] * 1000,
        )


def main() -> None:
    """Read what to send, send it, say what came of it."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    names = event_names(load)
    requests = [request(*name) for name in names]
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        crowd = Crowd(load, requests)
        result = runner.run(crowd.run())
    if load.times:
        moments = [
            (lane, version, at_ns)
            for (lane, version, _), at_ns in zip(names, crowd.sent_ns, strict=True)
        ]
        with open(load.times, "wb") as file:  # noqa: PTH123 - a name that came as text
            file.write(msgspec.json.encode(moments))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
