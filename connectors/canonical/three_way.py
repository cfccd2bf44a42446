"""Order, receipt and invoice held against each other: every difference is a line with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connectors.canonical.purchase import GoodsReceipt, PurchaseOrder, VendorInvoice

DifferenceKind = Literal["quantity", "price", "not_ordered", "beyond_goods"]
LineKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an invoice may be off without a person: units, and of the cost the greater of both."""

    units: Decimal = Decimal(0)
    cost_share_0_1: Decimal = Decimal("0.005")
    cost_each: Decimal = Decimal("0.05")


USUAL = Tolerance()


@dataclass(frozen=True, slots=True)
class Difference:
    """What an invoice wants more (less when negative) than is owed, why, and whether it may pass."""

    kind: DifferenceKind
    line: LineKey
    amount: Decimal
    is_tolerated: bool
    words: str


@dataclass(frozen=True, slots=True)
class Matched:
    """What is owed for goods received at the cost ordered, what is wanted, and all that lies between.

    `owed` and every difference make `wanted`, exactly.
    """

    owed: Decimal
    wanted: Decimal
    differences: tuple[Difference, ...]

    @property
    def may_be_paid(self) -> bool:
        """Say whether no difference needs a person."""
        return all(each.is_tolerated for each in self.differences)


def match_invoice(
    orders: Iterable[PurchaseOrder],
    receipts: Iterable[GoodsReceipt],
    invoice: VendorInvoice,
    tolerance: Tolerance = USUAL,
) -> Matched:
    """Hold an invoice against what was ordered and received for its lines.

    Takes: all receipts for these lines, less what earlier invoices asked for already. Damaged goods
           arrived: whether they are paid is claimed from the vendor, not cut from the invoice.
    """
    costs = {(order.number, line.line_id): line.cost for order in orders for line in order.lines}
    received: dict[LineKey, Decimal] = {}
    for receipt in receipts:
        for counted in receipt.lines:
            key = (counted.order_number, counted.line_id)
            received[key] = received.get(key, Decimal(0)) + counted.counted
    invoiced = _by_line(invoice)
    owed = sum(
        (received.get(key, Decimal(0)) * costs.get(key, Decimal(0)) for key in invoiced), Decimal(0)
    )
    found: list[Difference] = []
    for key, (units, amount) in invoiced.items():
        if key not in costs:
            words = f"Order {key[0]}, line {key[1]} was never ordered."
            found.append(Difference("not_ordered", key, amount, is_tolerated=False, words=words))
            continue
        found += _line(
            key, _Asked(units, amount, received.get(key, Decimal(0)), costs[key]), tolerance
        )
    beyond = invoice.total - sum((amount for _, amount in invoiced.values()), Decimal(0))
    if beyond:
        words = f"{beyond} {invoice.currency} for charges and tax, beyond the goods."
        found.append(Difference("beyond_goods", ("", ""), beyond, is_tolerated=True, words=words))
    return Matched(owed, invoice.total, tuple(found))


@dataclass(frozen=True, slots=True)
class _Asked:
    units: Decimal
    amount: Decimal
    received: Decimal
    cost: Decimal


def _by_line(invoice: VendorInvoice) -> dict[LineKey, tuple[Decimal, Decimal]]:
    """Sum up an invoice by order line: units and amount."""
    sums: dict[LineKey, tuple[Decimal, Decimal]] = {}
    for line in invoice.lines:
        key = (line.order_number, line.line_id)
        units, amount = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = units + line.quantity, amount + line.quantity * line.cost
    return sums


def _line(key: LineKey, asked: _Asked, tolerance: Tolerance) -> list[Difference]:
    """Part what is wanted too much into units that never came and a price nobody agreed to."""
    found = []
    over = asked.units - asked.received
    if over:
        words = f"{asked.units} invoiced, {asked.received} received."
        tolerated = abs(over) <= tolerance.units
        found.append(Difference("quantity", key, over * asked.cost, tolerated, words))
    dearer = asked.amount - asked.units * asked.cost
    if dearer:
        allowed = max(tolerance.cost_each, asked.cost * tolerance.cost_share_0_1)
        words = f"{dearer} off the cost of {asked.cost} agreed for each."
        tolerated = abs(dearer) <= allowed * abs(asked.units)
        found.append(Difference("price", key, dearer, tolerated, words))
    return found
