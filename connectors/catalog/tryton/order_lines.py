"""A web order as lines of a Tryton sale, and what its totals must be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.order import Line, Order, Tax
from connectors.catalog.tryton.pricing import priced
from connectors.catalog.tryton.settings import Settings
from connectors.catalog.tryton.stopped import Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Rejected

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Product:
    """A product of Tryton and the unit it is sold in, by their ids."""

    id: int
    unit: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What the sale must come to: `carried` is tax that no tax of Tryton is mapped to.

    `taxed_lines` bounds how far rounding may take Tryton's own computation from the shop's.
    """

    untaxed: Decimal
    tax: Decimal
    carried: Decimal
    taxed_lines: int


def sale_lines(
    order: Order, products: Mapping[str, Product], settings: Settings
) -> list[JsonObject]:
    """Write the order's lines, shipping, fees and rounding as sale lines.

    Discounts are in the unit price. A SKU that Tryton does not know becomes a line without product:
    its money is booked, only its stock is not.
    """
    rows: list[JsonObject] = []
    for line in _sold(order):
        product = products.get(line.sku or "")
        for part in priced(line.quantity, _net(line), line.gross, settings.price_decimals):
            row = _row(_title(line, product), part.quantity, part.net_unit)
            row["taxes"] = [["add", _tax_ids(line.taxes, settings)]]
            if product:
                row |= {"product": product.id, "unit": product.unit}
            rows.append(row)
    return rows + _extras(order, settings)


def totals(order: Order, settings: Settings) -> Totals:
    """Say what the sale must come to; Stopped when the order does not add up itself."""
    sold = _sold(order)
    charged = sum((line.gross for line in sold), order.shipping + order.fees + order.rounding)
    if charged != order.total:
        words = (
            f"Order {order.number} says {order.total} {order.currency}, its lines come to {charged}. "
            "Correct it in the shop, then release it."
        )
        raise Stopped(Rejected("order.totals_differ", "/total", words))
    taxes = [*order.shipping_taxes, *(tax for line in sold for tax in line.taxes)]
    tax = sum((tax.amount for tax in taxes), Decimal(0))
    unmapped = [tax.amount for tax in taxes if _tax_id(tax, settings) is None]
    return Totals(order.total - tax, tax, sum(unmapped, Decimal(0)), len(taxes))


def tax_difference_line(difference: Decimal, wanted: Totals, settings: Settings) -> JsonObject:
    """Write the line that makes Tryton's tax the shop's: n times a fixed tax of one minor unit."""
    rounding = abs(difference - wanted.carried)
    if settings.tax_difference is None or rounding > CENT * max(1, wanted.taxed_lines):
        words = (
            f"The shop charged {wanted.tax} tax, Tryton computes {wanted.tax - difference}. "
            "Map the shop's tax rates to Tryton's taxes, then release the order."
        )
        raise Stopped(Rejected("tax.differs", "/lines/taxes", words))
    row = _row("Tax as charged by the shop", difference / CENT, Decimal(0))
    row["taxes"] = [["add", [settings.tax_difference]]]
    return row


def _sold(order: Order) -> list[Line]:
    return [line for line in order.lines if not line.is_voided and line.quantity]


def _net(line: Line) -> Decimal:
    # Never unit price times quantity: the source's amounts are trusted, tax-inclusive or not.
    return line.gross - sum((tax.amount for tax in line.taxes), Decimal(0))


def _title(line: Line, product: Product | None) -> str:
    unknown = "" if product or not line.sku else f" (unknown SKU {line.sku})"
    return f"{line.title}{unknown}"


def _extras(order: Order, settings: Settings) -> list[JsonObject]:
    shipping_tax = sum((tax.amount for tax in order.shipping_taxes), Decimal(0))
    amounts: tuple[tuple[str, Decimal, Sequence[Tax]], ...] = (
        ("Shipping", order.shipping - shipping_tax, order.shipping_taxes),
        ("Fees", order.fees, ()),
        ("Rounding", order.rounding, ()),
    )
    rows = []
    for title, amount, taxes in amounts:
        if amount or taxes:
            row = _row(title, Decimal(1), amount)
            row["taxes"] = [["add", _tax_ids(taxes, settings)]]
            rows.append(row)
    return rows


def _row(description: str, quantity: Decimal, unit_price: Decimal) -> JsonObject:
    # Tryton's quantity is a float by its own definition; it is no amount.
    return {"description": description, "quantity": float(quantity), "unit_price": unit_price}


def _tax_ids(taxes: Sequence[Tax], settings: Settings) -> list[int]:
    found = (_tax_id(tax, settings) for tax in taxes)
    return sorted({tax_id for tax_id in found if tax_id is not None})


def _tax_id(tax: Tax, settings: Settings) -> int | None:
    return None if tax.rate is None else settings.taxes.get(f"{tax.rate.normalize():f}")
