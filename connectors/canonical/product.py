"""Product and variant: what is sold, under which numbers, in which units, made of what."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from connectors.canonical.gs1 import Gtin, gtin
from connectors.canonical.money import Money
from connectors.canonical.quantity import PIECE, Conversions

ProductStatus = Literal["draft", "active", "delisted", "discontinued", "recalled"]
VariantKind = Literal[
    "stocked", "non_stocked", "service", "digital", "gift_card", "bundle", "kit", "weighed",
    "serialised", "lot", "deposit",
]  # fmt: skip
PackagingLevel = Literal["each", "inner", "case", "pallet"]
CostMethod = Literal["standard", "average", "fifo"]

# What is sold as one thing and taken from stock as several.
MADE_OF_OTHERS = frozenset({"bundle", "kit"})


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One property in which variants of a product differ: ("Size", "M")."""

    name: str
    value: str


class TradeNumber(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A GTIN as the source wrote it, and of which packaging; leading zeros are part of it."""

    written: str
    level: PackagingLevel = "each"

    def read(self) -> Gtin | None:
        """Give the number in 14 digits and whether it can be relied on; None when it is none."""
        return gtin(self.written)


class Conversion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many base units one of this unit is, exactly: a case of twelve is CS, 12 to 1."""

    uom: str
    numerator: int
    denominator: int = 1


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a bundle: how many in one bundle, and its percentage of the bundle's revenue."""

    sku: str
    quantity: Decimal
    revenue_share: Decimal


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one base unit costs the retailer; internal, never told to a channel."""

    money: Money
    method: CostMethod


class Variant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is priced, counted and sold. `sku` is unique in the retailer, and text: `0007` is not `7`."""

    sku: str
    title: str = ""
    options: tuple[Option, ...] = ()
    gtins: tuple[TradeNumber, ...] = ()
    kind: VariantKind = "stocked"
    uom_base: str = PIECE
    uom_sell: str = PIECE
    conversions: tuple[Conversion, ...] = ()
    weight_kg: Decimal | None = None
    cost: Cost | None = None
    hs_code: str = ""
    origin_country: str = ""
    is_age_restricted: bool = False
    is_hazardous: bool = False
    components: tuple[Component, ...] = ()

    def in_base_units(self) -> Conversions:
        """Give the conversions as exact fractions, as `quantity.converted` takes them."""
        return {each.uom: Fraction(each.numerator, each.denominator) for each in self.conversions}


class HierarchyLevel(msgspec.Struct, frozen=True, kw_only=True):
    """One step of department, class, subclass; journals are written by it."""

    level: str
    code: str


class Product(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What variants have in common. `recalled` means: off sale everywhere, at once."""

    product_id: str
    title: str
    description: str = ""
    brand: str = ""
    media: tuple[str, ...] = ()
    hierarchy: tuple[HierarchyLevel, ...] = ()
    tax_class: str = ""
    status: ProductStatus = "active"
    variants: tuple[Variant, ...]


# SKU -> its components; what has none is left out or empty.
Assembly = Mapping[str, tuple[Component, ...]]
