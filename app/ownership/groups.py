"""Groups of attributes that one system owns, and who usually does: the matrix before anybody decides.

Where a retailer has exactly one system of the usual kind, `adopt` makes that one the owner. What a
retailer decides is rows (`ownership_rule`); without a row nothing is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connectors.canonical.event import (
    ORDER_FULFILLED,
    PRICE_SET,
    PRODUCT_SET,
    PROMOTION_SET,
    STOCK_COUNT,
    STOCK_MOVEMENT,
    STOCK_POSITION,
)

Group = Literal["product.core", "product.content", "price", "promotion", "stock", "fulfilment"]
# What happens to a write of somebody else: it counts, waits for a person, is left aside, or is left
# aside and the owner's value goes back to whoever wrote.
OnForeign = Literal["accept", "hold", "refuse", "restore"]


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What a group is, which events write it; which roles usually own it, and which write it too."""

    name: Group
    words: str
    types: frozenset[str]
    owners: tuple[str, ...]
    also: tuple[str, ...] = ()
    on_foreign: OnForeign = "hold"


# Source: the default matrix of the domain paper, section 1.1. Orders, payments, returns, settlements
# and journals are not in it: each of these documents belongs to the one system that issued it.
GROUPS: dict[Group, GroupRule] = {
    each.name: each
    for each in (
        GroupRule(
            "product.core",
            "Tax class, status, hierarchy, units and cost of articles",
            frozenset({PRODUCT_SET}),
            ("erp",),
        ),
        GroupRule(
            "product.content",
            "Titles, texts, brand and pictures of articles",
            frozenset({PRODUCT_SET}),
            ("shop",),
        ),
        GroupRule("price", "Prices", frozenset({PRICE_SET}), ("erp",)),
        GroupRule(
            "promotion", "Promotions", frozenset({PROMOTION_SET}), ("shop",), ("till",), "refuse"
        ),
        GroupRule(
            "stock",
            "Goods at hand at a place",
            frozenset({STOCK_POSITION, STOCK_COUNT, STOCK_MOVEMENT}),
            ("wms", "till"),
            ("erp",),
        ),
        GroupRule(
            "fulfilment",
            "What was shipped",
            frozenset({ORDER_FULFILLED}),
            ("wms",),
            ("shop", "till"),
        ),
    )
}
