"""Books a till sale as a POS sale: exactly one, posted, with the till's totals and payments."""

from __future__ import annotations

from connectors.canonical.order import Order
from connectors.catalog.tryton import pos_sales
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.contention import contended, remove, reread
from connectors.catalog.tryton.pos_sales import Candidate, candidates, natural_key
from connectors.catalog.tryton.products import find_products
from connectors.catalog.tryton.stopped import Refused, Stopped
from connectors.catalog.tryton.ticket_lines import (
    check_paid,
    payments,
    receipt,
    ticket_lines,
)
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Delivered, Duplicate, Outcome, Rejected

_NEXT = {"open": "process", "done": "post"}


async def create_ticket(tryton: Tryton, order: Order) -> Outcome:
    """Book a till sale; a document that an earlier attempt left half way is brought to its end.

    Safe to repeat at any point. An open document with the same content and no receipt was left by
    an attempt whose answer got lost: it is taken instead of making another one.
    """
    check_paid(order)
    key = natural_key(order)
    paid = payments(order, tryton.settings)
    mine = await _single(tryton, order, paid, key)
    if mine is not None and mine.sale["state"] == "posted":
        return Duplicate(_reference(mine.sale))
    if mine is None:
        await _make(tryton, order, paid, key)
        mine = await _single(tryton, order, paid, key)
    if mine is None:
        # Another till sale with the same content took the document at the same moment.
        raise contended()
    return Delivered(_reference(await _post(tryton, mine.sale)))


async def posted_reference(tryton: Tryton, order: Order) -> str | None:
    """Give the document's number when the till sale is posted, None when something is missing."""
    found = await candidates(tryton, order, payments(order, tryton.settings))
    mine = (one.sale for one in found if one.owner() == natural_key(order))
    return next((_reference(sale) for sale in mine if sale["state"] == "posted"), None)


async def _single(
    tryton: Tryton, order: Order, paid: list[JsonObject], key: str
) -> Candidate | None:
    mine = [one for one in await candidates(tryton, order, paid) if one.owner() == key]
    for rival in mine[1:]:
        if rival.sale["state"] == "open":
            await remove(tryton, pos_sales.MODEL, rival.sale)
    return mine[0] if mine else None


async def _make(tryton: Tryton, order: Order, paid: list[JsonObject], key: str) -> None:
    products = await find_products(tryton, order.lines)
    lines = ticket_lines(order, products, tryton.settings)
    if tryton.settings.pos is None:
        words = "Set the point of sale that takes the till sales in the connection."
        raise Stopped(Rejected("settings.pos_missing", "/workstation", words))
    for one in await candidates(tryton, order, paid):
        if one.owner() is None and _is_same(one.sale, lines, paid, tryton.settings.pos):
            await pos_sales.attach(tryton, one.sale["id"], key, receipt(order, products))
            return
    values: JsonObject = {
        "point": tryton.settings.pos,
        "date": order.business_day or order.placed_at.date(),
        "lines": [["create", lines]],
        "payments": [["create", paid]],
    }
    created = await tryton.create(pos_sales.MODEL, values)
    await pos_sales.attach(tryton, created["id"], key, receipt(order, products))


async def _post(tryton: Tryton, sale: JsonObject) -> JsonObject:
    while sale["state"] in _NEXT:
        before = sale["state"]
        try:
            sale = await tryton.act(pos_sales.MODEL, sale["id"], _NEXT[before], pos_sales.FIELDS)
        except Refused:
            sale = await reread(tryton, pos_sales.MODEL, sale["id"], pos_sales.FIELDS)
            if sale["state"] == before:
                raise
        else:
            if sale["state"] == before:
                words = "Tryton finds money missing on the till sale and will not post it."
                raise Stopped(Rejected("order.totals_differ", "/total", words))
    return sale


def _is_same(sale: JsonObject, lines: list[JsonObject], paid: list[JsonObject], point: int) -> bool:
    if sale["state"] != "open" or sale["point"]["id"] != point:
        return False
    have = sorted(
        (
            row["product"]["id"],
            float(row["quantity"]),
            row["unit_list_price"],
            row["unit_gross_price"],
        )
        for row in sale["lines"]
    )
    want = sorted(
        (row["product"], row["quantity"], row["unit_list_price"], row["unit_gross_price"])
        for row in lines
    )
    have_paid = sorted((row["method"]["id"], row["amount"]) for row in sale["payments"])
    return have == want and have_paid == sorted((row["method"], row["amount"]) for row in paid)


def _reference(sale: JsonObject) -> str:
    return str(sale["number"] or sale["id"])
