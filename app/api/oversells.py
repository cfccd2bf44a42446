"""Oversell cases: orders for which there are no goods, and how each ends."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints

from app.api.body import body_as, takes
from app.api.caller import ExceptionDecider, StockReader
from app.api.decisions import CLEAN
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import Answer, Moment, MoneyShape, Request, known_id, money_of
from app.api.stock_shapes import Location, plain
from app.retail.inventory.oversell import (
    CAUSES,
    Decision,
    OversellCase,
    list_cases,
    read_case,
    resolve_case,
)
from connectors.canonical.oversell import OversellResolution
from infra.database.unit import begin

_LIST = "oversells"

routes = APIRouter(prefix="/v1", tags=["oversells"])


class ResolveOversellRequest(Request):
    """How a case ends; it goes out to whoever serves the order and writes to the customer."""

    resolution: OversellResolution
    location: Location = Field(default="", description="Which place sends it: `re_source`.")
    substitute_sku: Annotated[str, StringConstraints(max_length=200, pattern=CLEAN)] = ""
    expected_at: Moment | None = None
    message: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=CLEAN)
    ] = Field(default="", description="For the customer: `backorder`, `cancel`.")


class ProposalShape(Answer):
    """What could be done, in words."""

    resolution: str
    location: str
    words: str


class OversellShape(Answer):
    """An order without goods: what, how many, how much money, why, what to do."""

    id: str
    sku: str
    connection_id: str
    channel: str
    order_id: str
    units: str
    amount: MoneyShape | None
    cause: str
    cause_words: str
    state: str
    resolution: str
    found_at: datetime
    ended_at: datetime | None
    decided_by: str
    proposal: ProposalShape


class OversellPage(Answer):
    """Cases, newest first."""

    items: list[OversellShape]
    next_cursor: str | None


@routes.get("/oversells", summary="List oversell cases")
async def list_oversells(
    caller: StockReader,
    state: Literal["open", "resolved", "cancelled", "any"] = "open",
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> OversellPage:
    """Give orders for which there are no goods, each with what could be done."""
    wanted = "" if state == "any" else state
    async with begin(caller.scope, caller.parts.database) as session:
        found = await list_cases(session, wanted, read_cursor(_LIST, cursor), limit + 1)
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return OversellPage(items=[_shape(each) for each in page], next_cursor=next_cursor)


@routes.get("/oversells/{oversell_id}", summary="Read an oversell case")
async def get_oversell(caller: StockReader, oversell_id: str) -> OversellShape:
    """Give one case."""
    async with begin(caller.scope, caller.parts.database) as session:
        return _shape(await read_case(session, known_id(oversell_id)))


@routes.post(
    "/oversells/{oversell_id}/resolve",
    summary="Decide an oversell case",
    openapi_extra=takes(ResolveOversellRequest),
)
async def resolve_oversell(
    caller: ExceptionDecider,
    oversell_id: str,
    asked: Annotated[ResolveOversellRequest, Depends(body_as(ResolveOversellRequest))],
) -> OversellShape:
    """Decide how an order without goods ends; the decision goes out as an event."""
    decision = Decision(
        asked.resolution, asked.location, asked.substitute_sku, asked.expected_at, asked.message
    )
    known = known_id(oversell_id)
    key = await caller.parts.vault.current(caller.scope.tenant_id)
    async with begin(caller.scope, caller.parts.database) as session:
        decided = await resolve_case(session, key, known, decision)
    caller.parts.ring()
    return _shape(decided)


def _shape(case: OversellCase) -> OversellShape:
    return OversellShape(
        id=str(case.id),
        sku=case.sku,
        connection_id=str(case.connection_id),
        channel=case.channel,
        order_id=case.order_id,
        units=plain(case.units),
        amount=money_of(case.amount, case.currency),
        cause=case.cause,
        cause_words=CAUSES[case.cause],
        state=case.state,
        resolution=case.resolution,
        found_at=case.found_at,
        ended_at=case.ended_at,
        decided_by=case.decided_by,
        proposal=ProposalShape(
            resolution=case.proposal.resolution,
            location=case.proposal.location,
            words=case.proposal.words,
        ),
    )
