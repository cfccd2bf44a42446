"""The web process: thin routes in front of the application, one group-commit writer behind both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from app.api.app import ApiParts, build_api
from app.connections.hooks import HookBook
from app.intake.events import PATH, EventParts, EventRoute
from app.intake.files import FileParts
from app.intake.folder import FolderWatch
from app.intake.group_commit import IntakeWriter
from app.intake.hooks import PREFIX, HookRoute
from app.processes.floor import Floor, open_floor
from app.processes.signals import until_signal
from app.processes.start import start_process
from infra.bell import Bell, open_broker
from infra.egress.own import policy_of
from infra.settings import EgressSettings, RedisSettings, WebSettings, load
from infra.telemetry.events import log_event
from infra.web.asgi import App, Receive, Scope, Send
from infra.web.guard import FILE_BODY_BYTES, MESSAGE_BODY_BYTES, WebGuard
from infra.web.hosts import allow_hosts
from infra.web.protocol import DoorLimits, guarded_protocol
from tenants.principal import PrincipalCache

# Pages for people, built on the floor by the package above; it wakes the workers by ringing.
Screens = Callable[[Floor, Callable[[], None]], App]

# What the machine API answers; every other path is a page, where there are pages.
_OF_MACHINES = ("/v1/", "/problems/")
_OF_BOTH = "/reconnect/"
_FOR_MACHINES = frozenset({"/livez", "/readyz", "/metrics", "/openapi.json"})

# The strictest vendor hangs up after 5 s; a database that stalls must turn into 503 before that.
STATEMENT_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class WebApp:
    """Routes a request to a thin route or to the application."""

    hooks: App
    events: App
    api: App
    pages: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith(PREFIX):
                await self.hooks(scope, receive, send)
                return
            if path == PATH and scope["method"] == "POST":
                await self.events(scope, receive, send)
                return
            if self.pages is not None and not _is_for_machines(scope):
                await self.pages(scope, receive, send)
                return
        await self.api(scope, receive, send)


@asynccontextmanager
async def open_web(
    floor: Floor, bell: Bell, screens: Screens | None = None
) -> AsyncIterator[tuple[App, IntakeWriter]]:
    """Build the application on a floor, with its writer running, behind the guard."""
    settings = load(WebSettings)
    writer = IntakeWriter(floor.database, floor.vault, bell.ring)
    principals = PrincipalCache(floor.database)
    app = WebApp(
        hooks=HookRoute(HookBook(floor.database), floor.connections, writer),
        events=EventRoute(EventParts(floor.database, principals, floor.connections, writer)),
        api=build_api(
            ApiParts(
                database=floor.database,
                vault=floor.vault,
                principals=principals,
                files=FileParts(floor.database, floor.connections, writer),
                ring=bell.ring,
                policy=policy_of(load(EgressSettings), settings),
            )
        ),
        pages=screens(floor, bell.ring) if screens is not None else None,
    )
    guarded = WebGuard(
        app,
        hosts=allow_hosts(settings.allowed_hosts),
        body_limit=_body_limit,
        trusted=settings.trusted_proxies,
    )
    async with asyncio.TaskGroup() as tasks:
        flusher = tasks.create_task(writer.run())
        yield guarded, writer
        flusher.cancel()


def _is_for_machines(scope: Scope) -> bool:
    """Say whether the machine API answers; a reconnect link is a page for whoever reads pages."""
    path: str = scope["path"]
    if path.startswith(_OF_BOTH):
        return not any(
            name == b"accept" and b"text/html" in value for name, value in scope["headers"]
        )
    return path in _FOR_MACHINES or path.startswith(_OF_MACHINES)


def _body_limit(scope: Scope) -> int:
    """Give the most bytes of a body: files may be larger than messages."""
    is_file = scope["path"].startswith("/v1/connections/") and "/files/" in scope["path"]
    return FILE_BODY_BYTES if is_file else MESSAGE_BODY_BYTES


async def run_web(folder: Path | None = None, screens: Screens | None = None) -> None:
    """Serve until SIGTERM or SIGINT; `folder` is the root of watched folders, if any.

    `screens` builds the pages for people; without it only machines are answered.
    """
    start_process()
    settings = load(WebSettings)
    broker = open_broker(load(RedisSettings).redis_url.get_secret_value())
    async with AsyncExitStack() as stack:
        floor = await stack.enter_async_context(
            open_floor("web", statement_timeout_s=STATEMENT_TIMEOUT_S)
        )
        bell = stack.enter_context(Bell(broker))
        app, writer = await stack.enter_async_context(open_web(floor, bell, screens))
        stop = stack.enter_context(until_signal())
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=settings.bind_host,
                port=settings.bind_port,
                http=guarded_protocol(
                    DoorLimits(
                        max_connections_per_address=settings.max_connections_per_address,
                        header_deadline_s=settings.header_deadline_s,
                    )
                ),
                loop="uvloop",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_keep_alive=int(settings.idle_deadline_s),
                server_header=False,
                proxy_headers=False,
            )
        )
        log_event("web.started", port=settings.bind_port)
        await _serve(server, stop, floor, writer, folder)
    log_event("web.stopped")


async def _serve(
    server: uvicorn.Server,
    stop: asyncio.Event,
    floor: Floor,
    writer: IntakeWriter,
    folder: Path | None,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        watching = None
        if folder is not None:
            parts = FileParts(floor.database, floor.connections, writer)
            watching = tasks.create_task(FolderWatch(folder, parts).run())
        # `serve` would take the signals for itself; the process has one handler for all its parts.
        serving = tasks.create_task(server._serve())  # noqa: SLF001
        await stop.wait()
        server.should_exit = True
        if watching is not None:
            watching.cancel()
        await serving
