"""What waits for a person: list, export, one record, acts on one and on many."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response, StreamingResponse

from app.api.shapes import known_id
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, edit_hold, preview_edit
from app.exceptions.release import release_hold
from app.exceptions.work.assign import Assignment, assign_hold
from app.exceptions.work.remarks import remark_on_hold
from portal.door.desk import Decider, Desk, Editor, Reader
from portal.page.going import go
from portal.page.render import page
from portal.screens.exceptions.bulk import Act, Wanted, done, would
from portal.screens.exceptions.correction import correction
from portal.screens.exceptions.queries import detail, exported, listed
from portal.screens.exceptions.selection import asked

_LIST = "/r/{tenant_id}/exceptions"
_ONE = _LIST + "/{hold_id}"
_CLEAN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"

Reason = Annotated[str, Form(min_length=3, max_length=500, pattern=_CLEAN)]
Remark = Annotated[str, Form(min_length=1, max_length=4000, pattern=_CLEAN)]
Any500 = Annotated[str, Form(max_length=500, pattern=_CLEAN)]

routes = APIRouter(include_in_schema=False)


@routes.get(_LIST)
async def exceptions(
    request: Request,
    desk: Reader,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    opened: Annotated[str, Query(alias="open", max_length=40)] = "",
) -> Response:
    """List what waits; `open` names the record whose page stands beside the list."""
    shown = await listed(desk, asked(request.query_params), cursor)
    beside = await detail(desk, known_id(opened), with_content=False) if opened else None
    told = {**shown, **(beside or {}), "beside": beside is not None}
    return page(request, "exceptions/page.html", told, to=desk)


@routes.get(_LIST + ".csv")
async def export(request: Request, desk: Reader) -> Response:
    """Export exactly what the filter of the address finds."""
    lines = exported(desk, asked(request.query_params))
    headers = {"content-disposition": 'attachment; filename="exceptions.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@routes.post(_LIST + "/bulk")
async def bulk(  # noqa: PLR0913, PLR0917 - one parameter for each field of the form
    request: Request,
    desk: Decider,
    act: Annotated[Act, Form()],
    ids: Annotated[list[str], Form(max_length=10_000)] = [],  # noqa: B006 - never changed
    every: Annotated[str, Form(alias="all")] = "",
    reason: Any500 = "",
    owner: Any500 = "",
    sure: Annotated[str, Form()] = "",
) -> Response:
    """First say what an act would do, to how many and worth what; done once that is confirmed."""
    query = dict(request.query_params)
    wanted = Wanted(act, tuple(ids), bool(every), query, reason.strip(), owner.strip())
    if sure:
        return go(f"{desk.path}/exceptions?{asked(query).address()}", await done(desk, wanted))
    shown = {**await would(desk, wanted), "asked": asked(query)}
    return page(request, "exceptions/bulk.html", shown, to=desk)


@routes.get(_ONE)
async def exception(
    request: Request, desk: Reader, hold_id: str, content: Literal["", "1"] = ""
) -> Response:
    """Show one record; its content only on demand, which stands in the audit log."""
    shown = await detail(desk, known_id(hold_id), with_content=bool(content))
    return page(request, "exceptions/one.html", shown, to=desk)


@routes.post(f"{_ONE}/assign")
async def assign(desk: Decider, hold_id: str, owner: Any500 = "me") -> Response:
    """Say who has it."""
    named = desk.scope.actor if owner == "me" else owner.strip()
    await assign_hold(desk.scope, desk.parts.database, known_id(hold_id), Assignment(named))
    return _back(desk, hold_id, f"{named} has it now." if named else "Nobody has it now.")


@routes.post(f"{_ONE}/release")
async def release(desk: Decider, hold_id: str, reason: Any500 = "") -> Response:
    """Let it go on as it is."""
    known = known_id(hold_id)
    await release_hold(desk.scope, desk.parts.database, known, reason, desk.parts.ring)
    return _back(desk, hold_id, "Released: it is being sent again.")


@routes.post(f"{_ONE}/discard")
async def discard(desk: Decider, hold_id: str, reason: Reason) -> Response:
    """Give it up; the books say that a person decided so."""
    known = known_id(hold_id)
    await discard_hold(desk.scope, desk.parts.database, known, reason, desk.parts.ring)
    return _back(desk, hold_id, "Given up. The books say that you decided so.")


@routes.post(f"{_ONE}/comment")
async def comment(desk: Decider, hold_id: str, words: Remark) -> Response:
    """Leave a remark."""
    await remark_on_hold(desk.scope, desk.parts.database, known_id(hold_id), words)
    return _back(desk, hold_id, "Your remark stands beside it.")


@routes.post(f"{_ONE}/edit")
async def edit(
    request: Request,
    desk: Editor,
    hold_id: str,
    content: Annotated[str, Form(max_length=500_000)],
    reason: Reason,
    sure: Annotated[str, Form()] = "",
) -> Response:
    """First show what a correction would change; stored and sent once that is confirmed."""
    known = known_id(hold_id)
    parts = EditParts(desk.parts.database, desk.parts.vault, desk.parts.ring)
    wanted = await correction(desk, known, content, reason)
    if sure:
        await edit_hold(desk.scope, parts, known, wanted)
        return _back(desk, hold_id, "Corrected: the new content goes on, the old one is kept.")
    edited = await preview_edit(desk.scope, parts, known, wanted)
    shown = {"hold": edited.hold, "changes": edited.changes, "content": content, "reason": reason}
    return page(request, "exceptions/correct.html", shown, to=desk)


def _back(desk: Desk, hold_id: str, done_words: str) -> Response:
    return go(f"{desk.path}/exceptions/{known_id(hold_id)}", done_words)
