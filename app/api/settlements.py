"""Settlements: what channels paid out, how much of it is explained, and what is booked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.caller import FinanceManager, FinanceReader
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.settlement_shapes import (
    SettlementDetail,
    SettlementPageShape,
    settlement_detail,
    settlement_shape,
)
from app.api.shapes import known_id
from app.retail.breaks import list_breaks
from app.retail.journals.ends import list_posted
from app.retail.settlements.keep import take_again, take_due
from app.retail.settlements.read import list_settlements, read_settlement
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id

_LIST = "settlements"

routes = APIRouter(prefix="/v1/settlements", tags=["settlements"])


@routes.get("", summary="List settlements")
async def list_all_settlements(
    caller: FinanceReader,
    channel: Annotated[str, Query(max_length=100, description="Only of this channel.")] = "",
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> SettlementPageShape:
    """Give settlements, the last taken first."""
    scope = caller.scope
    before = read_cursor(_LIST, cursor)
    async with begin(scope, caller.parts.database) as session:
        found = await list_settlements(
            session, scope.tenant_id, channel=channel, before=before, limit=limit + 1
        )
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    items = [settlement_shape(each) for each in page]
    return SettlementPageShape(items=items, next_cursor=next_cursor)


@routes.get("/{settlement_id}", summary="Read a settlement")
async def get_settlement(caller: FinanceReader, settlement_id: str) -> SettlementDetail:
    """Give one settlement: its steps, what agrees, what differs, and the exact journal."""
    return await _detail(caller, known_id(settlement_id))


@routes.post("/{settlement_id}/match", summary="Match a settlement again")
async def match_settlement(caller: FinanceManager, settlement_id: str) -> SettlementDetail:
    """Compare it again with what was sold by now; only differences are booked."""
    known, parts = known_id(settlement_id), caller.parts
    await take_again(caller.scope, parts.database, known)
    await take_due(caller.scope, parts.database, parts.vault)
    parts.ring()
    return await _detail(caller, known)


async def _detail(caller: FinanceReader, settlement_id: Id) -> SettlementDetail:
    scope: TenantScope = caller.scope
    async with begin(scope, caller.parts.database) as session:
        page = await read_settlement(session, scope.tenant_id, settlement_id)
        head = page.head
        breaks = await list_breaks(session, scope.tenant_id, place=head.place)
        breaks += await list_breaks(
            session, scope.tenant_id, kind="unclassified", place=head.channel
        )
        journals = await list_posted(session, scope.tenant_id, place=head.place, kind="settlement")
    return settlement_detail(page, breaks, journals)
