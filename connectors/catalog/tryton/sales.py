"""The one sale of a web order: found by the shop's number, made single, brought forward.

Tryton has no idempotency key and no unique field on sales. So a sale carries the shop's number as
reference and the shop's order id in its description, is looked for before it is made, and what a
doubled or late request left as a second draft is removed before anything is booked.
"""

from __future__ import annotations

from connectors.canonical.order import Order
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.contention import act, remove, reread, search
from connectors.catalog.tryton.stopped import Refused
from connectors.sdk.message import JsonObject

MODEL = "sale.sale"
FIELDS = ("state", "number", "untaxed_amount", "tax_amount", "total_amount")

# How firm a sale is; of two for one order the firmer stays, then the older.
_FIRMNESS = {"done": 4, "processing": 3, "confirmed": 2, "cancelled": 2, "quotation": 1, "draft": 0}
# One order has one sale, for a moment two or three.
_RIVALS_LIMIT = 100
BOOKED = frozenset({"confirmed", "processing", "done", "cancelled"})
_NEXT = {"draft": "quote", "quotation": "confirm"}


def marks(order_id: str, number: str) -> JsonObject:
    """Give the fields by which a sale is found again: number for people, order id for certainty."""
    return {"reference": number, "description": f"Web order {order_id}"}


async def find(tryton: Tryton, order_id: str, number: str) -> list[JsonObject]:
    """Give the sales of one order, the one that counts first; more than one is a passing state."""
    domain = [[name, "=", value] for name, value in marks(order_id, number).items()]
    rows = await search(tryton, MODEL, domain, FIELDS, _RIVALS_LIMIT)
    return sorted(rows, key=lambda row: (-_FIRMNESS.get(row["state"], 0), row["id"]))


async def single(tryton: Tryton, order: Order) -> JsonObject | None:
    """Give the sale of an order after removing its rivals; None when there is none.

    Every worker that sees the same rivals keeps the same one, so that two never remove both.
    """
    rows = await find(tryton, order.order_id, order.number)
    for rival in rows[1:]:
        seen = rival
        if seen["state"] == "quotation":
            seen = await act(tryton, MODEL, seen, "draft", ("state",))
        await remove(tryton, MODEL, seen)
    return rows[0] if rows else None


async def bring_forward(tryton: Tryton, sale: JsonObject) -> JsonObject:
    """Do the next step of a sale (quote, confirm); gives it as it stands then.

    Tryton processes a confirmed sale itself, in its own queue where it has one.
    A step that someone else has just done is refused; then the state tells.
    """
    before = sale["state"]
    try:
        return await tryton.act(MODEL, sale["id"], _NEXT[before], FIELDS)
    except Refused:
        now = await reread(tryton, MODEL, sale["id"], FIELDS)
        if now["state"] == before:
            raise
        return now
