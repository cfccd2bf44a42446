"""Pause and resume a flow, or a whole connection: what comes is accepted and kept, nothing is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from app.api.body import body_as, takes
from app.api.caller import Caller, ConnectionManager, FlowManager
from app.api.decisions import Reason
from app.api.shapes import Answer, Request, known_id
from app.connections.pause import pause_connection, resume_connection
from app.flows.pause import pause_flow, resume_flow
from infra.database.unit import Session, begin
from infra.ids import Id

routes = APIRouter(prefix="/v1", tags=["pauses"])

# Writes a pause or its end; says whether that changed anything.
Act = Callable[[Session, Id, str], Awaitable[bool]]


class PauseRequest(Request):
    """Why something is paused or resumed."""

    reason: Reason = Field(description="Why; stands in the audit log and among the changes.")


class PauseShape(Answer):
    """How it is now."""

    id: str
    is_paused: bool
    is_changed: bool = Field(description="False when it was so before; nothing was written then.")


Asked = Annotated[PauseRequest, Depends(body_as(PauseRequest))]
_TAKES = takes(PauseRequest)


@routes.post("/flows/{flow_id}/pause", summary="Pause a flow", openapi_extra=_TAKES)
async def pause_one_flow(caller: FlowManager, flow_id: str, asked: Asked) -> PauseShape:
    """Send nothing more through a flow; its events are accepted and kept in order."""
    return await _done(caller, pause_flow, flow_id, asked, is_paused=True)


@routes.post("/flows/{flow_id}/resume", summary="Resume a flow", openapi_extra=_TAKES)
async def resume_one_flow(caller: FlowManager, flow_id: str, asked: Asked) -> PauseShape:
    """Let a flow go on with what waited, oldest first."""
    return await _done(caller, resume_flow, flow_id, asked, is_paused=False)


@routes.post(
    "/connections/{connection_id}/pause", summary="Pause a connection", openapi_extra=_TAKES
)
async def pause_one_connection(
    caller: ConnectionManager, connection_id: str, asked: Asked
) -> PauseShape:
    """Send nothing more to a system; what comes for it is accepted and kept in order."""
    return await _done(caller, pause_connection, connection_id, asked, is_paused=True)


@routes.post(
    "/connections/{connection_id}/resume", summary="Resume a connection", openapi_extra=_TAKES
)
async def resume_one_connection(
    caller: ConnectionManager, connection_id: str, asked: Asked
) -> PauseShape:
    """Let a system be told of what waited for it."""
    return await _done(caller, resume_connection, connection_id, asked, is_paused=False)


async def _done(
    caller: Caller, act: Act, told_id: str, asked: PauseRequest, *, is_paused: bool
) -> PauseShape:
    known = known_id(told_id)
    async with begin(caller.scope, caller.parts.database) as session:
        is_changed = await act(session, known, asked.reason)
    if is_changed and not is_paused:
        caller.parts.ring()
    return PauseShape(id=str(known), is_paused=is_paused, is_changed=is_changed)
