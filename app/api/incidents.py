"""Incidents: troubles of one cause taken as one; and the same cause at many retailers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import DirectoryReader, ExceptionDecider, ExceptionReader
from app.api.incident_shapes import (
    AssignIncidentRequest,
    CommentIncidentRequest,
    IncidentCommentShape,
    IncidentDetail,
    IncidentGroupList,
    IncidentPage,
    IncidentRecordPage,
    IncidentShape,
    ResolveIncidentRequest,
    SnoozeIncidentRequest,
    detail_shape,
    group_shape,
    incident_shape,
    record_shape,
)
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import known_id
from app.exceptions.incidents.assign import Assignment, assign_incident
from app.exceptions.incidents.comment import comment_incident
from app.exceptions.incidents.groups import list_groups
from app.exceptions.incidents.read import (
    IncidentFilter,
    Shown,
    list_incidents,
    read_incident,
)
from app.exceptions.incidents.records import Shown as ShownRecords
from app.exceptions.incidents.records import list_records
from app.exceptions.incidents.resolve import resolve_incident
from app.exceptions.incidents.snooze import snooze_incident

_LIST, _RECORDS = "incidents", "incident records"
_CLASS = r"^[a-z_]{1,40}$"

routes = APIRouter(prefix="/v1", tags=["incidents"])


@routes.get("/incidents", summary="List incidents")
async def list_all_incidents(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    caller: ExceptionReader,
    state: Shown = "open",
    severity: Annotated[int | None, Query(ge=0, le=3, description="This severity or more.")] = None,
    owner: Annotated[str | None, Query(max_length=200)] = None,
    error_class: Annotated[str | None, Query(alias="class", pattern=_CLASS)] = None,
    connection: Annotated[UUID | None, Query(description="Id of the connection.")] = None,
    snoozed: Annotated[bool | None, Query(description="Only snoozed ones, or only others.")] = None,
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> IncidentPage:
    """Give incidents by money at risk times urgency; `state=any` also those that are over."""
    wanted = IncidentFilter(
        state, severity, owner, error_class, connection, snoozed, read_cursor(_LIST, cursor)
    )
    found = await list_incidents(caller.scope, caller.parts.database, wanted, limit + 1)
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return IncidentPage(items=[incident_shape(each) for each in page], next_cursor=next_cursor)


@routes.get("/incidents/{incident_id}", summary="Read an incident")
async def get_incident(caller: ExceptionReader, incident_id: str) -> IncidentDetail:
    """Give one incident with samples, history and what to do first."""
    return detail_shape(
        await read_incident(caller.scope, caller.parts.database, known_id(incident_id))
    )


@routes.get("/incidents/{incident_id}/records", summary="List the records of an incident")
async def list_incident_records(
    caller: ExceptionReader,
    incident_id: str,
    state: ShownRecords = "open",
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> IncidentRecordPage:
    """Give what is held because of it, newest first; `state=any` also what was decided."""
    found = await list_records(
        caller.scope,
        caller.parts.database,
        known_id(incident_id),
        state,
        read_cursor(_RECORDS, cursor),
        limit + 1,
    )
    page = found[:limit]
    next_cursor = cursor_after(_RECORDS, page[-1].id) if len(found) > limit else None
    return IncidentRecordPage(items=[record_shape(each) for each in page], next_cursor=next_cursor)


@routes.post(
    "/incidents/{incident_id}/assign",
    summary="Say who is on it",
    openapi_extra=takes(AssignIncidentRequest, required=False),
)
async def assign(
    caller: ExceptionDecider,
    incident_id: str,
    request: Annotated[
        AssignIncidentRequest, Depends(body_as(AssignIncidentRequest, may_be_empty=True))
    ],
) -> IncidentShape:
    """Give it an owner; without a body the caller takes it. Its records follow."""
    wanted = Assignment(request.owner, request.due_at)
    return incident_shape(
        await assign_incident(caller.scope, caller.parts.database, known_id(incident_id), wanted)
    )


@routes.post(
    "/incidents/{incident_id}/comment",
    summary="Leave a remark",
    openapi_extra=takes(CommentIncidentRequest),
)
async def comment(
    caller: ExceptionDecider,
    incident_id: str,
    request: Annotated[CommentIncidentRequest, Depends(body_as(CommentIncidentRequest))],
) -> IncidentCommentShape:
    """Add a remark to its history."""
    made = await comment_incident(
        caller.scope, caller.parts.database, known_id(incident_id), request.words
    )
    return IncidentCommentShape(id=str(made))


@routes.post(
    "/incidents/{incident_id}/snooze",
    summary="Leave it in peace",
    openapi_extra=takes(SnoozeIncidentRequest),
)
async def snooze(
    caller: ExceptionDecider,
    incident_id: str,
    request: Annotated[SnoozeIncidentRequest, Depends(body_as(SnoozeIncidentRequest))],
) -> IncidentShape:
    """Snooze it until a moment within 30 days; it goes on being counted."""
    return incident_shape(
        await snooze_incident(
            caller.scope, caller.parts.database, known_id(incident_id), request.until
        )
    )


@routes.post(
    "/incidents/{incident_id}/resolve",
    summary="Close it",
    openapi_extra=takes(ResolveIncidentRequest),
)
async def resolve(
    caller: ExceptionDecider,
    incident_id: str,
    request: Annotated[ResolveIncidentRequest, Depends(body_as(ResolveIncidentRequest))],
) -> IncidentShape:
    """Close it by hand; refused while records are held or wait."""
    return incident_shape(
        await resolve_incident(
            caller.scope, caller.parts.database, known_id(incident_id), request.words
        )
    )


@routes.get("/incident-groups", summary="List causes across retailers")
async def list_incident_groups(
    caller: DirectoryReader,
    error_class: Annotated[str | None, Query(alias="class", pattern=_CLASS)] = None,
    limit: Limit = LIMIT_USUAL,
) -> IncidentGroupList:
    """Give open causes at all retailers that the key reaches, or at the one that is named."""
    groups = await list_groups(
        caller.scope, caller.parts.database, error_class=error_class, limit=limit
    )
    return IncidentGroupList(items=[group_shape(each) for each in groups])
