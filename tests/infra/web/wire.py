"""A real server on 127.0.0.1 with the guard in front, and raw sockets to talk to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from infra.errors import NotFound
from infra.settings import WebSettings
from infra.strict_json import read_object
from infra.web.asgi import App, Receive, Scope, Send
from infra.web.guard import WebGuard, WebLimits, limit_by_prefix
from infra.web.hosts import allow_hosts
from infra.web.server import server_config

MEGABYTE = 1_048_576
HOST = "api.example.com"


@dataclass(frozen=True)
class Answer:
    """One raw HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


class Probe:
    """The application behind the guard: says what it saw and remembers every request."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.disconnected = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                step = (await receive())["type"]
                await send({"type": f"{step}.complete"})
            return
        self.seen.append(scope["path"])
        if scope["path"] == "/missing":
            raise NotFound
        if scope["path"] == "/fault":
            raise RuntimeError("secret-canary-in-an-exception")
        body = b"" if scope["path"] == "/unread" else await self._body(receive)
        if scope["path"] == "/json":
            read_object(body)
        await self._tell(scope, body, send)

    async def _body(self, receive: Receive) -> bytes:
        body, has_more = b"", True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected.set()
                return body
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        return body

    async def _tell(self, scope: Scope, body: bytes, send: Send) -> None:
        said = {
            "path": scope["path"],
            "client": scope["client"][0],
            "scheme": scope["scheme"],
            "names": [name.decode() for name, _ in scope["headers"]],
            "body_bytes": len(body),
        }
        answer = json.dumps(said).encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@contextmanager
def serving(
    app: App,
    *,
    settings: WebSettings | None = None,
    limits: WebLimits | None = None,
    trusted: tuple[Any, ...] = (),
) -> Iterator[int]:
    """Run a guarded server in a thread and give its port."""
    guard = WebGuard(
        app,
        hosts=allow_hosts((HOST, "*.shops.example", "[::1]")),
        limits=limits,
        body_limit=limit_by_prefix({"/v1/files": 50 * MEGABYTE}),
        trusted=trusted,
    )
    config = server_config(guard, settings or WebSettings(max_connections_per_address=0))
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


def connect(port: int) -> socket.socket:
    """Open a raw connection with a limit of 15 s on every read."""
    return socket.create_connection(("127.0.0.1", port), timeout=15)


def read_answer(connection: socket.socket) -> Answer | None:
    """Read one answer; None when the server closed without one."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65_536)
        if not part:
            return None
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
    while len(body) < int(headers.get("content-length", "0")):
        part = connection.recv(65_536)
        if not part:
            break
        body += part
    return Answer(int(line.split(" ")[1]), headers, body)


def exchange(port: int, raw: bytes) -> Answer:
    """Send raw bytes over a fresh connection and read the one answer that must come."""
    with connect(port) as connection:
        connection.sendall(raw)
        answer = read_answer(connection)
    assert answer is not None
    return answer


def is_closed(connection: socket.socket) -> bool:
    """Wait until the server ends the connection."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionError:
        return True
    return True


def request(
    method: str = "GET",
    target: str = "/",
    headers: tuple[str, ...] = (f"Host: {HOST}",),
    body: bytes = b"",
) -> bytes:
    """Write a request with exactly these header lines."""
    lines = [f"{method} {target} HTTP/1.1", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
