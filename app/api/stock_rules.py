"""What decides what channels show: rules, places, kits, conversions of units."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import StockManager, StockReader
from app.api.shapes import known_id
from app.api.stock_shapes import (
    ConversionRequest,
    ConversionShape,
    KitRequest,
    KitShape,
    PlaceList,
    PlaceRequest,
    PlaceShape,
    PutRuleShape,
    RuleList,
    StockRuleRequest,
    kit_shape,
    place_shape,
    rule_shape,
)
from app.retail.inventory.kits import read_kit, set_kit
from app.retail.inventory.places import StockPlace, list_places, put_place
from app.retail.inventory.rules import NewRule, list_rules, put_rule
from app.retail.inventory.units import set_conversion
from infra import clock
from infra.database.unit import begin

routes = APIRouter(prefix="/v1", tags=["stock rules"])


@routes.get("/stock-rules", summary="List rules of channels")
async def list_stock_rules(
    caller: StockReader,
    connection: Annotated[UUID | None, Query(description="Id of the channel.")] = None,
) -> RuleList:
    """Give which places serve each channel, and how much it may show."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await list_rules(session, connection)
    return RuleList(items=[rule_shape(each) for each in found])


@routes.put(
    "/stock-rules/{connection_id}",
    summary="Set a rule of a channel",
    openapi_extra=takes(StockRuleRequest),
)
async def set_stock_rule(
    caller: StockManager,
    connection_id: str,
    asked: Annotated[StockRuleRequest, Depends(body_as(StockRuleRequest))],
) -> PutRuleShape:
    """Say what a channel may show; positions stay as they are, only what it shows changes."""
    wanted = NewRule(
        tuple(asked.pool),
        asked.share,
        asked.safety_units,
        asked.publish_from,
        asked.publish_most,
        asked.self_decrements,
        asked.location,
        asked.frozen_until,
        asked.reason,
    )
    async with begin(caller.scope, caller.parts.database) as session:
        put = await put_rule(session, known_id(connection_id), asked.sku, wanted)
    caller.parts.ring()
    return PutRuleShape(version=put.version, articles=put.articles)


@routes.get("/stock-places", summary="List places")
async def list_stock_places(caller: StockReader) -> PlaceList:
    """Give when each place was heard of last, and which are silent."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await list_places(session)
    return PlaceList(items=[place_shape(each) for each in found])


@routes.put("/stock-places", summary="Set a place", openapi_extra=takes(PlaceRequest))
async def set_stock_place(
    caller: StockManager, asked: Annotated[PlaceRequest, Depends(body_as(PlaceRequest))]
) -> PlaceShape:
    """Say how often a place is heard of, what it keeps while silent, and who alone sells there."""
    only = known_id(asked.only_channel) if asked.only_channel is not None else None
    place = StockPlace(
        asked.location,
        heartbeat_s=asked.heartbeat_s,
        dark_keeps=asked.dark_keeps,
        only_channel=only,
    )
    async with begin(caller.scope, caller.parts.database) as session:
        await put_place(session, place)
    caller.parts.ring()
    return place_shape(place)


@routes.get("/kits", summary="Read a kit")
async def get_kit(
    caller: StockReader, kit_sku: Annotated[str, Query(min_length=1, max_length=200)]
) -> KitShape:
    """Give what a kit is and was made of."""
    async with begin(caller.scope, caller.parts.database) as session:
        parts = await read_kit(session, caller.scope.tenant_id, kit_sku.replace("\0", "\ufffd"))
    return kit_shape(kit_sku, parts)


@routes.put("/kits", summary="Set a kit", openapi_extra=takes(KitRequest))
async def put_kit(
    caller: StockManager, asked: Annotated[KitRequest, Depends(body_as(KitRequest))]
) -> KitShape:
    """Let a kit be made of these parts from a moment on; earlier sales keep theirs."""
    parts = {part.sku: part.quantity for part in asked.parts}
    since = asked.valid_from or clock.now()
    async with begin(caller.scope, caller.parts.database) as session:
        await set_kit(session, caller.scope.tenant_id, asked.kit_sku, parts, since)
        found = await read_kit(session, caller.scope.tenant_id, asked.kit_sku)
    caller.parts.ring()
    return kit_shape(asked.kit_sku, found)


@routes.put("/unit-conversions", summary="Set a conversion", openapi_extra=takes(ConversionRequest))
async def put_conversion(
    caller: StockManager,
    asked: Annotated[ConversionRequest, Depends(body_as(ConversionRequest))],
) -> ConversionShape:
    """Say how many base units of an article one other unit is, exactly."""
    factor = Fraction(asked.numerator, asked.denominator)
    tenant_id = caller.scope.tenant_id
    async with begin(caller.scope, caller.parts.database) as session:
        await set_conversion(session, tenant_id, asked.sku, asked.uom, asked.base_uom, factor)
    return ConversionShape(sku=asked.sku, uom=asked.uom, factor=str(factor))
