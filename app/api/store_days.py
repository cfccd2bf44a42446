"""Store days: whether each is complete, what it comes to, and its close."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import FinanceManager, FinanceReader
from app.api.paging import LIMIT_USUAL, Limit
from app.api.store_day_shapes import (
    CloseDayRequest,
    ClosedDayShape,
    StoreDayDetail,
    StoreDayList,
    closed_shape,
    day_detail,
    day_shape,
    known_store_day,
)
from app.retail.breaks import list_breaks
from app.retail.journals.audit import Declared
from app.retail.journals.close import close_day
from app.retail.journals.day_book import list_days
from app.retail.journals.day_sums import read_day_sums
from app.retail.journals.ends import list_posted
from infra.database.unit import begin
from infra.errors import NotFound

routes = APIRouter(prefix="/v1/store-days", tags=["store days"])


@routes.get("", summary="List store days")
async def list_store_days(
    caller: FinanceReader,
    day: Annotated[date | None, Query(description="Only this business day.")] = None,
    place: Annotated[str, Query(max_length=200, description="Only this store or channel.")] = "",
    *,
    only_open: Annotated[
        bool, Query(alias="open", description="Not posted, or with gaps.")
    ] = False,
    limit: Limit = LIMIT_USUAL,
) -> StoreDayList:
    """Give store days, the newest first; what was sold in the last minute may not be counted yet."""
    scope = caller.scope
    async with begin(scope, caller.parts.database) as session:
        found = await list_days(
            session, scope.tenant_id, day=day, place=place, only_open=only_open, limit=limit
        )
    return StoreDayList(items=[day_shape(each) for each in found])


@routes.get("/{store_day_id}", summary="Read a store day")
async def get_store_day(caller: FinanceReader, store_day_id: str) -> StoreDayDetail:
    """Give one day with its totals, what is missing or off, and its journals."""
    place, day = known_store_day(store_day_id)
    tenant_id = caller.scope.tenant_id
    async with begin(caller.scope, caller.parts.database) as session:
        known = await list_days(session, tenant_id, day=day, place=place, limit=1)
        if not place or not known:
            raise NotFound
        sums = await read_day_sums(session, tenant_id, place, day)
        breaks = await list_breaks(session, tenant_id, place=place, day=day)
        journals = await list_posted(session, tenant_id, place=place, day=day)
    return day_detail(known[0], sums, breaks, journals)


@routes.post(
    "/{store_day_id}/close", summary="Close a store day", openapi_extra=takes(CloseDayRequest)
)
async def close_store_day(
    caller: FinanceManager,
    store_day_id: str,
    said: Annotated[CloseDayRequest, Depends(body_as(CloseDayRequest))],
) -> ClosedDayShape:
    """Audit and book a day; closing again books only what came since. Nothing is booked twice."""
    place, day = known_store_day(store_day_id)
    parts = caller.parts
    has_declared = bool(said.counted or said.last_numbers) or said.report_total is not None
    declared = Declared(said.counted, said.report_total, said.last_numbers)
    closed = await close_day(
        caller.scope,
        parts.database,
        parts.vault,
        place,
        day,
        declared if has_declared else None,
        said.reason,
    )
    # What follows from the close goes out at once.
    parts.ring()
    return closed_shape(closed)
