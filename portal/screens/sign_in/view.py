"""Sign in, accept an invitation, enter by a link, sign out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from infra.errors import PlatformError
from portal.door.cookies import drop_session, set_session
from portal.door.origin import refuse_foreign_origin
from portal.door.viewer import Looker
from portal.look.brand import Brand
from portal.page.going import go, own_path
from portal.page.render import open_page
from portal.parts import PortalParts
from portal.screens.sign_in.queries import first_page, front_brand, new_factor, shown_factor
from tenants.sign_in.enter import Chosen, Knock, accept_invitation, sign_in
from tenants.sign_in.links import Kind, enter_by_link, read_link
from tenants.sign_in.sessions import end_session

_FromHere = Depends(refuse_foreign_origin)
_TEXT_MOST = 300

routes = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=_TEXT_MOST)]


@routes.get("/")
async def first(viewer: Looker) -> RedirectResponse:
    """Go to where this person begins."""
    return go(first_page(viewer))


@routes.get("/sign-in")
async def sign_in_page(request: Request) -> Response:
    """Ask for address, password and code."""
    return await _knock_page(request, "", 200)


@routes.post("/sign-in", dependencies=[_FromHere])
async def knock(request: Request, email: Text, password: Text, code: Text) -> Response:
    """Let the person in, or say in one sentence that something was not right."""
    parts: PortalParts = request.app.state.parts
    network = request.client.host if request.client else ""
    knocked = Knock(email, password, code, network, _browser(request))
    try:
        token = await sign_in(knocked, parts.database, parts.vault)
    except PlatformError as refusal:
        return await _knock_page(request, refusal.detail, refusal.status, email)
    answer = go(own_path(request.query_params.get("next", "/")))
    set_session(request, answer, token)
    return answer


@routes.get("/invitation/{token}")
async def invitation(request: Request, token: str) -> Response:
    """Ask an invited person to choose a password and a second factor."""
    return await _invitation_page(request, token, new_factor())


@routes.post("/invitation/{token}", dependencies=[_FromHere])
async def accept(
    request: Request, token: str, password: Text, secret: Text, code: Text
) -> Response:
    """Store what was chosen and let the person in."""
    parts: PortalParts = request.app.state.parts
    chosen = Chosen(password, secret, code, _browser(request))
    try:
        cookie = await accept_invitation(token, chosen, parts.database, parts.vault)
    except PlatformError as refusal:
        return await _invitation_page(request, token, secret, refusal)
    answer = go("/", "Welcome. Your password and your second factor are set.")
    set_session(request, answer, cookie)
    return answer


@routes.get("/enter/{token}")
async def enter_page(request: Request, token: str) -> Response:
    """Say whom a sign-in link lets in; opening it changes nothing."""
    shown, brand = await _invited(request, token, "sign_in")
    return open_page(request, "sign_in/enter.html", shown, brand)


@routes.post("/enter/{token}", dependencies=[_FromHere])
async def enter(request: Request, token: str) -> Response:
    """Let the person of a sign-in link in, once."""
    parts: PortalParts = request.app.state.parts
    cookie = await enter_by_link(token, _browser(request), parts.database)
    answer = go("/")
    set_session(request, answer, cookie)
    return answer


@routes.post("/sign-out")
async def sign_out(request: Request, viewer: Looker) -> Response:
    """End this session everywhere."""
    await end_session(viewer.person_id, viewer.session_id, viewer.parts.database)
    answer = go("/sign-in", "You are signed out.")
    drop_session(request, answer)
    return answer


async def _knock_page(request: Request, problem: str, status: int, email: str = "") -> Response:
    shown = {
        "problem": problem,
        "email": email,
        "then": own_path(request.query_params.get("next", "/")),
    }
    brand = await front_brand(request)
    return open_page(request, "sign_in/page.html", shown, brand, status)


async def _invitation_page(
    request: Request, token: str, secret: str, refusal: PlatformError | None = None
) -> Response:
    shown, brand = await _invited(request, token, "invitation")
    shown |= shown_factor(secret, shown["invited"].email, brand.name if brand else "")
    shown["problem"] = refusal.detail if refusal else ""
    status = refusal.status if refusal else 200
    return open_page(request, "sign_in/invitation.html", shown, brand, status)


async def _invited(request: Request, token: str, kind: Kind) -> tuple[dict[str, Any], Brand | None]:
    parts: PortalParts = request.app.state.parts
    invited = await read_link(token, kind, parts.database)
    brand = await front_brand(request, invited.partner_id)
    return {"invited": invited, "token": token, "problem": ""}, brand


def _browser(request: Request) -> str:
    return request.headers.get("user-agent", "")
