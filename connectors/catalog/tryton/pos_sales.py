"""The one POS sale of a till sale: found by what was paid and by the receipt attached to it.

Tryton's POS sales have no reference field and their number is Tryton's own. So the receipt is
attached under the till's natural key, and a document counts as ours only with it. Attachments can be
searched by document only, hence first the documents of that day with those payments, which no
change of the mapping can alter, then their receipts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.order import Order
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.contention import contended, reread, search
from connectors.catalog.tryton.stopped import Refused, Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Rejected

MODEL = "sale.point.sale"
FIELDS = (
    "state",
    "number",
    "total",
    "point.id",
    "lines.product.id",
    "lines.quantity",
    "lines.unit_list_price",
    "lines.unit_gross_price",
    "payments.amount",
    "payments.method.id",
)
RECEIPTS = "ir.attachment"
# More equal payments on one day than any shop has; beyond it nothing would be certain.
CANDIDATES_LIMIT = 2000
RECEIPTS_PER_CALL = 100

_FIRMNESS = {"posted": 2, "done": 1, "open": 0, "cancelled": -1}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A POS sale and the names of the receipts on it, the oldest first with their ids."""

    sale: JsonObject
    receipts: tuple[tuple[int, str], ...]

    def owner(self) -> str | None:
        """Give the key of the till sale that this document belongs to: the first receipt's."""
        return self.receipts[0][1] if self.receipts else None


def natural_key(order: Order) -> str:
    """Name a till sale as the tills do: store, business day, workstation, sequence."""
    parts = (order.store, order.business_day, order.workstation, order.sequence)
    if all(parts):
        return f"Till sale {' / '.join(str(part) for part in parts)}"
    return f"Till sale {order.order_id}"


async def candidates(
    tryton: Tryton, order: Order, payments: Sequence[JsonObject]
) -> list[Candidate]:
    """Give the documents of that day with those payments, the firmest first, then the oldest."""
    domain: list[object] = [["date", "=", order.business_day or order.placed_at.date()]]
    amounts: list[Decimal] = [payment["amount"] for payment in payments]
    domain += [["payments", "where", [["amount", "=", amount]]] for amount in amounts]
    domain += [] if amounts else [["payments", "=", None]]
    sales = await search(tryton, MODEL, domain, FIELDS, CANDIDATES_LIMIT)
    if len(sales) == CANDIDATES_LIMIT:
        words = "Too many equal POS sales on one day; it cannot be told which one is this one."
        raise Stopped(Rejected("target.ambiguous", "/tenders", words))
    try:
        receipts = await _receipts(tryton, [sale["id"] for sale in sales])
    except Refused as refused:
        # Tryton refuses to name receipts of a document that another worker has just removed.
        now = await search(tryton, MODEL, domain, ("state",), CANDIDATES_LIMIT)
        is_changed = {sale["id"] for sale in sales} - {sale["id"] for sale in now}
        raise contended() if is_changed else refused from refused
    found = [Candidate(sale, tuple(receipts.get(sale["id"], ()))) for sale in sales]
    return sorted(found, key=lambda one: (-_FIRMNESS.get(one.sale["state"], 0), one.sale["id"]))


async def attach(tryton: Tryton, sale_id: int, key: str, receipt: str) -> None:
    """Put the receipt on a document under the till sale's key."""
    values = {"resource": f"{MODEL},{sale_id}", "name": key, "data": receipt.encode()}
    try:
        await tryton.create(RECEIPTS, values)
    except Refused:
        await reread(tryton, MODEL, sale_id, ("state",))
        raise


async def _receipts(tryton: Tryton, sale_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for start in range(0, len(sale_ids), RECEIPTS_PER_CALL):
        some = sale_ids[start : start + RECEIPTS_PER_CALL]
        domain = [["resource", "in", [f"{MODEL},{sale_id}" for sale_id in some]]]
        limit = 10 * RECEIPTS_PER_CALL
        for row in await tryton.search(RECEIPTS, domain, ("name", "resource"), limit=limit):
            _, _, sale_id = str(row["resource"]).partition(",")
            if not sale_id:
                # Tryton found the receipt, and its document was removed before it was read.
                raise contended()
            found.setdefault(int(sale_id), []).append((row["id"], row["name"]))
    return found
