"""Stock: how articles stand, and why one does not move."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated

from fastapi import APIRouter, Query

from app.api.caller import StockReader
from app.api.paging import LIMIT_USUAL, CursorText, Limit
from app.api.stock_shapes import PositionPage, WhyShape, position_shape, why_shape
from app.retail.inventory.read import (
    PositionFilter,
    PositionRow,
    explain_article,
    list_positions,
)
from infra.database.unit import begin
from infra.errors import NotFound, Unprocessable

SKU_MAX = 200

routes = APIRouter(prefix="/v1", tags=["stock"])

Named = Annotated[str, Query(max_length=SKU_MAX)]


@routes.get("/stock", summary="List positions")
async def list_stock(
    caller: StockReader,
    sku: Named = "",
    location: Named = "",
    negative: Annotated[bool, Query(description="Only what is below nothing.")] = False,  # noqa: FBT002
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> PositionPage:
    """Give what stands where, in which state, by article and place."""
    wanted = PositionFilter(_stored(sku), _stored(location), negative, _read(cursor))
    async with begin(caller.scope, caller.parts.database) as session:
        found = await list_positions(session, wanted, limit + 1)
    page = found[:limit]
    return PositionPage(
        items=[position_shape(each) for each in page],
        next_cursor=_written(page[-1]) if len(found) > limit else None,
    )


@routes.get("/stock/{sku}", summary="Say why an article is not moving")
async def explain_stock(caller: StockReader, sku: str) -> WhyShape:
    """Give who told last and when, positions, what each channel shows, and what waits, in words."""
    if not 1 <= len(sku) <= SKU_MAX or "\0" in sku:
        raise NotFound
    async with begin(caller.scope, caller.parts.database) as session:
        return why_shape(await explain_article(session, sku))


def _stored(text: str) -> str:
    """Give a name as it may stand in the book; a NUL stands in none."""
    return text.replace("\0", "\ufffd")


def _written(row: PositionRow) -> str:
    place = json.dumps([row.sku, row.location, row.state])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _read(cursor: str | None) -> tuple[str, str, str]:
    if cursor is None:
        return ("", "", "")
    try:
        sku, location, state = json.loads(base64.urlsafe_b64decode(cursor))
        return (_stored(str(sku)), _stored(str(location)), _stored(str(state)))
    except (binascii.Error, ValueError, TypeError):
        words = "This cursor was not given by this list. Start again without one."
        raise Unprocessable(words, code="cursor.invalid") from None
