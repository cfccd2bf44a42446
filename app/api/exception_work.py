"""Work on exceptions: who has one, what is said about it, its tags, and acts on many at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.body import body_as, takes
from app.api.caller import ExceptionDecider, ExceptionReader
from app.api.exception_shapes import (
    BulkAnswer,
    ExceptionShape,
    RemarkList,
    exception_of,
    preview_of,
    remarks_of,
    result_of,
)
from app.api.shapes import known_id
from app.api.work_requests import (
    AssignRequest,
    BulkRequest,
    CommentRequest,
    TagRequest,
    owner_of,
)
from app.exceptions.work.assign import Assignment, Tagging, assign_hold, tag_hold
from app.exceptions.work.bulk import run_bulk
from app.exceptions.work.remarks import list_remarks, remark_on_hold
from app.exceptions.work.selection import preview_bulk

routes = APIRouter(prefix="/v1/exceptions", tags=["exceptions"])


@routes.post("/bulk", summary="Act on many", openapi_extra=takes(BulkRequest))
async def act_on_many(
    caller: ExceptionDecider, request: Annotated[BulkRequest, Depends(body_as(BulkRequest))]
) -> BulkAnswer:
    """Release, discard, assign or tag at most 10,000 exceptions; `preview` says what it would do.

    Done in parts of 500: what was done stays done when the call ends early, and the same call again
    does the rest. Each record is refused or done by itself.
    """
    parts, actor = caller.parts, caller.scope.actor
    selection = request.selection(actor)
    if request.preview:
        return preview_of(
            await preview_bulk(caller.scope, parts.database, selection, decides=request.decides)
        )
    act = request.bulk_act(actor)
    return result_of(await run_bulk(caller.scope, parts.database, selection, act, parts.ring))


@routes.post(
    "/{exception_id}/assign", summary="Give it to somebody", openapi_extra=takes(AssignRequest)
)
async def assign_exception(
    caller: ExceptionDecider,
    exception_id: str,
    request: Annotated[AssignRequest, Depends(body_as(AssignRequest))],
) -> ExceptionShape:
    """Say who has it, and until when it is to be done."""
    assignment = Assignment(owner_of(request.owner, caller.scope.actor), request.due_at)
    return exception_of(
        await assign_hold(caller.scope, caller.parts.database, known_id(exception_id), assignment)
    )


@routes.post(
    "/{exception_id}/comment", summary="Say something", openapi_extra=takes(CommentRequest)
)
async def comment_exception(
    caller: ExceptionDecider,
    exception_id: str,
    request: Annotated[CommentRequest, Depends(body_as(CommentRequest))],
) -> RemarkList:
    """Add a remark; it is never changed or taken back."""
    hold_id = known_id(exception_id)
    return remarks_of(
        await remark_on_hold(caller.scope, caller.parts.database, hold_id, request.words)
    )


@routes.get("/{exception_id}/remarks", summary="Read what was said")
async def get_remarks(caller: ExceptionReader, exception_id: str) -> RemarkList:
    """Give the remarks on one exception."""
    return remarks_of(
        await list_remarks(caller.scope, caller.parts.database, known_id(exception_id))
    )


@routes.post("/{exception_id}/tag", summary="Tag it", openapi_extra=takes(TagRequest))
async def tag_exception(
    caller: ExceptionDecider,
    exception_id: str,
    request: Annotated[TagRequest, Depends(body_as(TagRequest))],
) -> ExceptionShape:
    """Give tags and take them away; at most 20 stay."""
    tagging = Tagging(tuple(request.add), tuple(request.remove))
    return exception_of(
        await tag_hold(caller.scope, caller.parts.database, known_id(exception_id), tagging)
    )
