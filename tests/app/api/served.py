"""The web process as it runs, on a free port of this machine: thin routes, guard, application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import uvicorn

from app.api.app import ApiParts, build_api
from app.connections.hooks import HookBook
from app.intake.events import EventParts, EventRoute
from app.intake.hooks import HookRoute
from app.processes.web import WebApp, _body_limit
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import Id
from infra.web.guard import WebGuard
from infra.web.hosts import allow_hosts
from infra.web.protocol import DoorLimits, guarded_protocol
from tenants.keys import create_key
from tenants.principal import PrincipalCache
from tenants.roles import Role
from tests.stage import Stage


@dataclass(slots=True)
class Served:
    """A running web process, how often it rang, and a client for it."""

    url: str
    client: httpx2.AsyncClient
    rings: list[None] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        key: str = "",
        *,
        tenant: Id | None = None,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> httpx2.Response:
        """Send one request under a key, about a retailer where the key reaches several."""
        sent = {"authorization": f"Bearer {key}"} if key else {}
        if tenant is not None:
            sent["tenant-id"] = str(tenant)
        sent.update(headers or {})
        return await self.client.request(method, self.url + path, headers=sent, **request)


@asynccontextmanager
async def serve(stage: Stage) -> AsyncIterator[Served]:
    """Serve the API of a stage until the block ends."""
    rings: list[None] = []
    principals = PrincipalCache(stage.database)
    app = WebApp(
        hooks=HookRoute(HookBook(stage.database), stage.connections, stage.writer),
        events=EventRoute(EventParts(stage.database, principals, stage.connections, stage.writer)),
        api=build_api(
            ApiParts(
                stage.database, stage.vault, principals, stage.files, lambda: rings.append(None)
            )
        ),
    )
    guarded = WebGuard(app, hosts=allow_hosts(["127.0.0.1"]), body_limit=_body_limit)
    server = uvicorn.Server(
        uvicorn.Config(
            guarded,
            host="127.0.0.1",
            port=0,
            http=guarded_protocol(DoorLimits(max_connections_per_address=0)),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
    async with asyncio.TaskGroup() as tasks, httpx2.AsyncClient(timeout=20) as client:
        serving = tasks.create_task(server._serve())
        while not server.started:
            if serving.done():
                raise AssertionError("the server did not start")
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}", client, rings)
        server.should_exit = True
        await serving


async def key_of(
    stage: Stage, role: Role, *, tenant_id: Id | None = None, partner_id: Id | None = None
) -> str:
    """Make a key of a role for one retailer, one partner, or the platform."""
    async with begin(OperatorScope("test"), stage.database) as session:
        made = await create_key(
            session,
            given_by=Role.OPERATOR,
            label="test",
            role=role,
            tenant_id=tenant_id,
            partner_id=partner_id,
        )
    return made.text
