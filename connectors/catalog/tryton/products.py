"""Finds Tryton's products by the SKU that shops and tills use."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.canonical.order import Line
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.order_lines import Product

_FIELDS = ("code", "default_uom.id")


async def find_products(tryton: Tryton, lines: Iterable[Line]) -> dict[str, Product]:
    """Give the products of the lines by SKU; SKUs that Tryton does not know are left out."""
    mapped = tryton.settings.products
    skus = sorted({line.sku for line in lines if line.sku})
    if not skus:
        return {}
    wanted = [mapped[sku] for sku in skus if sku in mapped]
    codes = [sku for sku in skus if sku not in mapped]
    domain = ["OR", ["id", "in", wanted], ["code", "in", codes]]
    rows = await tryton.search("product.product", domain, _FIELDS, limit=2 * len(skus))
    found = {row["id"]: Product(row["id"], row["default_uom"]["id"]) for row in rows}
    by_code = {row["code"]: found[row["id"]] for row in rows}
    by_map = {sku: found[mapped[sku]] for sku in skus if mapped.get(sku) in found}
    return {sku: product for sku, product in (by_code | by_map).items() if sku in skus}
