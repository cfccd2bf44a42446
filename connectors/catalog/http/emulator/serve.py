"""The recording target on a port of this machine, with a console for whoever runs the show."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import msgspec

from connectors.catalog.http.emulator.faults import NAMES, Faults
from connectors.catalog.http.emulator.target import Reply, Target
from connectors.catalog.http.emulator.wire import Wire

CONSOLE_FAULTS = "/console/faults"
CONSOLE_COUNTS = "/console/counts"
CONSOLE_SECRETS = "/console/secrets"
# What was done under one key: the `lookup_path` of a connection is this with {key} at its end.
RECORDS = "/records/"

_WRITING = frozenset({"POST", "PUT", "PATCH"})
_UNKNOWN = Reply(404, b'{"title":"There is nothing here."}')


class Recorder:
    """A running recording target: `async with Recorder() as target:` then post to `target.url`.

    The port is free by choice of the system when it is 0. Everything it was told is in
    `target.book`; `target.faults` may be changed while it runs, also by POST to
    /console/faults, and its `secrets` by POST to /console/secrets.
    """

    def __init__(self, target: Target | None = None, *, port: int = 0) -> None:
        self.target = target or Target()
        self.port = port
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        """Give the address to post to, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Start to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._wire, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop at once, open connections too, and finish the log."""
        if self._server is not None:
            self._server.close()
        for transport in tuple(self._wires):
            transport.abort()
        self.target.book.close()

    def _wire(self) -> Wire:
        return Wire(self.handle, self.flush, self.delay_s, self._wires)

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer one request: the console under its paths, the target under every other."""
        if path == CONSOLE_COUNTS:
            return Reply(200, msgspec.json.encode(self._counts()))
        if path == CONSOLE_FAULTS:
            return self._change_faults(body) if method == "POST" else self._told_faults()
        if path == CONSOLE_SECRETS and method == "POST":
            return self._change_secrets(body)
        if method == "GET" and path.startswith(RECORDS):
            return self.target.show(unquote(path.removeprefix(RECORDS)))
        return self.target.take(headers, body) if method in _WRITING else _UNKNOWN

    def flush(self) -> None:
        """Bring new entries to the log."""
        self.target.book.flush()

    def delay_s(self) -> float:
        """Say how long answers are held back now."""
        return self.target.faults.delay_ms / 1000

    def _counts(self) -> dict[str, object]:
        book = self.target.book
        return {
            "requests": book.request_count,
            "effects": sum(book.effects.values()),
            "keys": len(book.effects),
            "answers": dict(book.counts),
        }

    def _change_faults(self, body: bytes) -> Reply:
        try:
            asked = msgspec.json.decode(body, type=dict[str, float])
            told = {name: asked[name] for name in NAMES if name in asked}
            self.target.faults = Faults(**{**asdict(self.target.faults), **told})
        except (msgspec.DecodeError, ValueError) as error:
            return Reply(400, msgspec.json.encode({"title": str(error)}))
        return self._told_faults()

    def _change_secrets(self, body: bytes) -> Reply:
        """Revoke what was exchanged before: only what one of these signed is taken from now on."""
        try:
            self.target.secrets = tuple(msgspec.json.decode(body, type=list[str]))
        except msgspec.DecodeError as error:
            return Reply(400, msgspec.json.encode({"title": str(error)}))
        return Reply(200, msgspec.json.encode({"secrets": len(self.target.secrets)}))

    def _told_faults(self) -> Reply:
        return Reply(200, msgspec.json.encode(asdict(self.target.faults)))
