"""Customers of the emulated shop: an order takes stock and becomes an orders/create payload."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any

from connectors.canonical.money import allocate, quantized
from connectors.catalog.shopify.emulator.state import LOCATION_GID, Article, ShopState

_SHIPPING = Decimal("5.95")
_DISCOUNT_SHARE = Decimal("0.10")


def place_order(state: ShopState) -> dict[str, Any] | None:
    """Sell one to three articles that the shop still shows; None when it shows none.

    The shop takes its own stock down at once, then tells the world by webhook.
    """
    shown = [each for each in state.articles.values() if state.available[_place(each)] > 0]
    if not shown:
        state.note("sold_out")
        return None
    chosen = state.random.sample(shown, min(len(shown), state.random.randint(1, 3)))
    sold = [
        (each, min(state.available[_place(each)], state.random.randint(1, 2))) for each in chosen
    ]
    return sell(state, sold)


def sell(state: ShopState, sold: list[tuple[Article, int]]) -> dict[str, Any]:
    """Sell these articles in these quantities, which the shop must show."""
    for article, quantity in sold:
        state.available[_place(article)] -= quantity
    state.order_count += 1
    order = _order(state, sold)
    lines = {article.sku: quantity for article, quantity in sold}
    state.note(
        "sold", order=order["id"], name=order["name"], total=order["total_price"], lines=lines
    )
    state.remember_order(order)
    _tell(state, "orders/create", order)
    return order


def refund_order(state: ShopState, order: dict[str, Any]) -> dict[str, Any]:
    """Give all the money of an order back, without its goods; told by webhooks like any change."""
    now = state.clock().isoformat(timespec="seconds")
    number = order["id"] - 5_000_000_000
    refund = {
        "id": 7_000_000_000 + number,
        "admin_graphql_api_id": f"gid://shopify/Refund/{7_000_000_000 + number}",
        "order_id": order["id"],
        "created_at": now,
        "processed_at": now,
        "transactions": [
            {
                "id": 8_000_000_000 + number,
                "kind": "refund",
                "status": "success",
                "gateway": "shopify_payments",
                "amount": order["total_price"],
                "currency": order["currency"],
            }
        ],
        "refund_line_items": [],
    }
    state.remember_order(order | {"updated_at": now, "financial_status": "refunded"})
    state.note("refunded", order=order["id"], name=order["name"], total=order["total_price"])
    _tell(state, "refunds/create", refund)
    return refund


def _tell(state: ShopState, topic: str, content: dict[str, Any]) -> None:
    """Put a webhook on its way, unless it is one that gets lost."""
    webhook_id = str(uuid.UUID(int=state.random.getrandbits(128), version=4))
    if state.faults.lost_webhooks > 0:
        state.faults.lost_webhooks -= 1
        state.note("webhook_lost", topic=topic, webhook_id=webhook_id)
        return
    state.outbox.append((topic, json.dumps(content).encode(), webhook_id))


def _place(article: Article) -> tuple[str, str]:
    return article.item_gid, LOCATION_GID


def _order(state: ShopState, sold: list[tuple[Article, int]]) -> dict[str, Any]:
    goods = [article.price * quantity for article, quantity in sold]
    has_code = state.random.random() < 0.3  # noqa: PLR2004 - three customers in ten have a code
    discount = quantized(sum(goods) * _DISCOUNT_SHARE, state.currency) if has_code else Decimal(0)
    shares = allocate(discount, goods, state.currency)
    lines = [
        _line(state, article, quantity, share)
        for (article, quantity), share in zip(sold, shares, strict=True)
    ]
    shipping = _shipping(state)
    tax = sum((_tax_of(each) for each in [*lines, shipping]), Decimal(0))
    subtotal = sum(goods, Decimal(0)) - discount
    total = subtotal + _SHIPPING + tax
    return _head(state) | {
        **_amounts(state, "subtotal_price", subtotal),
        **_amounts(state, "total_line_items_price", sum(goods, Decimal(0))),
        **_amounts(state, "total_discounts", discount),
        **_amounts(state, "total_tax", tax),
        **_amounts(state, "total_price", total),
        **_amounts(state, "current_total_price", total),
        "total_shipping_price_set": _money_set(state, _SHIPPING),
        "total_cash_rounding_payment_adjustment_set": _money_set(state, Decimal("0.00")),
        "total_tip_received": "0.00",
        "discount_codes": [{"code": "WELCOME10", "amount": str(discount), "type": "percentage"}]
        if has_code
        else [],
        "line_items": lines,
        "shipping_lines": [shipping],
        "refunds": [],
        "fulfillments": [],
    }


def _head(state: ShopState) -> dict[str, Any]:
    number = 1000 + state.order_count
    order_id = 5_000_000_000 + state.order_count
    now = state.clock().isoformat(timespec="seconds")
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "name": f"#{number}",
        "order_number": number,
        "source_name": "web",
        "currency": state.currency,
        "presentment_currency": state.currency,
        "taxes_included": False,
        "duties_included": False,
        "test": False,
        "created_at": now,
        "processed_at": now,
        "updated_at": now,
        "cancelled_at": None,
        "financial_status": "paid",
        "fulfillment_status": None,
        "payment_gateway_names": ["shopify_payments"],
        "total_outstanding": "0.00",
        "email": f"buyer{number}@example.com",
        "customer": _customer(number),
        "shipping_address": _address(),
    }


def _customer(number: int) -> dict[str, Any]:
    names = {"first_name": "Robin", "last_name": f"Example {number}"}
    return {"id": 9_000_000 + number, "email": f"buyer{number}@example.com", **names}


def _address() -> dict[str, Any]:
    return {
        "name": "Robin Example",
        "address1": "1 Maple Street",
        "address2": None,
        "city": "Springfield",
        "province_code": "IL",
        "zip": "62701",
        "country_code": "US",
        "phone": None,
    }


def _line(state: ShopState, article: Article, quantity: int, discount: Decimal) -> dict[str, Any]:
    number = state.order_count * 1000 + article.number
    allocation = {
        "amount": str(discount),
        "amount_set": _money_set(state, discount),
        "discount_application_index": 0,
    }
    return {
        "id": 11_000_000_000 + number,
        "variant_id": 4000 + article.number,
        "product_id": 3000 + article.number,
        "sku": article.sku,
        "title": article.title,
        "name": article.title,
        "quantity": quantity,
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "gift_card": False,
        "taxable": True,
        **_amounts(state, "price", article.price),
        "total_discount": "0.00",
        "discount_allocations": [allocation] if discount else [],
        "duties": [],
        "tax_lines": [_tax(state, article.price * quantity - discount)],
    }


def _shipping(state: ShopState) -> dict[str, Any]:
    return {
        "id": 6_000_000_000 + state.order_count,
        "title": "Standard",
        "code": "standard",
        "is_removed": False,
        **_amounts(state, "price", _SHIPPING),
        **_amounts(state, "discounted_price", _SHIPPING),
        "discount_allocations": [],
        "tax_lines": [_tax(state, _SHIPPING)],
    }


def _tax(state: ShopState, base: Decimal) -> dict[str, Any]:
    price = quantized(base * state.tax_rate, state.currency)
    rate = float(state.tax_rate)
    return {"title": "State Tax", "rate": rate, **_amounts(state, "price", price)}


def _tax_of(line: dict[str, Any]) -> Decimal:
    return sum((Decimal(tax["price"]) for tax in line["tax_lines"]), Decimal(0))


def _amounts(state: ShopState, name: str, value: Decimal) -> dict[str, Any]:
    return {name: str(value), f"{name}_set": _money_set(state, value)}


def _money_set(state: ShopState, value: Decimal) -> dict[str, Any]:
    money = {"amount": str(value), "currency_code": state.currency}
    return {"shop_money": money, "presentment_money": money}
