"""A retailer's systems: how they are, what holds them back, pause and a link for a new credential."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from app.api.shapes import known_id
from app.connections.pause import pause_connection, resume_connection
from app.connections.reconnect import make_reconnect_link
from infra.database.unit import begin
from portal.door.desk import ConnectionManager, ConnectionReader, Desk
from portal.page.going import go
from portal.page.render import page
from portal.screens.connections.queries import listed, one

_ALL = "/r/{tenant_id}/connections"
_ONE = _ALL + "/{connection_id}"

Reason = Annotated[str, Form(min_length=3, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]

routes = APIRouter(include_in_schema=False)


@routes.get(_ALL)
async def connections(request: Request, desk: ConnectionReader) -> Response:
    """Show which system is ill."""
    return page(request, "connections/page.html", await listed(desk), to=desk)


@routes.get(_ONE)
async def connection(request: Request, desk: ConnectionReader, connection_id: str) -> Response:
    """Show one system: limits, outages, streams, changes."""
    shown = await one(desk, known_id(connection_id))
    return page(request, "connections/one.html", shown, to=desk)


@routes.post(_ONE + "/pause")
async def pause(desk: ConnectionManager, connection_id: str, reason: Reason) -> Response:
    """Send nothing more there; what comes is kept in order."""
    async with begin(desk.scope, desk.parts.database) as session:
        await pause_connection(session, known_id(connection_id), reason)
    return _back(desk, connection_id, "Paused: what comes for it is accepted and kept in order.")


@routes.post(_ONE + "/resume")
async def resume(desk: ConnectionManager, connection_id: str, reason: Reason) -> Response:
    """Let what waited go on, oldest first."""
    async with begin(desk.scope, desk.parts.database) as session:
        await resume_connection(session, known_id(connection_id), reason)
    desk.parts.ring()
    return _back(desk, connection_id, "Resumed: what waited goes out, oldest first.")


@routes.post(_ONE + "/link")
async def link(request: Request, desk: ConnectionManager, connection_id: str) -> Response:
    """Make a link by which the owner of the system gives a new credential; shown only now."""
    known = known_id(connection_id)
    async with begin(desk.scope, desk.parts.database) as session:
        made = await make_reconnect_link(session, known)
    host = f"{request.url.scheme}://{request.headers['host']}"
    shown = {**await one(desk, known), "link": host + made.path, "link_until": made.expires_at}
    return page(request, "connections/one.html", shown, to=desk)


def _back(desk: Desk, connection_id: str, done: str) -> Response:
    return go(f"{desk.path}/connections/{known_id(connection_id)}", done)
