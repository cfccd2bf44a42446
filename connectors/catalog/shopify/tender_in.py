"""How a Shopify order was paid or a refund was paid out, by gateway."""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.order import Tender, TenderKind
from connectors.sdk.message import JsonObject
from connectors.sdk.payload import Part, amount, amount_or, identifier_or, text_or

# Gateway names as Shopify writes them; others are payment apps of any kind.
_KINDS: dict[str, TenderKind] = {
    "shopify_payments": "card",
    "stripe": "card",
    "paypal": "wallet",
    "shop_pay": "wallet",
    "gift_card": "gift_card",
    "shopify_store_credit": "store_credit",
    "store_credit": "store_credit",
    "cash": "cash",
    "Cash on Delivery (COD)": "cash",
}
_PAID = {"paid", "partially_paid", "partially_refunded", "refunded"}


def paid_tenders(payload: JsonObject, currency: str, total: Decimal) -> tuple[Tender, ...]:
    """Give what was captured as one tender: an order names its gateways, not their shares.

    After refunds `total_outstanding` no longer tells what was captured, so only a part payment
    uses it.
    """
    status = text_or(payload, "/financial_status")
    if status not in _PAID:
        return ()
    outstanding = amount_or(payload, "/total_outstanding", currency)
    captured = total - outstanding if status == "partially_paid" else total
    names = _gateways(payload)
    kind = gateway_kind(names[0]) if len(names) == 1 else "other"
    return (Tender(kind=kind, name=" + ".join(names), amount=captured),) if captured else ()


def refund_tender(part: Part, currency: str) -> Tender:
    """Read one refund transaction."""
    gateway = text_or(part, "/gateway")
    return Tender(
        kind=gateway_kind(gateway),
        name=gateway,
        amount=amount(part, "/amount", currency),
        reference=identifier_or(part, "/id") or None,
    )


def gateway_kind(gateway: str) -> TenderKind:
    """Say what kind of tender a gateway is."""
    return _KINDS.get(gateway, "other")


def _gateways(payload: JsonObject) -> list[str]:
    names = payload.get("payment_gateway_names")
    return [one for one in names if isinstance(one, str) and one] if isinstance(names, list) else []
