"""The portal as it runs, on a free port of this machine, over a stage's real records."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

import httpx2
import uvicorn

from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import Id, new_id
from infra.web.guard import WebGuard
from infra.web.hosts import allow_hosts
from infra.web.protocol import DoorLimits, guarded_protocol
from portal.app import build_portal
from portal.parts import PortalParts, read_assets
from tenants.people import Place, ensure_person, give_role
from tenants.sign_in.links import make_link
from tests.stage import Stage

_TOKEN = re.compile(r'name="_form" value="([0-9a-f]{64})"')


@dataclass(slots=True)
class Browser:
    """One person's browser without script: keeps its cookie and sends forms as a page would."""

    url: str
    client: httpx2.AsyncClient
    form: str = ""

    async def get(self, path: str) -> httpx2.Response:
        """Open a page."""
        answer = await self.client.get(self.url + path)
        found = _TOKEN.search(answer.text)
        self.form = found[1] if found else self.form
        return answer

    async def post(
        self, path: str, data: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        """Send a form from a page of this portal; `headers` override what a browser would say."""
        said = {"origin": self.url, "sec-fetch-site": "same-origin"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            self.url + path, data={"_form": self.form, **(data or {})}, headers=said
        )


@dataclass(slots=True)
class Portal:
    """A running portal."""

    url: str
    stage: Stage
    rings: list[None] = field(default_factory=list)
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    def stranger(self) -> Browser:
        """Open a browser in which nobody is signed in."""
        client = httpx2.AsyncClient(timeout=20, follow_redirects=False)
        self.clients.append(client)
        return Browser(self.url, client)

    async def link_for(
        self, role: str, place: Place, email: str = "", name: str = "Pat Doe"
    ) -> str:
        """Make a person of a role and a sign-in link for it."""
        return await link_for(self.stage, role, place, email, name)

    async def person(
        self, role: str, *, partner_id: Id | None = None, tenant_id: Id | None = None
    ) -> Browser:
        """Open a browser in which somebody of this role is signed in."""
        path = await self.link_for(role, Place(partner_id, tenant_id))
        browser = self.stranger()
        answer = await browser.post(path)
        assert answer.status_code == 303, answer.text
        await browser.get("/account")
        return browser


async def link_for(
    stage: Stage, role: str, place: Place, email: str = "", name: str = "Pat"
) -> str:
    """Make a person of a role and a sign-in link for it."""
    async with begin(OperatorScope("test"), stage.database) as session:
        address = email or f"p-{new_id().hex}@shop.example"
        person = await ensure_person(session, address, name)
        await give_role(session, person.id, role, place, given_by="operator")
        made = await make_link(session, person.id, "sign_in", timedelta(minutes=10))
    return made.path


@asynccontextmanager
async def serve_portal(stage: Stage) -> AsyncIterator[Portal]:
    """Serve the portal of a stage until the block ends."""
    rings: list[None] = []
    parts = PortalParts(
        stage.database, stage.vault, stage.connections, lambda: rings.append(None), read_assets()
    )
    guarded = WebGuard(build_portal(parts), hosts=allow_hosts(["127.0.0.1", "*.example"]))
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
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server._serve())
        while not server.started:
            if serving.done():
                raise AssertionError("the server did not start")
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        portal = Portal(f"http://127.0.0.1:{port}", stage, rings)
        try:
            yield portal
        finally:
            for client in portal.clients:
                await client.aclose()
            server.should_exit = True
            await serving


def words_of(answer: httpx2.Response) -> str:
    """Give the text of a page without its tags, spaces folded."""
    text = re.sub(r"<(script|style)[\s\S]*?</\1>|<[^>]+>", " ", answer.text)
    return " ".join(unescape(text).split())
