"""Books a web order as a sale: exactly one, with the shop's totals, whatever gets lost on the way."""

from __future__ import annotations

from connectors.canonical.order import Order
from connectors.catalog.tryton import sales
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.contention import act, contended, reread
from connectors.catalog.tryton.order_lines import (
    Totals,
    sale_lines,
    tax_difference_line,
    totals,
)
from connectors.catalog.tryton.parties import find_or_create_buyer
from connectors.catalog.tryton.products import find_products
from connectors.catalog.tryton.stopped import Refused, Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Delivered, Duplicate, Outcome, Rejected

# Draft, quotation, and once back to draft when another worker changed the lines in between.
STEPS_LIMIT = 5


async def create_order(tryton: Tryton, order: Order) -> Outcome:
    """Book an order; a sale that an earlier attempt left half way is brought to its end.

    Safe to repeat at any point: the sale is looked for first, every step starts from its state.
    """
    wanted = totals(order, tryton.settings)
    _check_currency(tryton, order)
    sale = await sales.single(tryton, order)
    if sale is not None and sale["state"] in sales.BOOKED:
        return Duplicate(_reference(sale))
    if sale is None:
        await _create(tryton, order)
        sale = await sales.single(tryton, order)
    for _ in range(STEPS_LIMIT):
        if sale is None:
            break
        if sale["state"] in sales.BOOKED:
            return Delivered(_reference(sale))
        sale = await _step(tryton, sale, wanted)
    raise contended()


async def booked_reference(tryton: Tryton, order: Order) -> str | None:
    """Give the sale's number when the order is completely booked, None when something is missing."""
    rows = await sales.find(tryton, order.order_id, order.number)
    return _reference(rows[0]) if rows and rows[0]["state"] in sales.BOOKED else None


async def _create(tryton: Tryton, order: Order) -> None:
    products = await find_products(tryton, order.lines)
    buyer = await find_or_create_buyer(tryton, order)
    values: JsonObject = {
        **sales.marks(order.order_id, order.number),
        "party": buyer.party,
        "invoice_address": buyer.address,
        "shipment_address": buyer.address,
        "invoice_method": "order",
        "shipment_method": "order",
        "lines": [["create", sale_lines(order, products, tryton.settings)]],
    }
    if tryton.settings.payment_term is not None:
        values["payment_term"] = tryton.settings.payment_term
    await tryton.create(sales.MODEL, values)


async def _step(tryton: Tryton, sale: JsonObject, wanted: Totals) -> JsonObject | None:
    if sale["state"] == "quotation" and not _agrees(sale, wanted):
        return await act(tryton, sales.MODEL, sale, "draft", sales.FIELDS)
    if sale["state"] == "draft":
        sale = await _carry_tax(tryton, sale, wanted)
    return await sales.bring_forward(tryton, sale)


async def _carry_tax(tryton: Tryton, sale: JsonObject, wanted: Totals) -> JsonObject:
    difference = wanted.tax - sale["tax_amount"]
    if difference:
        row = tax_difference_line(difference, wanted, tryton.settings)
        change = {"lines": [["create", [row]]]}
        try:
            sale = await tryton.write(sales.MODEL, sale["id"], change, sales.FIELDS)
        except Refused as refused:
            now = await reread(tryton, sales.MODEL, sale["id"], sales.FIELDS)
            raise contended() if now["state"] != "draft" else refused from refused
    if not _agrees(sale, wanted):
        words = (
            f"The sale comes to {sale['total_amount']} in Tryton, the shop charged "
            f"{wanted.untaxed + wanted.tax}. Compare the lines of the draft sale with the order."
        )
        raise Stopped(Rejected("order.totals_differ", "/total", words))
    return sale


def _agrees(sale: JsonObject, wanted: Totals) -> bool:
    return bool(sale["untaxed_amount"] == wanted.untaxed and sale["tax_amount"] == wanted.tax)


def _check_currency(tryton: Tryton, order: Order) -> None:
    if order.currency != tryton.settings.currency:
        words = (
            f"Order {order.number} is in {order.currency}, the books of this Tryton company are in "
            f"{tryton.settings.currency}. Connect a company that keeps {order.currency}."
        )
        raise Stopped(Rejected("currency.differs", "/currency", words))


def _reference(sale: JsonObject) -> str:
    return str(sale["number"] or sale["id"])
