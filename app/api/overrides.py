"""Overrides from the rules that persons make for a while: list, make, end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from app.api.body import body_as, takes
from app.api.caller import FlowManager, FlowReader
from app.api.decisions import CLEAN, Reason
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import Answer, Moment, Request, known_id
from app.flows.manual import (
    LONGEST_DAYS,
    OBJECT_ID_MAX,
    ManualKind,
    ManualOverride,
    NewManual,
    add_manual,
    end_manual,
    list_manual,
)
from infra.database.unit import begin

_LIST = "overrides"
_SAME = (
    *("object_id", "kind", "path", "value", "reason", "created_by", "created_at", "expires_at"),
    *("ended_at", "ended_by", "used", "is_active"),
)

routes = APIRouter(prefix="/v1/overrides", tags=["overrides"])


class OverrideShape(Answer):
    """One override by a person."""

    id: str
    flow_id: str
    object_id: str = Field(description="The source's id of one object; empty for all.")
    kind: ManualKind = Field(
        description="`set` a value, `skip` (it is not sent), `pause` (kept back until the end)."
    )
    path: str = Field(description="The field that is set, like `body.lines[*].sku`.")
    value: Any
    reason: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = Field(description="When a person ended it before its time.")
    ended_by: str
    is_active: bool
    used: int = Field(description="How often it was applied; a repeated sending counts again.")


class OverridePage(Answer):
    """Overrides by persons, newest first."""

    items: list[OverrideShape]
    next_cursor: str | None


class OverrideRequest(Request):
    """A new override."""

    flow_id: UUID
    kind: ManualKind
    object_id: Annotated[str, StringConstraints(max_length=OBJECT_ID_MAX, pattern=CLEAN)] = ""
    path: Annotated[str, Field(max_length=200)] = ""
    value: Any = None
    reason: Reason
    expires_at: Moment = Field(description=f"At most {LONGEST_DAYS} days from now.")


class EndRequest(Request):
    """End an override before its time."""

    reason: Reason


@routes.get("", summary="List overrides by persons")
async def list_overrides(
    caller: FlowReader,
    flow: Annotated[UUID | None, Query(description="Id of the flow.")] = None,
    with_ended: Annotated[bool, Query(description="Those that have ended as well.")] = False,  # noqa: FBT002
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> OverridePage:
    """Give what persons set, skip or keep back at present."""
    before = read_cursor(_LIST, cursor)
    async with begin(caller.scope, caller.parts.database) as session:
        found = await list_manual(
            session, flow_id=flow, with_ended=with_ended, before=before, limit=limit + 1
        )
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return OverridePage(items=[_shape(each) for each in page], next_cursor=next_cursor)


@routes.post("", summary="Make an override", openapi_extra=takes(OverrideRequest))
async def add_override(
    caller: FlowManager, request: Annotated[OverrideRequest, Depends(body_as(OverrideRequest))]
) -> OverrideShape:
    """Make an override from the rules; it counts within two seconds and ends by itself."""
    wanted = NewManual(
        request.flow_id,
        request.kind,
        request.reason,
        request.expires_at,
        request.object_id,
        request.path,
        request.value,
    )
    async with begin(caller.scope, caller.parts.database) as session:
        return _shape(await add_manual(session, wanted))


@routes.post("/{override_id}/end", summary="End an override", openapi_extra=takes(EndRequest))
async def end_override(
    caller: FlowManager,
    override_id: str,
    request: Annotated[EndRequest, Depends(body_as(EndRequest))],
) -> OverrideShape:
    """End it now; what it kept back goes on."""
    async with begin(caller.scope, caller.parts.database) as session:
        ended = await end_manual(session, known_id(override_id), request.reason)
    caller.parts.ring()
    return _shape(ended)


def _shape(manual: ManualOverride) -> OverrideShape:
    same: dict[str, Any] = {name: getattr(manual, name) for name in _SAME}
    return OverrideShape(**same, id=str(manual.id), flow_id=str(manual.flow_id))
