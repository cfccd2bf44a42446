"""A till sale as lines and payments of a Tryton POS sale. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from connectors.canonical.order import Line, Order, Tender
from connectors.catalog.tryton.order_lines import Product
from connectors.catalog.tryton.pricing import Priced, priced
from connectors.catalog.tryton.settings import Settings
from connectors.catalog.tryton.stopped import Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Rejected


def ticket_lines(
    order: Order, products: Mapping[str, Product], settings: Settings
) -> list[JsonObject]:
    """Write what was sold and taken back; items that Tryton does not know go to one product.

    A POS line has no text of its own: what an unknown item was stands in the attached receipt.
    Tryton takes the tax from the difference of the two unit prices, so it is the till's tax.
    """
    rows = []
    for line in sold(order):
        product = products.get(line.sku or "")
        product_id = product.id if product else _unmapped(settings)
        net = line.gross - sum((tax.amount for tax in line.taxes), Decimal(0))
        parts = priced(line.quantity, net, line.gross, settings.price_decimals)
        rows += [_row(product_id, part) for part in parts]
    shipping_tax = sum((tax.amount for tax in order.shipping_taxes), Decimal(0))
    extras = (
        (order.shipping - shipping_tax, order.shipping),
        (order.fees, order.fees),
        (order.rounding, order.rounding),
    )
    rows += [_single(_unmapped(settings), net, gross) for net, gross in extras if gross]
    refunds = (-amount for kind, amount in _by_kind(order).items() if _is_refund(kind, amount))
    return rows + [_single(_refund(settings), amount, amount) for amount in refunds]


def payments(order: Order, settings: Settings) -> list[JsonObject]:
    """Write one payment per kind of tender; change given back is taken off the cash.

    Tryton lets only cash be paid out. Money given back in another way is a line, see above.
    """
    return [
        {"method": _method(kind, settings), "amount": amount}
        for kind, amount in _by_kind(order).items()
        if amount and not _is_refund(kind, amount)
    ]


def check_paid(order: Order) -> None:
    """Stop when the tenders do not come to the total, or the lines do not (Tryton would not post)."""
    lines = sum((line.gross for line in sold(order)), Decimal(0))
    charged = lines + order.shipping + order.fees + order.rounding
    paid = sum((tender.amount for tender in order.tenders), Decimal(0))
    for name, amount in (("lines", charged), ("tenders", paid)):
        if amount != order.total:
            words = (
                f"Till sale {order.number} says {order.total} {order.currency}, its {name} come to "
                f"{amount}. Correct the record, then release it."
            )
            raise Stopped(Rejected("order.totals_differ", f"/{name}", words))


def receipt(order: Order, products: Mapping[str, Product]) -> str:
    """Write the till sale as text for people who open the document in Tryton."""
    rows = [
        f"{line.quantity} {line.uom}  {line.title}  {line.gross} {order.currency}"
        + ("" if line.sku in products else f"  (SKU {line.sku or 'none'} is unknown here)")
        for line in sold(order)
    ]
    rows += [f"{tender.name} {tender.amount} {order.currency}" for tender in order.tenders]
    return "\n".join([f"Till sale {order.number}", *rows, f"Total {order.total} {order.currency}"])


def sold(order: Order) -> list[Line]:
    """Give the lines that count: not voided, not zero."""
    return [line for line in order.lines if not line.is_voided and line.quantity]


def _row(product: int, part: Priced) -> JsonObject:
    return {
        "product": product,
        # Tryton's quantity is a float by its own definition; it is no amount.
        "quantity": float(part.quantity),
        "unit_list_price": part.net_unit,
        "unit_gross_price": part.gross_unit,
    }


def _single(product: int, net: Decimal, gross: Decimal) -> JsonObject:
    # Tryton wants positive prices: what lowers the total is a negative quantity.
    sign = Decimal(1).copy_sign(gross)
    return _row(product, Priced(sign, net * sign, gross * sign))


def _by_kind(order: Order) -> dict[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for tender in order.tenders:
        kind = _kind(tender)
        amounts[kind] = amounts.get(kind, Decimal(0)) + tender.amount
    return amounts


def _kind(tender: Tender) -> str:
    return "cash" if tender.kind == "change" else tender.kind


def _is_refund(kind: str, amount: Decimal) -> bool:
    return amount < 0 and kind != "cash"


def _method(kind: str, settings: Settings) -> int:
    method = settings.payment_methods.get(kind) or settings.payment_methods.get("other")
    if method is None:
        words = f"Tryton has no payment method for {kind}. Map it in the connection's settings."
        raise Stopped(Rejected("tender.unmapped", "/tenders", words))
    return method


def _unmapped(settings: Settings) -> int:
    if settings.unmapped_product is None:
        words = "The till sold an item that Tryton does not know. Set the product for such items."
        raise Stopped(Rejected("settings.unmapped_product_missing", "/lines", words))
    return settings.unmapped_product


def _refund(settings: Settings) -> int:
    if settings.refund_product is None:
        words = "Money went back to a card. Set the product for refunds in the connection."
        raise Stopped(Rejected("settings.refund_product_missing", "/tenders", words))
    return settings.refund_product
