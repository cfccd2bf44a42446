"""Maple & Main at lite scale: what it sells, which systems it runs, what flows between them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from connectors.catalog.pos_files.emulator import TillItem
from connectors.catalog.shopify.emulator.state import LOCATION_GID, ShopState
from connectors.catalog.tryton.local.catalogue import Article
from connectors.registry import manifest

SEED = 20261127
STORES = ("12", "17")
TIMEZONE = "America/New_York"
CURRENCY = "USD"
LOCATION = "main"
TAX_RATE = Decimal("0.0825")
STOCK_AT_START = Decimal(400)
PARTNER = "harborline"
# How the portal looks under this partner: hue of the greys, colour, mark.
BRAND = {"hue": "200", "colour": "#006a6e", "mark": "anchor"}
RETAILER = "maple-main"
WEB_SHOP, TILLS, ERP = "web-shop", "tills", "erp"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the systems of the demo listen on this machine (ports of 127.0.0.1)."""

    web: int
    shop: int
    erp: int


def shop_state() -> ShopState:
    """Make the emulated shop's state, from which tills and ERP take the same articles."""
    return ShopState(seed=SEED)


def erp_articles() -> tuple[Article, ...]:
    """List what the ERP has in stock at the start."""
    return tuple(
        Article(sku=each.sku, name=each.title, price=each.price, stock=STOCK_AT_START)
        for each in shop_state().articles.values()
    )


def till_items() -> tuple[TillItem, ...]:
    """List what the tills can sell."""
    return tuple(
        TillItem(each.sku, each.title, each.price, is_taxed=True)
        for each in shop_state().articles.values()
    )


def document(addresses: Addresses, erp_settings: dict[str, Any], erp_key: Path) -> str:
    """Write the configuration of the demo as the YAML that `apply` reads.

    Credentials are read from files: the key of the ERP, and the two of the shop beside the YAML.
    """
    state = shop_state()
    connections = [
        {
            "name": WEB_SHOP,
            "connector": "shopify",
            "title": "Web shop",
            "hook": True,
            "settings": {
                "base_url": f"http://127.0.0.1:{addresses.shop}",
                "shop_domain": state.shop_domain,
                "currency": CURRENCY,
                "locations": {LOCATION: LOCATION_GID},
                "inventory_items": {each.sku: each.item_gid for each in state.articles.values()},
            },
            "secrets": {
                "access_token": {"file": "shop-access-token"},
                "webhook_secret": {"file": "shop-webhook-secret"},
            },
        },
        {
            "name": TILLS,
            "connector": "pos_files",
            "title": "Tills of stores 12 and 17",
            "settings": {"dialect": "poslog_ncr", "timezone": TIMEZONE, "currency": CURRENCY},
        },
        {
            "name": ERP,
            "connector": "tryton",
            "title": "Tryton",
            "settings": {
                "base_url": f"http://127.0.0.1:{addresses.erp}",
                # The local ERP knows more about itself than the connector needs.
                **{k: v for k, v in erp_settings.items() if k in manifest("tryton").settings},
                "location": LOCATION,
            },
            "secrets": {"key": {"file": str(erp_key)}},
        },
    ]
    flows = [
        {"name": "web-orders", "blueprint": "web_order_to_erp", "from": WEB_SHOP, "to": ERP},
        {"name": "till-sales", "blueprint": "till_sale_to_erp", "from": TILLS, "to": ERP},
        {"name": "stock", "blueprint": "stock_to_web_shop", "from": ERP, "to": WEB_SHOP},
    ]
    retailer = {
        "slug": RETAILER,
        "name": "Maple & Main Outfitters",
        "timezone": TIMEZONE,
        "currency": CURRENCY,
        "connections": connections,
        "flows": flows,
    }
    partner = {
        "slug": PARTNER,
        "name": "Harborline ERP Partners",
        "brand": BRAND,
        "retailers": [retailer],
    }
    return yaml.safe_dump({"partners": [partner]}, sort_keys=False)
