"""From a canonical stock position to Shopify's terms: which item, which location, how many."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from connectors.canonical.stock import StockPosition
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Rejected

# Shopify takes no more. Source: InventorySetQuantitiesUserErrorCode.INVALID_QUANTITY_TOO_HIGH
MAX_QUANTITY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What Shopify shall show: whole units at one location.

    `item_id` is None when the SKU must be searched for. `expected` is what we believe Shopify
    shows now; None when nobody told.
    """

    sku: str
    location_id: str
    item_id: str | None
    quantity: int
    expected: int | None


def read_wanted(position: StockPosition, settings: JsonObject) -> Wanted | Rejected:
    """Work out what to set; Rejected for a location without Shopify id or an impossible number."""
    location_id = _mapped(settings, "locations", position.location) or settings.get("location_id")
    if not isinstance(location_id, str) or not location_id:
        words = (
            f'No Shopify location is set for "{position.location}".'
            " Add it to the connection's locations."
        )
        return Rejected("location.unmapped", "/location", words)
    quantity = sellable(position.available)
    if quantity > MAX_QUANTITY:
        words = (
            f"Shopify keeps at most {MAX_QUANTITY:,} of a SKU. Correct the stock of {position.sku}."
        )
        return Rejected("quantity.range", "/available", words)
    return Wanted(
        sku=position.sku,
        location_id=location_id,
        item_id=_mapped(settings, "inventory_items", position.sku),
        quantity=quantity,
        expected=None if position.previous is None else sellable(position.previous),
    )


def sellable(available: Decimal) -> int:
    """Give the whole units a shop may promise: rounded down, and never less than none."""
    return max(0, int(available.to_integral_value(rounding=ROUND_FLOOR)))


def set_variables(wanted: Wanted, item_id: str, change_from: int, effect_key: str) -> JsonObject:
    """Write the mutation's variables; the key belongs to the effect and to what it starts from.

    A repeat starts from the same quantity and so has the same key and the same answer; a second try
    from another quantity is another effect for Shopify, which refuses a key with other parameters.
    """
    return {
        "key": f"{effect_key}:{change_from}",
        "input": {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": f"stock-update://delivery/{effect_key}",
            "quantities": [
                {
                    "inventoryItemId": item_id,
                    "locationId": wanted.location_id,
                    "quantity": wanted.quantity,
                    "changeFromQuantity": change_from,
                }
            ],
        },
    }


def sku_query(sku: str) -> str:
    """Write the search for one SKU, quoted, so that spaces and operators are part of it."""
    escaped = sku.replace("\\", "\\\\").replace('"', '\\"')
    return f'sku:"{escaped}"'


def _mapped(settings: JsonObject, table: str, code: str) -> str | None:
    entries = settings.get(table)
    value = entries.get(code) if isinstance(entries, dict) else None
    return value if isinstance(value, str) and value else None
