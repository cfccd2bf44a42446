"""What the folders with bare fixtures leave unsaid: topics of bodies, settings for sending.

New connectors say it in their own fixtures and `send.json` (see `cases`), which go before these.
"""

from __future__ import annotations

from connectors.canonical.event import (
    ORDER_FULFILLED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    STOCK_POSITION,
)
from connectors.sdk.message import JsonObject

BARE: dict[str, dict[str, tuple[str, JsonObject]]] = {
    "shopify": {
        "fulfilment.json": ("fulfillments/create", {"types": [ORDER_FULFILLED]}),
        "order_at_till.json": ("orders/create", {"types": [ORDER_PLACED]}),
        "order_edit_notice.json": ("orders/edited", {"skipped": "skipped.thin_notice"}),
        "order_placed.json": ("orders/create", {"types": [ORDER_PLACED]}),
        "refund.json": ("refunds/create", {"types": [ORDER_REFUNDED]}),
    },
    "tryton": {"stock.json": ("stock", {"types": [STOCK_POSITION]})},
}

# By connector, then by action ("*" for all), as in `send.json`.
BARE_SEND: dict[str, dict[str, JsonObject]] = {
    "shopify": {
        "*": {
            "locations": {"main": "gid://shopify/Location/7001"},
            "inventory_items": {"MM-0001": "gid://shopify/InventoryItem/8001"},
        },
    },
    "tryton": {
        "*": {
            "database": "lab", "company": 1, "currency": "USD", "pos": 1, "party": 1,
            "payment_methods": {"card": 1}, "taxes": {"0.08": 1}, "products": {"MM-0001": 1},
            "unmapped_product": 2, "refund_product": 3,
        },
    },
}  # fmt: skip
