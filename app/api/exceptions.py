"""What waits for a person: list, read, release, edit, discard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import ExceptionDecider, ExceptionReader, PayloadEditor
from app.api.decisions import DiscardRequest, EditRequest, ReleaseRequest
from app.api.exception_filter import FilterFields
from app.api.exception_shapes import (
    EditedShape,
    ExceptionPage,
    ExceptionShape,
    edited_of,
    exception_of,
)
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import known_id
from app.exceptions.content import Edit
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, edit_hold, preview_edit
from app.exceptions.hold import HoldSort, list_holds, read_hold
from app.exceptions.release import release_hold

# Each order has its own cursors: one of another list would begin anywhere.
_LISTS: dict[HoldSort, str] = {
    "newest": "exceptions",
    "age": "exceptions by age",
    "money": "exceptions by money",
    "deadline": "exceptions by deadline",
}

routes = APIRouter(prefix="/v1/exceptions", tags=["exceptions"])


@routes.get("", summary="List exceptions")
async def list_exceptions(
    caller: ExceptionReader,
    wanted: Annotated[FilterFields, Query()],
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> ExceptionPage:
    """Give what waits for a person, newest first; `state=any` also what was decided."""
    of_list = _LISTS[wanted.sort]
    sought = wanted.hold_filter(caller.scope.actor, before=read_cursor(of_list, cursor))
    holds = await list_holds(caller.scope, caller.parts.database, sought, limit + 1)
    page = holds[:limit]
    next_cursor = cursor_after(of_list, page[-1].id) if len(holds) > limit else None
    return ExceptionPage(items=[exception_of(hold) for hold in page], next_cursor=next_cursor)


@routes.get("/{exception_id}", summary="Read an exception")
async def get_exception(caller: ExceptionReader, exception_id: str) -> ExceptionShape:
    """Give one exception with its decision, if there is one."""
    hold = await read_hold(caller.scope, caller.parts.database, known_id(exception_id))
    return exception_of(hold)


@routes.post(
    "/{exception_id}/release",
    summary="Release as it is",
    openapi_extra=takes(ReleaseRequest, required=False),
)
async def release_exception(
    caller: ExceptionDecider,
    exception_id: str,
    request: Annotated[ReleaseRequest, Depends(body_as(ReleaseRequest, may_be_empty=True))],
) -> ExceptionShape:
    """Let it go on unchanged: a message is read again, a delivery is sent under its old key."""
    parts = caller.parts
    hold_id = known_id(exception_id)
    return exception_of(
        await release_hold(caller.scope, parts.database, hold_id, request.reason, parts.ring)
    )


@routes.post("/{exception_id}/edit", summary="Correct it", openapi_extra=takes(EditRequest))
async def edit_exception(
    caller: PayloadEditor,
    exception_id: str,
    request: Annotated[EditRequest, Depends(body_as(EditRequest))],
) -> EditedShape:
    """Store a corrected body or event beside the old one and let it go on; needs payloads.read.

    With `preview` it is only checked, and what would change is said.
    """
    parts = EditParts(caller.parts.database, caller.parts.vault, caller.parts.ring)
    edit = Edit(request.reason, request.content, request.event)
    act = preview_edit if request.preview else edit_hold
    edited = await act(caller.scope, parts, known_id(exception_id), edit)
    return edited_of(edited, is_preview=request.preview)


@routes.post("/{exception_id}/discard", summary="Give it up", openapi_extra=takes(DiscardRequest))
async def discard_exception(
    caller: ExceptionDecider,
    exception_id: str,
    request: Annotated[DiscardRequest, Depends(body_as(DiscardRequest))],
) -> ExceptionShape:
    """Let it reach nobody; cannot be undone, and the books say that a person decided so."""
    parts = caller.parts
    hold_id = known_id(exception_id)
    return exception_of(
        await discard_hold(caller.scope, parts.database, hold_id, request.reason, parts.ring)
    )
