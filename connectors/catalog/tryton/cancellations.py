"""Cancels the sale of a web order, whatever stage it has reached, as long as nothing was shipped."""

from __future__ import annotations

from connectors.canonical.order import Order
from connectors.catalog.tryton import sales
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.stopped import Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Delivered, Duplicate, NotYet, Outcome, Rejected

_FIELDS = (
    *sales.FIELDS,
    "invoice_state",
    "shipment_state",
    "invoices.state",
    "shipments.state",
    "line_lines.moves.state",
)
_CANCELLABLE = frozenset({"draft", "waiting", "assigned"})


async def cancel_order(tryton: Tryton, order: Order) -> Outcome:
    """Cancel an order's sale, its shipments and its draft invoices; safe to repeat at any point.

    A sale that Tryton already processes cannot be cancelled there: it ends as done, with nothing
    shipped and nothing invoiced, which is how Tryton's own users do it.
    """
    sale = await _sale(tryton, order)
    if sale is None:
        return NotYet(order.order_id, f"Order {order.number} is not in Tryton yet.")
    if _is_void(sale):
        return Duplicate(_reference(sale))
    if sale["state"] in {"quotation", "confirmed"}:
        sale |= await tryton.act(sales.MODEL, sale["id"], "draft", sales.FIELDS)
    if sale["state"] == "draft":
        await tryton.act(sales.MODEL, sale["id"], "cancel", sales.FIELDS)
        return Delivered(_reference(sale))
    _check_unshipped(order, sale)
    return await _undo(tryton, sale)


async def cancelled_reference(tryton: Tryton, order: Order) -> str | None:
    """Give the sale's number when the order is cancelled or void, None when it still runs."""
    sale = await _sale(tryton, order)
    return _reference(sale) if sale is not None and _is_void(sale) else None


async def _sale(tryton: Tryton, order: Order) -> JsonObject | None:
    found = await sales.find(tryton, order.order_id, order.number)
    if not found:
        return None
    rows = await tryton.search(sales.MODEL, [["id", "=", found[0]["id"]]], _FIELDS, limit=1)
    return rows[0] if rows else None


def _is_void(sale: JsonObject) -> bool:
    if sale["state"] == "cancelled":
        return True
    parts = [*sale["shipments"], *sale["invoices"]]
    return sale["state"] == "done" and all(part["state"] == "cancelled" for part in parts)


def _check_unshipped(order: Order, sale: JsonObject) -> None:
    shipped = [
        part for part in sale["shipments"] if part["state"] not in {*_CANCELLABLE, "cancelled"}
    ]
    posted = [part for part in sale["invoices"] if part["state"] not in {"draft", "cancelled"}]
    if shipped or posted:
        what = "shipped" if shipped else "invoiced"
        words = (
            f"Order {order.number} is already being {what} in Tryton and cannot be cancelled. "
            "Take it back as a return."
        )
        raise Stopped(Rejected("order.too_late", "", words))


async def _undo(tryton: Tryton, sale: JsonObject) -> Outcome:
    for model, parts in (
        ("stock.shipment.out", sale["shipments"]),
        ("account.invoice", sale["invoices"]),
    ):
        for part in parts:
            if part["state"] != "cancelled":
                await tryton.act(model, part["id"], "cancel", ("state",))
    ignored: JsonObject = {
        "invoices_ignored": [["add", [part["id"] for part in sale["invoices"]]]],
        "lines": [
            ["write", [line["id"]], {"moves_ignored": [["add", [m["id"] for m in line["moves"]]]]}]
            for line in sale["line_lines"]
            if line["moves"]
        ],
    }
    await tryton.write(sales.MODEL, sale["id"], ignored, ("state",))
    await tryton.act(sales.MODEL, sale["id"], "process", sales.FIELDS)
    return Delivered(_reference(sale))


def _reference(sale: JsonObject) -> str:
    return str(sale["number"] or sale["id"])
