"""Names of a retailer's objects in its systems: list, bind, end, rename, merge, split."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from app.api.body import body_as, takes
from app.api.caller import ConnectionManager, ConnectionReader
from app.api.decisions import CLEAN, Reason
from app.api.paging import LIMIT_USUAL, Limit
from app.api.shapes import Answer, Moment, Request, known_id
from app.identities.bind import bind_name, end_binding, make_identity, rename_object
from app.identities.bindings import ALWAYS, Kind, Name
from app.identities.history import meanings
from app.identities.merge import merge_identities, split_identity
from app.identities.search import names_today
from app.identities.store import EXTERNAL_ID_MAX, Grounds
from infra import clock
from infra.database.unit import begin

routes = APIRouter(prefix="/v1/names", tags=["names"])

_TEXT = StringConstraints(min_length=1, max_length=EXTERNAL_ID_MAX, pattern=CLEAN)
ExternalId = Annotated[str, _TEXT]
InQuery = Annotated[str, Query(max_length=EXTERNAL_ID_MAX, pattern=CLEAN)]


class NameShape(Answer):
    """What one name means today."""

    connection_id: str
    kind: Kind
    external_id: str
    object_id: str
    number: str = Field(description="Our number of it, as events and stock say it.")
    label: str
    valid_from: datetime


class NamePage(Answer):
    """Names of a system today, in their order."""

    items: list[NameShape]
    next_after: str | None = Field(description="Give it as `after` to go on.")


class MeaningShape(Answer):
    """What a name meant from one moment until just before another (null: still)."""

    object_id: str
    label: str
    merged_into: str | None
    valid_from: datetime
    valid_to: datetime | None
    confidence: str
    reason: str
    created_by: str
    ended_by: str | None


class MeaningPage(Answer):
    """All that a name ever meant, oldest first."""

    items: list[MeaningShape]


class NameRequest(Request):
    """A name in one system."""

    connection_id: UUID
    kind: Kind = "variant"
    external_id: ExternalId
    reason: Reason


class BindRequest(NameRequest):
    """Let a name mean an object from a moment on."""

    object_id: UUID | None = Field(default=None, description="Without one a new one is made.")
    label: Annotated[str, StringConstraints(max_length=200, pattern=CLEAN)] = ""
    since: Moment | None = Field(default=None, description="Since ever, if it is left out.")


class EndNameRequest(NameRequest):
    """Let a name mean nothing any more."""

    at: Moment | None = Field(default=None, description="Now, if it is left out.")


class RenameRequest(EndNameRequest):
    """Let an object be called otherwise."""

    new_external_id: ExternalId


class MergeRequest(Request):
    """Say that two objects are one."""

    into: UUID
    at: Moment | None = None
    reason: Reason


class SplitRequest(Request):
    """Say that an object is two: some of its names mean a new one."""

    connection_id: UUID
    kind: Kind = "variant"
    external_ids: Annotated[list[ExternalId], Field(min_length=1, max_length=100)]
    at: Moment | None = None
    reason: Reason


class ObjectAnswer(Answer):
    """The object that a name means now."""

    object_id: str


@routes.get("", summary="List names of a system")
async def list_names(
    caller: ConnectionReader,
    connection: Annotated[UUID, Query(description="Id of the connection.")],
    kind: Kind = "variant",
    after: InQuery = "",
    limit: Limit = LIMIT_USUAL,
) -> NamePage:
    """Give what a system calls things today, with our numbers."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await names_today(session, connection, kind, after, limit + 1)
    items = [
        NameShape(
            connection_id=str(each.connection_id),
            kind=each.kind,
            external_id=each.external_id,
            object_id=str(each.identity_id),
            number=each.number,
            label=each.label,
            valid_from=each.valid_from,
        )
        for each in found[:limit]
    ]
    return NamePage(items=items, next_after=items[-1].external_id if len(found) > limit else None)


@routes.get("/meanings", summary="Show what a name meant")
async def show_meanings(
    caller: ConnectionReader,
    connection: Annotated[UUID, Query(description="Id of the connection.")],
    external_id: InQuery,
    kind: Kind = "variant",
) -> MeaningPage:
    """Give all that a name ever meant; nothing for a name that never meant anything."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await meanings(session, Name(connection, kind, external_id))
    return MeaningPage(
        items=[
            MeaningShape(
                object_id=str(each.identity_id),
                label=each.label,
                merged_into=str(each.merged_into) if each.merged_into else None,
                valid_from=each.valid_from,
                valid_to=each.valid_to,
                confidence=str(each.confidence_0_1),
                reason=each.reason,
                created_by=each.created_by,
                ended_by=each.ended_by,
            )
            for each in found
        ]
    )


@routes.post("", summary="Bind a name", openapi_extra={**takes(BindRequest), "x-refusals": (409,)})
async def bind_one(
    caller: ConnectionManager, request: Annotated[BindRequest, Depends(body_as(BindRequest))]
) -> ObjectAnswer:
    """Let a name mean an object; what waits for it goes on by itself within ten seconds."""
    name = _name(request)
    async with begin(caller.scope, caller.parts.database) as session:
        object_id = request.object_id or await make_identity(
            session, name.kind, request.label, name.external_id
        )
        since = request.since or ALWAYS
        await bind_name(session, name, object_id, Grounds(request.reason), since)
    return ObjectAnswer(object_id=str(object_id))


@routes.post(
    "/end", summary="End a name", openapi_extra={**takes(EndNameRequest), "x-refusals": (409,)}
)
async def end_one(
    caller: ConnectionManager,
    request: Annotated[EndNameRequest, Depends(body_as(EndNameRequest))],
) -> MeaningPage:
    """Let a name mean nothing any more; what happened before stays as it was."""
    async with begin(caller.scope, caller.parts.database) as session:
        await end_binding(session, _name(request), request.at or clock.now(), request.reason)
    return await show_meanings(caller, request.connection_id, request.external_id, request.kind)


@routes.post(
    "/rename",
    summary="Rename an object",
    openapi_extra={**takes(RenameRequest), "x-refusals": (409,)},
)
async def rename_one(
    caller: ConnectionManager, request: Annotated[RenameRequest, Depends(body_as(RenameRequest))]
) -> MeaningPage:
    """Let an object be called otherwise from a moment on."""
    old = _name(request)
    new = Name(old.connection_id, old.kind, request.new_external_id)
    async with begin(caller.scope, caller.parts.database) as session:
        await rename_object(session, old, new, request.at or clock.now(), request.reason)
    return await show_meanings(caller, new.connection_id, new.external_id, new.kind)


@routes.post(
    "/objects/{object_id}/merge",
    summary="Merge two objects",
    openapi_extra={**takes(MergeRequest), "x-refusals": (409,)},
)
async def merge_objects(
    caller: ConnectionManager,
    object_id: str,
    request: Annotated[MergeRequest, Depends(body_as(MergeRequest))],
) -> ObjectAnswer:
    """Let all names of one object mean another; the first stays and leads to the second."""
    async with begin(caller.scope, caller.parts.database) as session:
        await merge_identities(
            *(session, known_id(object_id), request.into),
            *(request.at or clock.now(), request.reason),
        )
    return ObjectAnswer(object_id=str(request.into))


@routes.post(
    "/objects/{object_id}/split",
    summary="Split an object",
    openapi_extra={**takes(SplitRequest), "x-refusals": (409,)},
)
async def split_object(
    caller: ConnectionManager,
    object_id: str,
    request: Annotated[SplitRequest, Depends(body_as(SplitRequest))],
) -> ObjectAnswer:
    """Let some names of an object mean a new one; what happened before stays with the old one."""
    names = [Name(request.connection_id, request.kind, each) for each in request.external_ids]
    async with begin(caller.scope, caller.parts.database) as session:
        new = await split_identity(
            *(session, known_id(object_id), names, request.at or clock.now(), request.reason)
        )
    return ObjectAnswer(object_id=str(new))


def _name(request: NameRequest) -> Name:
    return Name(request.connection_id, request.kind, request.external_id)
