"""Breaks: what two sides say differently, with who takes care of it and by when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.break_shapes import AssignBreakRequest, BreakList, break_shape
from app.api.caller import FinanceManager, FinanceReader
from app.api.paging import LIMIT_USUAL, Limit
from app.retail.breaks import assign_break, list_breaks
from infra.database.unit import begin
from infra.errors import NotFound
from tenants.audit import record

routes = APIRouter(prefix="/v1/breaks", tags=["breaks"])


@routes.get("", summary="List breaks")
async def list_all_breaks(
    caller: FinanceReader,
    kind: Annotated[str, Query(max_length=100)] = "",
    place: Annotated[str, Query(max_length=300, description="Store, channel, settlement.")] = "",
    *,
    closed: Annotated[bool, Query(description="Also those that are explained.")] = False,
    limit: Limit = LIMIT_USUAL,
) -> BreakList:
    """Give open breaks by place, day and number."""
    scope = caller.scope
    async with begin(scope, caller.parts.database) as session:
        found = await list_breaks(
            session, scope.tenant_id, kind=kind, place=place, with_closed=closed, limit=limit
        )
    return BreakList(items=[break_shape(each) for each in found])


@routes.post("/assign", summary="Assign a break", openapi_extra=takes(AssignBreakRequest))
async def assign_one_break(
    caller: FinanceManager,
    wanted: Annotated[AssignBreakRequest, Depends(body_as(AssignBreakRequest))],
) -> BreakList:
    """Say who takes care of an open break; gives it as it is now."""
    scope = caller.scope
    async with begin(scope, caller.parts.database) as session:
        if not await assign_break(session, scope.tenant_id, wanted.kind, wanted.key, wanted.owner):
            raise NotFound
        found = await list_breaks(session, scope.tenant_id, kind=wanted.kind, key=wanted.key)
        await record(
            session,
            "breaks.assign_break",
            f"break:{wanted.kind}/{wanted.key}"[:200],
            {"owner": wanted.owner},
        )
    return BreakList(items=[break_shape(each) for each in found])
