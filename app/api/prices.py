"""Prices: what holds where, how far a version has come, and what people decide about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import PriceManager, PriceReader
from app.api.paging import LIMIT_USUAL, Limit
from app.api.price_shapes import (
    PriceDecisionRequest,
    PriceDecisionShape,
    PricesAtPlaces,
    PriceTargetRequest,
    PriceTargets,
    PropagationShape,
    SetTargetShape,
    WaitingPrices,
    price_at_shape,
    propagation_shape,
    target_shape,
    waiting_shape,
    wanted_of,
)
from app.api.shapes import Moment, known_id
from app.exceptions.approve_price import approve_price
from app.retail.prices.approval import expire_version
from app.retail.prices.read import prices_at, read_propagation, waiting_for_approval
from app.retail.prices.targets import ensure_target, read_targets
from infra.database.unit import begin

routes = APIRouter(prefix="/v1", tags=["prices"])

Sku = Annotated[str, Query(min_length=1, max_length=200, description="The article.")]
Store = Annotated[str, Query(max_length=100, description="Only this store or shop.")]
Decision = Annotated[PriceDecisionRequest, Depends(body_as(PriceDecisionRequest))]


@routes.get("/prices", summary="Say what an article costs, place by place")
async def list_prices(
    caller: PriceReader, sku: Sku, store: Store = "", at: Moment | None = None
) -> PricesAtPlaces:
    """Give the price that holds at each place now, or at a moment before or after."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await prices_at(session, sku, store, at)
    return PricesAtPlaces(items=[price_at_shape(each) for each in found])


@routes.get("/prices/{price_id}", summary="Read a version of a price with its places")
async def get_price(caller: PriceReader, price_id: str) -> PropagationShape:
    """Give how far each place has come with a price, a promotion or a recall."""
    async with begin(caller.scope, caller.parts.database) as session:
        return propagation_shape(await read_propagation(session, known_id(price_id)))


@routes.post(
    "/prices/{price_id}/approve",
    summary="Let a price pass",
    openapi_extra=takes(PriceDecisionRequest),
)
async def approve_held_price(
    caller: PriceManager, price_id: str, asked: Decision
) -> PriceDecisionShape:
    """Distribute a price that waits for approval, and let its record go on."""
    version_id = known_id(price_id)
    parts = caller.parts
    await approve_price(caller.scope, parts.database, version_id, asked.reason, parts.ring)
    return PriceDecisionShape(id=str(version_id))


@routes.post(
    "/prices/{price_id}/expire",
    summary="End a price everywhere, now",
    openapi_extra=takes(PriceDecisionRequest),
)
async def expire_price(caller: PriceManager, price_id: str, asked: Decision) -> PriceDecisionShape:
    """End a price or promotion; what held before it holds again."""
    version_id = known_id(price_id)
    async with begin(caller.scope, caller.parts.database) as session:
        await expire_version(session, version_id, caller.scope.actor, asked.reason)
    caller.parts.ring()
    return PriceDecisionShape(id=str(version_id))


@routes.get("/price-approvals", summary="List prices that wait for approval")
async def list_price_approvals(caller: PriceReader, limit: Limit = LIMIT_USUAL) -> WaitingPrices:
    """Give what is below cost, below the lowest advertised price, or looks like a typing error."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await waiting_for_approval(session, limit)
    return WaitingPrices(items=[waiting_shape(each) for each in found])


@routes.get("/price-targets", summary="List places that take prices")
async def list_price_targets(caller: PriceReader) -> PriceTargets:
    """Give every place, those that are switched off too."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await read_targets(session, with_inactive=True)
    return PriceTargets(items=[target_shape(each) for each in found])


@routes.put(
    "/price-targets",
    summary="Let a place take prices",
    openapi_extra=takes(PriceTargetRequest),
)
async def set_price_target(
    caller: PriceManager,
    asked: Annotated[PriceTargetRequest, Depends(body_as(PriceTargetRequest))],
) -> SetTargetShape:
    """Make a place, or change it; everything that holds is told to it."""
    async with begin(caller.scope, caller.parts.database) as session:
        target_id = await ensure_target(session, wanted_of(asked))
    caller.parts.ring()
    return SetTargetShape(id=str(target_id))
