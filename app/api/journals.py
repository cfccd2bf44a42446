"""Journals: what is booked, how far each revision got, and what it is made of."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import FinanceManager, FinanceReader
from app.api.journal_shapes import (
    JournalDetail,
    JournalPage,
    RedateRequest,
    journal_detail,
    journal_shape,
)
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import known_id
from app.exceptions.edit import EditParts
from app.exceptions.redate import redate_journal
from app.retail.journals.ends import list_posted, read_posted
from infra.database.unit import begin

_LIST = "journals"

routes = APIRouter(prefix="/v1/journals", tags=["journals"])


@routes.get("", summary="List journals")
async def list_all_journals(
    caller: FinanceReader,
    place: Annotated[str, Query(max_length=200, description="A store, channel, settlement.")] = "",
    day: Annotated[date | None, Query(description="Only this business day.")] = None,
    kind: Annotated[str, Query(pattern=r"^(sales_day|over_short|settlement)?$")] = "",
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> JournalPage:
    """Give journals with their states, the newest first."""
    scope = caller.scope
    async with begin(scope, caller.parts.database) as session:
        found = await list_posted(
            session,
            scope.tenant_id,
            place=place,
            day=day,
            kind=kind,
            before=read_cursor(_LIST, cursor),
            limit=limit + 1,
        )
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return JournalPage(items=[journal_shape(each) for each in page], next_cursor=next_cursor)


@routes.get("/{journal_id}", summary="Read a journal")
async def get_journal(caller: FinanceReader, journal_id: str) -> JournalDetail:
    """Give one revision with its lines and the evidence of what it adds up to."""
    known = known_id(journal_id)
    async with begin(caller.scope, caller.parts.database) as session:
        return journal_detail(await read_posted(session, caller.scope.tenant_id, known))


@routes.post(
    "/{journal_id}/redate", summary="Date a journal anew", openapi_extra=takes(RedateRequest)
)
async def redate_one_journal(
    caller: FinanceManager,
    journal_id: str,
    wanted: Annotated[RedateRequest, Depends(body_as(RedateRequest))],
) -> JournalDetail:
    """Send a journal that was refused for its period again, under the first day that is open."""
    parts = EditParts(caller.parts.database, caller.parts.vault, caller.parts.ring)
    known = known_id(journal_id)
    return journal_detail(await redate_journal(caller.scope, parts, known, wanted.reason))
