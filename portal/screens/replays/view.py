"""Ask for a replay, see what it promises, start, approve or cancel it, and fetch its receipt."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response, StreamingResponse

from app.api.shapes import known_id
from app.exceptions.incidents.read import read_incident
from app.exceptions.replay.create import create_replay
from app.exceptions.replay.read import read_replay
from app.exceptions.replay.receipt import receipt_csv
from app.exceptions.replay.selection import Selection
from app.exceptions.replay.start import approve_replay, cancel_replay, start_replay
from portal.door.desk import Approver, Desk, Reader, Replayer
from portal.page.going import go
from portal.page.render import page
from portal.screens.replays.queries import listed, one

_ALL = "/r/{tenant_id}/replays"
_ONE = _ALL + "/{replay_id}"

Reason = Annotated[str, Form(min_length=3, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]

routes = APIRouter(include_in_schema=False)


@routes.get(_ALL)
async def replays(
    request: Request, desk: Reader, cursor: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """List replays."""
    return page(request, "replays/page.html", await listed(desk, cursor), to=desk)


@routes.get(_ALL + "/new")
async def ask(request: Request, desk: Replayer, incident: UUID) -> Response:
    """Ask why the records of an incident are to be replayed."""
    view = await read_incident(desk.scope, desk.parts.database, incident)
    return page(request, "replays/new.html", {"incident": view.incident}, to=desk)


@routes.post(_ALL)
async def preview(
    desk: Replayer,
    incident: Annotated[UUID, Form()],
    reason: Reason,
    mapping: Annotated[Literal["now", "as_then"], Form()] = "now",
) -> Response:
    """Write a replay down and have it previewed; nothing is sent."""
    wanted = Selection(incident=incident)
    made = await create_replay(desk.scope, desk.parts.database, wanted, mapping, reason)
    desk.parts.ring()
    return go(f"{desk.path}/replays/{made.id}")


@routes.get(_ONE)
async def replay(
    request: Request, desk: Reader, replay_id: str, show: Literal["", "differences"] = ""
) -> Response:
    """Show what a replay promises, and what happened beside it."""
    shown = await one(desk, known_id(replay_id), only_differences=bool(show))
    return page(request, "replays/one.html", shown, to=desk)


@routes.get(_ONE + "/receipt.csv")
async def receipt(desk: Reader, replay_id: str) -> Response:
    """Fetch the receipt, record by record."""
    found = await read_replay(desk.scope, desk.parts.database, known_id(replay_id))
    lines = receipt_csv(desk.scope, desk.parts.database, found.id)
    headers = {"content-disposition": 'attachment; filename="receipt.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@routes.post(_ONE + "/start")
async def start(desk: Replayer, replay_id: str) -> Response:
    """Let it run, or wait for the second person."""
    started = await start_replay(desk.scope, desk.parts.database, known_id(replay_id))
    desk.parts.ring()
    waits = started.state == "awaiting_approval"
    return _back(desk, replay_id, "A second person must approve it." if waits else "It runs.")


@routes.post(_ONE + "/approve")
async def approve(desk: Approver, replay_id: str) -> Response:
    """Let it run, as the second person."""
    await approve_replay(desk.scope, desk.parts.database, known_id(replay_id))
    desk.parts.ring()
    return _back(desk, replay_id, "Approved: it runs.")


@routes.post(_ONE + "/cancel")
async def cancel(desk: Replayer, replay_id: str) -> Response:
    """Stop what has not begun."""
    await cancel_replay(desk.scope, desk.parts.database, known_id(replay_id))
    return _back(desk, replay_id, "Cancelled: what had begun still goes to its end.")


def _back(desk: Desk, replay_id: str, done: str) -> Response:
    return go(f"{desk.path}/replays/{known_id(replay_id)}", done)
