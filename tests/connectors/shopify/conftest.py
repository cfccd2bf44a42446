"""A running emulated shop, a shop that answers from a script, and a transport that reaches both."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest
import uvicorn
from aiohttp import web

from connectors.catalog.shopify.emulator import ShopState, app
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent


class QuietServer(uvicorn.Server):
    """A server inside the test process, which keeps its own signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class TestTransport:
    """What the engine gives a connector, without its budgets: one host, one token, real sockets."""

    __test__ = False

    base_url: str
    session: aiohttp.ClientSession
    token: str = "emulated-access-token"
    calls: list[Call] = field(default_factory=list)
    before: Callable[[Call], None] = lambda call: None

    async def request(self, call: Call) -> Answer:
        self.before(call)
        self.calls.append(call)
        started = time.monotonic()
        headers = {**call.headers, "x-shopify-access-token": self.token}
        url = self.base_url + call.path
        try:
            async with self.session.request(
                call.method, url, data=call.body, headers=headers
            ) as answer:
                body = await answer.read()
        except aiohttp.ClientConnectorError as fault:
            raise NotSent("target.unreachable", "The shop cannot be reached.", 3.0) from fault
        except aiohttp.ClientError as fault:
            raise AnswerLost("The answer did not come.") from fault
        took_ms = int((time.monotonic() - started) * 1000)
        return Answer(answer.status, lower(answer.headers), body, took_ms)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def state() -> ShopState:
    return ShopState(seed=7, retry_s=0.0)


@pytest.fixture
async def shop(state: ShopState, session: aiohttp.ClientSession) -> AsyncIterator[TestTransport]:
    """Serve the emulated shop on a free port of 127.0.0.1."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app(state), log_level="critical", lifespan="on")
    server = QuietServer(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listening]))
        yield TestTransport(f"http://127.0.0.1:{listening.getsockname()[1]}", session)
        server.should_exit = True


@dataclass
class Script:
    """Answers to give, one after the other: status, body, headers."""

    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    transport: TestTransport = field(init=False)

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        status, body, headers = self.answers.pop(0)
        return web.Response(status=status, body=body, headers=headers)


@pytest.fixture
async def script(session: aiohttp.ClientSession) -> AsyncIterator[Script]:
    """Serve scripted answers on a free port of 127.0.0.1."""
    scripted = Script()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", scripted.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    scripted.transport = TestTransport(f"http://127.0.0.1:{listening.getsockname()[1]}", session)
    yield scripted
    await runner.cleanup()


@dataclass
class Receiver:
    """Where webhooks arrive: what came, and the statuses to answer first (then 200)."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: asyncio.Queue[tuple[dict[str, str], bytes]] = field(default_factory=asyncio.Queue)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self.received.put((lower(request.headers), body))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Serve a webhook address on a free port of 127.0.0.1."""
    receiving = Receiver()
    application = web.Application()
    application.router.add_post("/hook", receiving.take)
    runner = web.AppRunner(application)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    receiving.url = f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
    yield receiving
    await runner.cleanup()
