"""Causes over all retailers; one retailer's incidents, and what people do about them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from app.api.shapes import known_id
from app.exceptions.incidents.assign import Assignment, assign_incident
from app.exceptions.incidents.comment import comment_incident
from app.exceptions.incidents.read import Shown
from app.exceptions.incidents.resolve import resolve_incident
from app.exceptions.incidents.snooze import snooze_incident
from infra import clock
from portal.door.desk import Decider, Desk, Reader
from portal.door.viewer import WideLooker
from portal.page.going import go
from portal.page.render import page
from portal.screens.incidents.queries import SNOOZES, causes, of_retailer, one

_CLEAN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
_ALL = "/r/{tenant_id}/incidents"
_ONE = _ALL + "/{incident_id}"

Words = Annotated[str, Form(min_length=1, max_length=2000, pattern=_CLEAN)]
Owner = Annotated[str, Form(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]

routes = APIRouter(include_in_schema=False)


@routes.get("/incidents")
async def all_causes(
    request: Request, viewer: WideLooker, owner: Literal["", "me"] = ""
) -> Response:
    """Show causes at all retailers."""
    shown = await causes(viewer, only_mine=owner == "me")
    return page(request, "incidents/causes.html", shown, to=viewer)


@routes.get(_ALL)
async def incidents(
    request: Request,
    desk: Reader,
    state: Shown = "open",
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Show one retailer's incidents."""
    return page(request, "incidents/page.html", await of_retailer(desk, state, cursor), to=desk)


@routes.get(_ONE)
async def incident(request: Request, desk: Reader, incident_id: str) -> Response:
    """Show why, since which change, who is hit, and what was done."""
    return page(request, "incidents/one.html", await one(desk, known_id(incident_id)), to=desk)


@routes.post(f"{_ONE}/assign")
async def assign(desk: Decider, incident_id: str, owner: Owner = "") -> Response:
    """Say who is on it: `me`, a name, or nobody."""
    named = desk.scope.actor if owner == "me" else owner.strip()
    known = known_id(incident_id)
    await assign_incident(desk.scope, desk.parts.database, known, Assignment(named))
    return _back(desk, incident_id, f"{named} is on it now." if named else "Nobody is on it now.")


@routes.post(f"{_ONE}/snooze")
async def snooze(desk: Decider, incident_id: str, until: Annotated[str, Form()] = "") -> Response:
    """Leave it in peace for a while, or look at it again."""
    words, length = SNOOZES.get(until, ("", None))
    moment = clock.now() + length if length else None
    await snooze_incident(desk.scope, desk.parts.database, known_id(incident_id), moment)
    return _back(desk, incident_id, f"Left in peace {words}." if words else "Looked at again.")


@routes.post(f"{_ONE}/comment")
async def comment(desk: Decider, incident_id: str, words: Words) -> Response:
    """Leave a remark."""
    await comment_incident(desk.scope, desk.parts.database, known_id(incident_id), words)
    return _back(desk, incident_id, "Your remark stands in the history.")


@routes.post(f"{_ONE}/resolve")
async def resolve(desk: Decider, incident_id: str, words: Words) -> Response:
    """Close it; refused while records are held or wait."""
    await resolve_incident(desk.scope, desk.parts.database, known_id(incident_id), words)
    return _back(desk, incident_id, "The incident is closed.")


def _back(desk: Desk, incident_id: str, done: str) -> Response:
    return go(f"{desk.path}/incidents/{known_id(incident_id)}", done)
