"""Buying from vendors: what was ordered, acknowledged, announced, received and invoiced.

One line is known by (order number, line id) through all five. Costs are for one unit of `uom`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.gs1 import is_sscc
from connectors.canonical.inventory import Moment
from connectors.canonical.order_checks import Breach
from connectors.canonical.quantity import PIECE

PurchaseStatus = Literal["draft", "sent", "acknowledged", "part_received", "closed", "cancelled"]
LineAnswer = Literal["accepted", "backordered", "rejected", "substituted", "price_changed"]


class PurchaseLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One article on an order; `vendor_item` is the vendor's own number."""

    line_id: str
    sku: str
    vendor_item: str = ""
    gtin: str = ""
    quantity: Decimal
    uom: str = PIECE
    cost: Decimal
    requested_on: date | None = None


class PurchaseOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a vendor was asked for; a change is the same number with a greater revision."""

    number: str
    revision: int = 1
    vendor: str
    vendor_gln: str = ""
    ship_to: str
    ship_to_gln: str = ""
    currency: str
    terms: str = ""
    status: PurchaseStatus = "sent"
    ordered_at: Moment
    lines: tuple[PurchaseLine, ...]


class AcknowledgedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the vendor answers to one line: how many, at which cost, or what instead."""

    line_id: str
    answer: LineAnswer
    quantity: Decimal
    cost: Decimal | None = None
    substitute_item: str = ""
    expected_on: date | None = None


class PurchaseAcknowledgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The vendor's answer to an order (not the mere receipt of a file)."""

    acknowledgement_id: str
    order_number: str
    answered_at: Moment
    lines: tuple[AcknowledgedLine, ...]


class NoticeLine(msgspec.Struct, frozen=True, kw_only=True):
    """So much of one order line."""

    order_number: str
    line_id: str
    quantity: Decimal


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """One shipped unit under its SSCC and what is in it."""

    sscc: str
    lines: tuple[NoticeLine, ...]


class ShipNotice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a vendor announces, pack by pack; it may arrive after the goods. `lines` are its totals."""

    notice_id: str
    vendor: str
    shipped_at: Moment
    expected_at: Moment | None = None
    carrier: str = ""
    tracking_number: str = ""
    packs: tuple[Pack, ...] = ()
    lines: tuple[NoticeLine, ...]


class ReceivedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was counted at the dock; `damaged` of them cannot be sold. No order line: blind receipt."""

    order_number: str = ""
    line_id: str = ""
    sku: str
    counted: Decimal
    damaged: Decimal = Decimal(0)


class GoodsReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods that arrived and were counted."""

    receipt_id: str
    location: str
    received_at: Moment
    notice_id: str = ""
    lines: tuple[ReceivedLine, ...]


class InvoicedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor wants to be paid for one order line."""

    order_number: str
    line_id: str
    quantity: Decimal
    cost: Decimal


class VendorInvoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A vendor's invoice for goods; the sum of its lines, charges and tax is its total."""

    number: str
    vendor: str
    currency: str
    issued_on: date
    lines: tuple[InvoicedLine, ...]
    charges: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    total: Decimal


def purchase_breaches(order: PurchaseOrder) -> list[Breach]:
    """Give every rule that an order breaks."""
    return broken_rules(order, ORDER_RULES)


def notice_breaches(notice: ShipNotice) -> list[Breach]:
    """Give every rule that a notice breaks."""
    return broken_rules(notice, NOTICE_RULES)


def receipt_breaches(receipt: GoodsReceipt) -> list[Breach]:
    """Give every rule that a receipt breaks."""
    return broken_rules(receipt, RECEIPT_RULES)


def invoice_breaches(invoice: VendorInvoice) -> list[Breach]:
    """Give every rule that an invoice breaks."""
    return broken_rules(invoice, INVOICE_RULES)


def _lines(order: PurchaseOrder) -> Found:
    known: set[str] = set()
    for place, line in enumerate(order.lines):
        if line.line_id in known:
            yield f"/lines/{place}/line_id", f"Line {line.line_id} is there twice."
        known.add(line.line_id)
        if line.quantity <= 0 or line.cost < 0:
            words = f"{line.sku}: some must be ordered, at no negative cost."
            yield f"/lines/{place}", words


def _shipped_units(notice: ShipNotice) -> Found:
    known: set[str] = set()
    for place, pack in enumerate(notice.packs):
        if not is_sscc(pack.sscc):
            yield f"/packs/{place}/sscc", f"{pack.sscc} is no number of a shipped unit."
        elif pack.sscc in known:
            yield f"/packs/{place}/sscc", f"{pack.sscc} is on two packs."
        known.add(pack.sscc)


def _packed(notice: ShipNotice) -> Found:
    """Check that packs hold what the lines say; a notice without packs says it by lines only."""
    packed = _totals(line for pack in notice.packs for line in pack.lines)
    told = _totals(notice.lines)
    if not notice.packs:
        return
    for key in sorted({*packed, *told}):
        inside, said = packed.get(key, Decimal(0)), told.get(key, Decimal(0))
        if inside != said:
            number, line_id = key
            yield "/packs", f"Order {number}, line {line_id}: {inside} packed, {said} announced."


def _refers(notice: ShipNotice) -> Found:
    for place, line in enumerate(notice.lines):
        if not line.order_number:
            yield f"/lines/{place}/order_number", "A notice names the order that it is for."


def _counted(receipt: GoodsReceipt) -> Found:
    for place, line in enumerate(receipt.lines):
        if line.counted < 0 or not 0 <= line.damaged <= line.counted:
            yield f"/lines/{place}", f"{line.sku}: {line.damaged} of {line.counted} damaged."


def _invoiced(invoice: VendorInvoice) -> Found:
    goods = sum((line.quantity * line.cost for line in invoice.lines), Decimal(0))
    parts = goods + invoice.charges + invoice.tax
    if parts != invoice.total:
        words = f"Its parts make {parts} {invoice.currency}, the total says {invoice.total}."
        yield "/total", words


def _totals(lines: Iterable[NoticeLine]) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        key = (line.order_number, line.line_id)
        sums[key] = sums.get(key, Decimal(0)) + line.quantity
    return sums


ORDER_RULES: tuple[Rule[PurchaseOrder], ...] = (Rule("PO-1", "error", _lines),)
NOTICE_RULES: tuple[Rule[ShipNotice], ...] = (
    Rule("PO-2", "error", _shipped_units),
    Rule("PO-3", "error", _packed),
    Rule("PO-4", "error", _refers),
)
RECEIPT_RULES: tuple[Rule[GoodsReceipt], ...] = (Rule("PO-5", "error", _counted),)
INVOICE_RULES: tuple[Rule[VendorInvoice], ...] = (Rule("PO-6", "error", _invoiced),)
