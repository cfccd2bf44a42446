"""Two retailers of one partner: their systems, what their ERPs call articles, how much they sell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from connectors.catalog.http.emulator.told_orders import Story

PARTNER, PARTNER_NAME = "harborline", "Harborline ERP Partners"
MAPLE, NORTHGATE = "maple-main", "northgate-books"
NAMES = {MAPLE: "Maple & Main Outfitters", NORTHGATE: "Northgate Books"}
SHOP, WAREHOUSE, ERP, MARKETPLACE = "web-shop", "warehouse", "erp", "marketplace"
ORDERS, SHIPMENTS = "web-orders", "shipments"
SEED = 20261127
# One order in ten is cancelled while it waits: the ERP must hear of it after the order itself.
CANCEL_EVERY = 10

# The shop's article numbers and those of the ERP. On Friday evening somebody mistyped two of them.
ARTICLES = {f"NG-{100 + n}": f"20{100 + n}" for n in range(1, 13)}
MISTYPED = {"NG-107": "29107", "NG-108": "29108"}

TARGETS = ("maple-erp", "marketplace", "northgate-erp")
ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Weekend:
    """How much happens: orders that the ERP misses, shipments, orders that the mapping spoils.

    `calm` is the number of each that went well on Friday, before anything was wrong.
    """

    orders: int = 4_739
    shipments: int = 2_038
    spoiled: int = 1_162
    calm: int = 200


@dataclass(frozen=True, slots=True)
class Telling:
    """One run of an emulated sender: what it tells, from which number on, and how many."""

    name: str
    retailer: str
    connection: str
    story: Story
    first: int
    count: int

    @property
    def messages(self) -> int:
        """Count the messages that it tells."""
        return self.story.count(self.first, self.count)


def maple_orders(first: int, count: int, name: str) -> Telling:
    """Tell orders of the outfitter's web shop."""
    articles = tuple(f"MM-{n:04d}" for n in range(1, 25))
    story = Story(SEED, "orders", "MM", articles, cancel_every=CANCEL_EVERY)
    return Telling(name, MAPLE, SHOP, story, first, count)


def shipments(first: int, count: int, name: str) -> Telling:
    """Tell shipments of the outfitter's warehouse for orders of a marketplace."""
    story = Story(SEED, "shipments", "MP", tuple(f"MM-{n:04d}" for n in range(1, 25)))
    return Telling(name, MAPLE, WAREHOUSE, story, first, count)


def northgate_orders(first: int, count: int, name: str) -> Telling:
    """Tell orders of the bookseller's web shop."""
    story = Story(SEED, "orders", "NG", tuple(ARTICLES))
    return Telling(name, NORTHGATE, SHOP, story, first, count)


def spoiling_count(first: int, spoiled: int) -> int:
    """Say how many orders of the bookseller it takes until so many hold a mistyped article."""
    story = northgate_orders(first, 0, "").story
    found = told = 0
    while found < spoiled:
        found += not MISTYPED.keys().isdisjoint(story.messages(first + told)[0].articles)
        told += 1
    return told


def document(ports: Mapping[str, int], secrets: Mapping[str, Path]) -> str:
    """Write the configuration as the YAML that `apply` reads; `ports` and `secrets` by system."""
    maple = _retailer(
        MAPLE,
        [
            _source(SHOP, "Web shop", secrets["maple-shop"]),
            _source(WAREHOUSE, "Warehouse", secrets["warehouse"]),
            _target(ERP, "ERP", ports["maple-erp"], secrets["maple-erp"]),
            _target(MARKETPLACE, "Marketplace", ports["marketplace"], secrets["marketplace"]),
        ],
        [
            _flow(ORDERS, "web_order_to_erp", SHOP, ERP),
            _flow(SHIPMENTS, "shipment_to_channel", WAREHOUSE, MARKETPLACE),
        ],
    )
    northgate = _retailer(
        NORTHGATE,
        [
            _source(SHOP, "Web shop", secrets["northgate-shop"]),
            _target(ERP, "ERP", ports["northgate-erp"], secrets["northgate-erp"]),
        ],
        [_flow(ORDERS, "web_order_to_erp", SHOP, ERP)],
    )
    partner = {"slug": PARTNER, "name": PARTNER_NAME, "retailers": [maple, northgate]}
    return yaml.safe_dump({"partners": [partner]}, sort_keys=False)


def _retailer(
    slug: str, connections: list[dict[str, Any]], flows: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": NAMES[slug],
        "timezone": "America/New_York",
        "currency": "USD",
        "connections": connections,
        "flows": flows,
    }


def _source(name: str, title: str, secret: Path) -> dict[str, Any]:
    return {
        "name": name,
        "connector": "http",
        "title": title,
        "hook": True,
        "secrets": {"webhook_secret": {"file": str(secret)}},
    }


def _target(name: str, title: str, port: int, secret: Path) -> dict[str, Any]:
    return {
        "name": name,
        "connector": "http",
        "title": title,
        "settings": {"base_url": f"http://127.0.0.1:{port}"},
        "secrets": {"signing_secret": {"file": str(secret)}},
    }


def _flow(name: str, blueprint: str, source: str, target: str) -> dict[str, Any]:
    return {"name": name, "blueprint": blueprint, "from": source, "to": target}
