"""One order asked for by its id or name, written as the `orders/create` webhook that was lost."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from connectors.catalog.shopify.admin_api import ask
from connectors.catalog.shopify.documents import FIND_ORDER, LINES_MAX, READ_ORDER
from connectors.sdk.message import JsonObject, PolledRecord
from connectors.sdk.outcome import AuthorizationLost, Outcome, Rejected, RetryLater, Unknown
from connectors.sdk.transport import NotSent, Transport

TOPIC = "orders/create"
CHANGED, CANCELLED = "orders/updated", "orders/cancelled"
_GID = "gid://shopify/Order/"
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)


class _Read(msgspec.Struct):
    order: dict[str, Any] | None = None


class _Nodes(msgspec.Struct):
    nodes: list[dict[str, Any]]


class _Found(msgspec.Struct):
    orders: _Nodes


async def fetch_order(reference: str, transport: Transport) -> tuple[PolledRecord, ...]:
    """Give the order as one record, none when the shop has no such order; raises NotSent.

    `reference` is an order's id (digits, or Shopify's gid) or its name such as #1001. A name that
    the shop has twice is none: nobody could say which is meant.
    """
    order = await _found(reference, transport)
    return () if order is None else (_record(TOPIC, order),)


async def fetch_history(reference: str, transport: Transport) -> tuple[PolledRecord, ...]:
    """Give the order as its webhooks would have told it: placed, then changed, then cancelled.

    All of them say what the order is now; the newest counts, and the others are known by name.
    """
    order = await _found(reference, transport)
    if order is None:
        return ()
    records = [_record(TOPIC, order)]
    if order.get("updatedAt") != order.get("createdAt"):
        records.append(_record(CHANGED, order))
    if order.get("cancelledAt"):
        records.append(_record(CANCELLED, order))
    return tuple(records)


async def _found(reference: str, transport: Transport) -> JsonObject | None:
    number = reference.removeprefix(_GID)
    if _ID.fullmatch(number):
        order = await _by_id(f"{_GID}{number}", transport)
    else:
        order = await _by_name(reference, transport)
    if order is not None and _at(order, "lineItems", "pageInfo", "hasNextPage"):
        words = f"This order has more than {LINES_MAX} lines. Let Shopify send it again."
        raise NotSent("order.too_many_lines", words)
    return order


def _record(topic: str, order: JsonObject) -> PolledRecord:
    key = f"{order.get('id')}|{order.get('updatedAt')}"
    named = key if topic == TOPIC else f"{topic}|{key}"
    return PolledRecord(topic, named, msgspec.json.encode(as_webhook(order)))


def as_webhook(order: JsonObject) -> JsonObject:
    """Write an order of the Admin API in the words of the webhook, as far as we read it.

    What is missing stays missing: reading holds the record then, and names the field.
    """
    status = order.get("displayFinancialStatus")
    return {
        "id": _id(order.get("id")),
        "admin_graphql_api_id": order.get("id"),
        "name": order.get("name"),
        "source_name": order.get("sourceName"),
        "currency": order.get("currencyCode"),
        "taxes_included": order.get("taxesIncluded"),
        "duties_included": order.get("dutiesIncluded"),
        "test": order.get("test"),
        "created_at": order.get("createdAt"),
        "processed_at": order.get("processedAt"),
        "updated_at": order.get("updatedAt"),
        "cancelled_at": order.get("cancelledAt"),
        "financial_status": status.lower() if isinstance(status, str) else None,
        "payment_gateway_names": order.get("paymentGatewayNames"),
        "email": order.get("email"),
        "location_id": _id(_at(order, "retailLocation", "id")),
        "total_price": _amount(order, "totalPriceSet"),
        "total_discounts": _amount(order, "totalDiscountsSet"),
        "total_outstanding": _amount(order, "totalOutstandingSet"),
        "total_tip_received": _amount(order, "totalTipReceivedSet"),
        "total_cash_rounding_payment_adjustment_set": _money(
            _at(order, "totalCashRoundingAdjustment"), "paymentSet"
        ),
        "original_total_duties_set": _money(order, "originalTotalDutiesSet"),
        "original_total_additional_fees_set": _money(order, "originalTotalAdditionalFeesSet"),
        "customer": _customer(order.get("customer")),
        "shipping_address": _address(order.get("shippingAddress")),
        "shipping_lines": [_shipping(each) for each in _nodes(order, "shippingLines")],
        "line_items": [_line(each) for each in _nodes(order, "lineItems")],
    }


async def _by_id(gid: str, transport: Transport) -> JsonObject | None:
    answer = await ask(transport, READ_ORDER, {"id": gid}, _Read)
    if not isinstance(answer, _Read):
        raise not_asked(answer)
    return answer.order


async def _by_name(name: str, transport: Transport) -> JsonObject | None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    answer = await ask(transport, FIND_ORDER, {"query": f'name:"{quoted}"'}, _Found)
    if not isinstance(answer, _Found):
        raise not_asked(answer)
    # The search ignores case and finds parts.
    exact = [each for each in answer.orders.nodes if each.get("name") == name]
    return exact[0] if len(exact) == 1 else None


def not_asked(outcome: Outcome) -> NotSent:
    """Turn the trouble of a question into what a fetch raises; a question may always be asked again."""
    match outcome:
        case RetryLater(code=code, words=words, after_s=after_s):
            return NotSent(code, words, after_s)
        case AuthorizationLost(words=words):
            return NotSent("auth.lost", words)
        case Rejected(code=code, words=words):
            return NotSent(code, words)
        case Unknown(words=words):
            return NotSent("target.no_answer", words)
    return NotSent("target.no_answer", "Shopify's answer says nothing about the order.")


def _line(line: JsonObject) -> JsonObject:
    return {
        "id": _id(line.get("id")),
        "sku": line.get("sku"),
        "name": line.get("name"),
        "title": line.get("title"),
        "quantity": line.get("quantity"),
        "price": _amount(line, "originalUnitPriceSet"),
        "discount_allocations": _discounts(line),
        "tax_lines": _taxes(line),
        "duties": [
            {
                "shop_money": {"amount": _amount(each, "price")},
                "tax_lines": _taxes(each),
            }
            for each in _list(line, "duties")
        ],
    }


def _shipping(line: JsonObject) -> JsonObject:
    return {
        "id": _id(line.get("id")),
        "title": line.get("title"),
        "is_removed": line.get("isRemoved"),
        "price": _amount(line, "originalPriceSet"),
        "discount_allocations": _discounts(line),
        "tax_lines": _taxes(line),
    }


def _discounts(line: JsonObject) -> list[JsonObject]:
    return [
        {"amount": _amount(each, "allocatedAmountSet")}
        for each in _list(line, "discountAllocations")
    ]


def _taxes(line: JsonObject) -> list[JsonObject]:
    return [
        {"title": each.get("title"), "rate": each.get("rate"), "price": _amount(each, "priceSet")}
        for each in _list(line, "taxLines")
    ]


def _customer(person: Any) -> JsonObject | None:
    if not isinstance(person, dict):
        return None
    return {
        "id": _id(person.get("id")),
        "first_name": person.get("firstName"),
        "last_name": person.get("lastName"),
        "email": _at(person, "defaultEmailAddress", "emailAddress"),
    }


def _address(told: Any) -> JsonObject | None:
    if not isinstance(told, dict):
        return None
    same = ("name", "address1", "address2", "city", "zip", "phone")
    return {name: told.get(name) for name in same} | {
        "province_code": told.get("provinceCode"),
        "country_code": told.get("countryCodeV2"),
    }


def _id(gid: Any) -> int | None:
    """Take the number that webhooks use from Shopify's own id (`gid://shopify/Order/1`)."""
    number = str(gid).rpartition("/")[2]
    return int(number) if _ID.fullmatch(number) else None


def _amount(holder: Any, name: str) -> Any:
    return _at(holder, name, "shopMoney", "amount")


def _money(holder: Any, name: str) -> JsonObject | None:
    amount = _amount(holder, name)
    return None if amount is None else {"shop_money": {"amount": amount}}


def _nodes(holder: JsonObject, name: str) -> list[JsonObject]:
    nodes = _at(holder, name, "nodes")
    return nodes if isinstance(nodes, list) else []


def _list(holder: JsonObject, name: str) -> list[JsonObject]:
    found = holder.get(name)
    return found if isinstance(found, list) else []


def _at(holder: Any, *path: str) -> Any:
    found = holder
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found
