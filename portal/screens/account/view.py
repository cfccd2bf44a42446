"""The person's own sessions: see them, end them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from infra.errors import NotFound
from infra.ids import parse_id
from portal.door.viewer import Looker
from portal.page.going import go
from portal.page.render import page
from tenants.sign_in.sessions import end_session, list_sessions

routes = APIRouter(prefix="/account", include_in_schema=False)


@routes.get("")
async def account(request: Request, viewer: Looker) -> Response:
    """Show who is signed in and where."""
    sessions = await list_sessions(viewer.person_id, viewer.parts.database)
    return page(request, "account/page.html", {"sessions": sessions}, to=viewer)


@routes.post("/sessions/{session_id}/end")
async def end(viewer: Looker, session_id: str) -> Response:
    """End one of the person's own sessions at once."""
    known = parse_id(session_id)
    if known is None:
        raise NotFound
    await end_session(viewer.person_id, known, viewer.parts.database)
    return go("/account", "The session is ended.")
