"""Orders: what each comes to and why, deadlines at risk, the proof of a day, and cancelling one."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import ExceptionDecider, LedgerReader, MessageReader
from app.api.order_shapes import (
    CancelledShape,
    CancelOrderRequest,
    OrderDetailShape,
    OrderPageShape,
    ProofList,
    RunningList,
    order_detail,
    order_shape,
    proof_shape,
    running_shape,
)
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import known_id
from app.retail.orders.change import cancel_order
from app.retail.orders.completeness import prove_day
from app.retail.orders.read import OrderFilter, list_orders, read_order
from app.retail.orders.watch import read_running
from infra import clock
from infra.database.unit import begin

_LIST = "orders"

routes = APIRouter(prefix="/v1", tags=["orders"])


@routes.get("/orders", summary="List orders")
async def list_all_orders(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    caller: MessageReader,
    channel: Annotated[str, Query(max_length=200, description="Name of its connection.")] = "",
    status: Literal["", "awaited", "pending", "open", "cancelled", "closed"] = "",
    day: Annotated[date | None, Query(description="Only this business day.")] = None,
    number: Annotated[str, Query(max_length=300, description="Its number or id there.")] = "",
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> OrderPageShape:
    """Give orders, those that came last first."""
    wanted = OrderFilter(channel, status, day, number, read_cursor(_LIST, cursor))
    async with begin(caller.scope, caller.parts.database) as session:
        found = await list_orders(session, wanted, limit + 1)
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return OrderPageShape(items=[order_shape(each) for each in page], next_cursor=next_cursor)


@routes.get("/orders/{order_id}", summary="Read an order")
async def get_order(caller: MessageReader, order_id: str) -> OrderDetailShape:
    """Give one order with its agreements, shipments, deadlines, and where it is stuck, in words."""
    async with begin(caller.scope, caller.parts.database) as session:
        return order_detail(await read_order(session, known_id(order_id)))


@routes.post(
    "/orders/{order_id}/cancel",
    summary="Cancel an order",
    openapi_extra=takes(CancelOrderRequest),
)
async def cancel_one_order(
    caller: ExceptionDecider,
    order_id: str,
    request: Annotated[CancelOrderRequest, Depends(body_as(CancelOrderRequest))],
) -> CancelledShape:
    """Take a whole order back and tell every system that has it; too late once goods left."""
    parts = caller.parts
    key = await parts.vault.current(caller.scope.tenant_id)
    async with begin(caller.scope, parts.database) as session:
        decision = await cancel_order(
            session, key, known_id(order_id), request.reason, caller.scope.actor
        )
    parts.ring()
    return CancelledShape(meaning=decision.meaning, words=decision.words)


@routes.get("/order-deadlines", summary="List deadlines at risk")
async def list_order_deadlines(caller: MessageReader, limit: Limit = LIMIT_USUAL) -> RunningList:
    """Give clocks of channels that have run half or more, the first to run out first, then by money."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await read_running(session, clock.now(), limit)
    return RunningList(items=[running_shape(each) for each in found])


@routes.get("/order-completeness", summary="Prove that a day is complete")
async def get_order_completeness(
    caller: LedgerReader,
    day: Annotated[date, Query(description="The business day.")],
    channel: Annotated[str, Query(max_length=200, description="Only this channel.")] = "",
) -> ProofList:
    """Say for each channel what it lists, what is here, what each target has, and why not the rest."""
    async with begin(caller.scope, caller.parts.database) as session:
        return ProofList(
            items=[proof_shape(each) for each in await prove_day(session, day, channel)]
        )
