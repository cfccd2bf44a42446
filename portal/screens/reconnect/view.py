"""Show what a reconnect link asks for, and take it; the link itself is the key."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import SecretStr

from app.connections.reconnect import read_link, use_link
from infra.errors import PlatformError
from portal.door.origin import refuse_foreign_origin
from portal.look.brand import Brand, brand_of
from portal.page.render import open_page
from portal.parts import PortalParts
from tenants.sign_in.hosts import front_of_host

_PATH = "/reconnect/{token}"
_FIELD = "credential."

routes = APIRouter(include_in_schema=False)


@routes.get(_PATH)
async def asked(request: Request, token: str) -> Response:
    """Say whose system it is and which credentials are asked for; none is shown."""
    return await _page(request, token, None)


@routes.post(_PATH, dependencies=[Depends(refuse_foreign_origin)])
async def given(request: Request, token: str) -> Response:
    """Store the credentials, once; after a refusal the link stays good."""
    parts: PortalParts = request.app.state.parts
    form = await request.form()
    values = {
        name.removeprefix(_FIELD): SecretStr(value)
        for name, value in form.items()
        if name.startswith(_FIELD) and isinstance(value, str)
    }
    try:
        await use_link(token, values, parts.database, parts.vault, parts.ring)
    except PlatformError as refusal:
        return await _page(request, token, refusal)
    return open_page(request, "reconnect/done.html", {}, await _brand(request))


async def _page(request: Request, token: str, refusal: PlatformError | None) -> Response:
    parts: PortalParts = request.app.state.parts
    link = await read_link(token, parts.database)
    shown = {"link": link, "token": token, "problem": refusal.detail if refusal else ""}
    status = refusal.status if refusal else 200
    return open_page(request, "reconnect/page.html", shown, await _brand(request), status)


async def _brand(request: Request) -> Brand | None:
    parts: PortalParts = request.app.state.parts
    front = await front_of_host(request.url.hostname or "", parts.database)
    return brand_of(front.name, front.brand) if front else None
