"""What waits for a person: list, read, release, edit, discard."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from app.api.body import body_as, takes
from app.api.caller import ExceptionDecider, ExceptionReader, PayloadEditor
from app.api.decisions import DiscardRequest, EditRequest, ReleaseRequest
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import (
    Answer,
    MoneyShape,
    PositionShape,
    id_or_none,
    known_id,
    money_of,
    position_of,
)
from app.exceptions.content import Edit
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, edit_hold
from app.exceptions.hold import Hold, HoldFilter, HoldState, list_holds, read_hold
from app.exceptions.release import release_hold

_LIST = "exceptions"

routes = APIRouter(prefix="/v1/exceptions", tags=["exceptions"])


class ExceptionShape(Answer):
    """One record that waits, or waited, for a person."""

    id: str
    message_id: str
    delivery_id: str | None = Field(
        description="The delivery that one target refused; null when the message cannot be read."
    )
    connection_id: str = Field(description="The source of a message, the target of a delivery.")
    flow_id: str | None
    code: str = Field(description="Why, as `area.reason`.")
    pointer: str = Field(description="The field at fault.")
    words: str = Field(description="Why, in plain words, with the way out.")
    label: str = Field(description="What people call it.")
    position: PositionShape | None
    at_stake: MoneyShape | None = Field(description="The money in the record.")
    state: HoldState
    owner: str
    due_at: datetime | None
    reason: str = Field(description="Why it was decided so.")
    decided_by: str
    decided_at: datetime | None
    created_at: datetime


class ExceptionPage(Answer):
    """Exceptions, newest first."""

    items: list[ExceptionShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class ChangeShape(Answer):
    """One place that an edit changed; null where it is missing."""

    pointer: str = Field(description="JSON pointer, or `/line/n` of a text.")
    before: str | None
    after: str | None


class EditedShape(Answer):
    """The exception after an edit, and what the edit changed (at most 200 places)."""

    exception: ExceptionShape
    changes: list[ChangeShape]


@routes.get("", summary="List exceptions")
async def list_exceptions(
    caller: ExceptionReader,
    state: HoldState | Literal["any"] = "open",
    code: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = None,
    connection: Annotated[UUID | None, Query(description="Id of the connection.")] = None,
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> ExceptionPage:
    """Give what waits for a person, newest first; `state=any` also what was decided."""
    wanted = HoldFilter(
        None if state == "any" else state, code, connection, read_cursor(_LIST, cursor)
    )
    holds = await list_holds(caller.scope, caller.parts.database, wanted, limit + 1)
    page = holds[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(holds) > limit else None
    return ExceptionPage(items=[_shape(hold) for hold in page], next_cursor=next_cursor)


@routes.get("/{exception_id}", summary="Read an exception")
async def get_exception(caller: ExceptionReader, exception_id: str) -> ExceptionShape:
    """Give one exception with its decision, if there is one."""
    return _shape(await read_hold(caller.scope, caller.parts.database, known_id(exception_id)))


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
    return _shape(
        await release_hold(caller.scope, parts.database, hold_id, request.reason, parts.ring)
    )


@routes.post("/{exception_id}/edit", summary="Correct it", openapi_extra=takes(EditRequest))
async def edit_exception(
    caller: PayloadEditor,
    exception_id: str,
    request: Annotated[EditRequest, Depends(body_as(EditRequest))],
) -> EditedShape:
    """Store a corrected body or event beside the old one and let it go on; needs payloads.read."""
    parts = EditParts(caller.parts.database, caller.parts.vault, caller.parts.ring)
    edit = Edit(request.reason, request.content, request.event)
    edited = await edit_hold(caller.scope, parts, known_id(exception_id), edit)
    changes = [
        ChangeShape(pointer=each.pointer, before=each.before, after=each.after)
        for each in edited.changes
    ]
    return EditedShape(exception=_shape(edited.hold), changes=changes)


@routes.post("/{exception_id}/discard", summary="Give it up", openapi_extra=takes(DiscardRequest))
async def discard_exception(
    caller: ExceptionDecider,
    exception_id: str,
    request: Annotated[DiscardRequest, Depends(body_as(DiscardRequest))],
) -> ExceptionShape:
    """Let it reach nobody; cannot be undone, and the books say that a person decided so."""
    parts = caller.parts
    hold_id = known_id(exception_id)
    return _shape(
        await discard_hold(caller.scope, parts.database, hold_id, request.reason, parts.ring)
    )


def _shape(hold: Hold) -> ExceptionShape:
    same: dict[str, Any] = {
        name: getattr(hold, name)
        for name in (
            *("code", "pointer", "words", "label", "state", "owner", "due_at", "reason"),
            *("decided_by", "decided_at", "created_at"),
        )
    }
    return ExceptionShape(
        **same,
        id=str(hold.id),
        message_id=str(hold.message_id),
        delivery_id=id_or_none(hold.delivery_id),
        connection_id=str(hold.connection_id),
        flow_id=id_or_none(hold.flow_id),
        position=position_of(hold.position),
        at_stake=money_of(hold.amount, hold.currency),
    )
