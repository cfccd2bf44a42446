"""What Shopify shows now: the available quantity of one SKU at one location."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from connectors.catalog.shopify.admin_api import ask
from connectors.catalog.shopify.documents import FIND_ITEM, READ_AVAILABLE
from connectors.catalog.shopify.mapping_out import Wanted, sku_query
from connectors.sdk.outcome import Outcome, Rejected
from connectors.sdk.transport import Transport


@dataclass(frozen=True, slots=True)
class Level:
    """An inventory item with its available quantity at the location asked for."""

    item_id: str
    available: int


class _Quantity(msgspec.Struct):
    name: str
    quantity: int


class _InventoryLevel(msgspec.Struct):
    quantities: list[_Quantity]


class _Item(msgspec.Struct, rename="camel"):
    id: str
    inventory_level: _InventoryLevel | None = None


class _Variant(msgspec.Struct, rename="camel"):
    inventory_item: _Item
    sku: str | None = None


class _Variants(msgspec.Struct):
    nodes: list[_Variant]


class _Found(msgspec.Struct, rename="camel"):
    product_variants: _Variants


class _Read(msgspec.Struct, rename="camel"):
    inventory_item: _Item | None = None


async def read_level(wanted: Wanted, transport: Transport) -> Level | Outcome:
    """Ask for the current level, by item id where it is known, else by SKU."""
    item = await (_by_id if wanted.item_id else _by_sku)(wanted, transport)
    if not isinstance(item, _Item):
        return item
    quantities = item.inventory_level.quantities if item.inventory_level else []
    available = next((each.quantity for each in quantities if each.name == "available"), None)
    if available is None:
        words = f"Shopify does not stock {wanted.sku} at this location. Stock it there in Shopify."
        return Rejected("stock.not_stocked", "/location", words)
    return Level(item.id, available)


async def _by_id(wanted: Wanted, transport: Transport) -> _Item | Outcome:
    variables = {"item": wanted.item_id, "location": wanted.location_id}
    answer = await ask(transport, READ_AVAILABLE, variables, _Read)
    if not isinstance(answer, _Read):
        return answer
    return answer.inventory_item or _unknown_sku(wanted)


async def _by_sku(wanted: Wanted, transport: Transport) -> _Item | Outcome:
    variables = {"query": sku_query(wanted.sku), "location": wanted.location_id}
    answer = await ask(transport, FIND_ITEM, variables, _Found)
    if not isinstance(answer, _Found):
        return answer
    # Shopify's search ignores case and finds parts; a SKU is the same only letter by letter.
    exact = [each for each in answer.product_variants.nodes if each.sku == wanted.sku]
    if not exact:
        return _unknown_sku(wanted)
    if len({each.inventory_item.id for each in exact}) > 1:
        words = (
            f"Shopify has {len(exact)} articles with SKU {wanted.sku}."
            " Give each its own SKU, or set its inventory item in the connection."
        )
        return Rejected("sku.ambiguous", "/sku", words)
    return exact[0].inventory_item


def _unknown_sku(wanted: Wanted) -> Rejected:
    words = f"Shopify has no article with SKU {wanted.sku}. Create it or correct the SKU there."
    return Rejected("sku.unknown", "/sku", words)
