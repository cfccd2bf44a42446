"""A Shopify refund as the canonical refund: the money that went back and the goods it was for."""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.money import quantized
from connectors.canonical.order import Line, Refund, Tax
from connectors.catalog.shopify.line_in import discount_of
from connectors.catalog.shopify.tender_in import refund_tender
from connectors.sdk.message import HoldRecord, JsonObject
from connectors.sdk.payload import (
    Part,
    amount,
    amount_or,
    currency,
    decimal,
    identifier,
    identifier_or,
    items,
    moment,
    moment_or_none,
    part_or_none,
    text_or,
)

# A pending transaction is on its way at the gateway; a failed one moved nothing.
_MOVED = {"success", "pending"}


def read_refund(payload: JsonObject, settings: JsonObject) -> Refund:
    """Read a refund; money and goods may each be partial, and either may be missing.

    Lines have negative quantities and amounts. Their sum may differ from `amount`: goodwill,
    restocking fees and refunded shipping are money without goods.
    """
    code = _currency(payload, settings)
    tax_inclusive = settings.get("taxes_included") is True
    tenders = tuple(
        refund_tender(each, code)
        for each in items(payload, "/transactions")
        if text_or(each, "/kind") == "refund" and text_or(each, "/status") in _MOVED
    )
    return Refund(
        refund_id=identifier(payload, "/id"),
        order_id=identifier(payload, "/order_id"),
        currency=code,
        happened_at=moment_or_none(payload, "/processed_at") or moment(payload, "/created_at"),
        lines=tuple(
            _line(each, code, tax_inclusive=tax_inclusive)
            for each in items(payload, "/refund_line_items")
        ),
        amount=sum((tender.amount for tender in tenders), Decimal(0)),
        tenders=tenders,
    )


def _currency(payload: JsonObject, settings: JsonObject) -> str:
    """Find the currency: a refund names it only on its transactions and money sets."""
    for each in items(payload, "/transactions"):
        return currency(each, "/currency")
    for each in items(payload, "/refund_line_items"):
        if part_or_none(each, "/subtotal_set") is not None:
            return currency(each, "/subtotal_set/shop_money/currency_code")
    if not settings.get("currency"):
        words = "This refund moved no money and names no currency. Set the connection's currency."
        raise HoldRecord("contract.missing_field", "/transactions/0/currency", words)
    return currency(settings, "/currency")


def _line(part: Part, code: str, *, tax_inclusive: bool) -> Line:
    sold = Part(part.value.get("line_item") or {}, f"{part.pointer}/line_item")
    quantity = decimal(part, "/quantity")
    unit_price = decimal(sold, "/price")
    net = amount_or(part, "/subtotal", code, _share(sold, quantity, unit_price, code))
    tax = amount_or(part, "/total_tax", code, _tax_share(sold, quantity, code))
    return Line(
        line_id=identifier_or(part, "/line_item_id") or identifier(sold, "/id"),
        sku=text_or(sold, "/sku") or None,
        title=text_or(sold, "/name") or text_or(sold, "/title"),
        quantity=-quantity,
        unit_price=unit_price,
        discount=net - quantized(unit_price * quantity, code),
        net=-net,
        taxes=(Tax(name="", amount=-tax),) if tax else (),
        gross=-(net if tax_inclusive else net + tax),
    )


def _share(sold: Part, quantity: Decimal, unit_price: Decimal, code: str) -> Decimal:
    """Work out what came back of a line for payloads from before Shopify told `subtotal`."""
    whole = decimal(sold, "/quantity") or Decimal(1)
    return quantized((unit_price - discount_of(sold, code) / whole) * quantity, code)


def _tax_share(sold: Part, quantity: Decimal, code: str) -> Decimal:
    whole = decimal(sold, "/quantity") or Decimal(1)
    taxes = sum((amount(each, "/price", code) for each in items(sold, "/tax_lines")), Decimal(0))
    return quantized(taxes / whole * quantity, code)
