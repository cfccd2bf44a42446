"""The part of Shopify's GraphQL Admin API that we use, answered from the shop's state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

from connectors.catalog.shopify.documents import DOCUMENTS
from connectors.catalog.shopify.emulator.order_node import order_node
from connectors.catalog.shopify.emulator.state import Article, ShopState

_CONTRACTS = Path(__file__).parent.parent / "contracts"
_NAMED = re.compile(r'name:"((?:[^"\\]|\\.)+)"')
_WITHIN = re.compile(r"'([^']+)'")
ORDERS_PAGE = 100
_QUOTED = re.compile(r'sku:"((?:[^"\\]|\\.)+)"')


def answer_graphql(state: ShopState, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request the way Shopify does: everything understood or not is HTTP 200."""
    name = request.get("operationName")
    document = next((each for each in DOCUMENTS if each.name == name), None)
    if document is None or not _VALIDATORS[document.name].is_valid(request):
        return {"errors": [{"message": "Invalid operation", "extensions": {"code": "INVALID"}}]}
    if not state.bucket.take(document.cost):
        state.note("throttled", operation=name)
        throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return {"errors": [throttled], "extensions": state.bucket.told(document.cost)}
    data = _RESOLVERS[document.name](state, request["variables"])
    return {"data": data, "extensions": state.bucket.told(document.cost)}


def _set_available(state: ShopState, variables: dict[str, Any]) -> dict[str, Any]:
    key = variables["key"]
    fingerprint = json.dumps(variables["input"], sort_keys=True)
    if key in state.used_keys:
        result = _repeated(state, key, fingerprint)
    else:
        result = _applied(state, key, variables["input"])
        state.used_keys[key] = (fingerprint, result)
    return {"inventorySetQuantities": result}


def _repeated(state: ShopState, key: str, fingerprint: str) -> dict[str, Any]:
    known, result = state.used_keys[key]
    state.note("repeated", key=key)
    if known != fingerprint:
        return _failed("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
    return _failed("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED") if result["userErrors"] else result


def _applied(state: ShopState, key: str, wanted: dict[str, Any]) -> dict[str, Any]:
    for each in wanted["quantities"]:
        fault = _fault(state, each)
        if fault:
            state.note("refused", key=key, code=fault)
            return _failed(fault)
    for each in wanted["quantities"]:
        place = (each["inventoryItemId"], each["locationId"])
        before, state.available[place] = state.available[place], each["quantity"]
        state.note("stock_set", key=key, item=place[0], before=before, after=each["quantity"])
    state.group_count += 1
    group = f"gid://shopify/InventoryAdjustmentGroup/{state.group_count}"
    return {"inventoryAdjustmentGroup": {"id": group}, "userErrors": []}


def _fault(state: ShopState, wanted: dict[str, Any]) -> str | None:
    place = (wanted["inventoryItemId"], wanted["locationId"])
    if place[0] not in {article.item_gid for article in state.articles.values()}:
        return "INVALID_INVENTORY_ITEM"
    if place not in state.available:
        return "ITEM_NOT_STOCKED_AT_LOCATION"
    if wanted["quantity"] < 0:
        return "INVALID_QUANTITY_NEGATIVE"
    expected = wanted["changeFromQuantity"]
    is_stale = expected is not None and expected != state.available[place]
    return "CHANGE_FROM_QUANTITY_STALE" if is_stale else None


def _failed(code: str) -> dict[str, Any]:
    error = {"code": code, "field": ["input"], "message": code.replace("_", " ").capitalize()}
    return {"inventoryAdjustmentGroup": None, "userErrors": [error]}


def _find_item(state: ShopState, variables: dict[str, Any]) -> dict[str, Any]:
    match = _QUOTED.fullmatch(variables["query"])
    sku = re.sub(r"\\(.)", r"\1", match.group(1)) if match else ""
    # Like the vendor's search: case does not matter, parts are found too.
    found = [each for each in state.articles.values() if sku.lower() in each.sku.lower()]
    nodes = [
        {"sku": each.sku, "inventoryItem": _item(state, each, variables["location"])}
        for each in found[:10]
    ]
    return {"productVariants": {"nodes": nodes}}


def _read_available(state: ShopState, variables: dict[str, Any]) -> dict[str, Any]:
    found = (each for each in state.articles.values() if each.item_gid == variables["item"])
    article = next(found, None)
    return {"inventoryItem": _item(state, article, variables["location"]) if article else None}


def _read_order(state: ShopState, variables: dict[str, Any]) -> dict[str, Any]:
    found = state.orders.get(variables["id"])
    return {"order": order_node(found) if found else None}


def _find_order(state: ShopState, variables: dict[str, Any]) -> dict[str, Any]:
    match = _NAMED.fullmatch(variables["query"])
    name = re.sub(r"\\(.)", r"\1", match.group(1)) if match else ""
    # Like the vendor's search: parts are found too.
    found = [each for each in state.orders.values() if name.lower() in each["name"].lower()]
    return {"orders": {"nodes": [order_node(each) for each in found[:2]]}}


def _list_orders(state: ShopState, variables: dict[str, Any]) -> dict[str, Any]:
    since, until = (datetime.fromisoformat(each) for each in _WITHIN.findall(variables["query"]))
    found = [
        order
        for order in state.orders.values()
        if since <= datetime.fromisoformat(order["updated_at"]) < until
    ]
    found.sort(key=lambda order: (order["updated_at"], order["id"]))
    start = int(variables.get("after") or 0)
    page = found[start : start + ORDERS_PAGE]
    end = start + len(page)
    info = {"hasNextPage": end < len(found), "endCursor": str(end) if page else None}
    return {"orders": {"pageInfo": info, "nodes": [_head(order) for order in page]}}


def _head(order: dict[str, Any]) -> dict[str, Any]:
    whole = order_node(order)
    asked = ("id", "name", "createdAt", "processedAt", "updatedAt", "currencyCode", "totalPriceSet")
    return {name: whole[name] for name in asked}


def _item(state: ShopState, article: Article, location: str) -> dict[str, Any]:
    quantity = state.available.get((article.item_gid, location))
    quantities = [{"name": "available", "quantity": quantity}]
    level = None if quantity is None else {"quantities": quantities}
    return {"id": article.item_gid, "inventoryLevel": level}


def _validator(file: str) -> Draft202012Validator:
    schema = json.loads((_CONTRACTS / file).read_text(encoding="utf-8"))
    return Draft202012Validator({"$ref": "#/$defs/request", "$defs": schema["$defs"]})


_VALIDATORS = {
    "SetAvailable": _validator("set_available.schema.json"),
    "FindItem": _validator("find_item.schema.json"),
    "ReadAvailable": _validator("read_available.schema.json"),
    "ReadOrder": _validator("read_order.schema.json"),
    "FindOrder": _validator("find_order.schema.json"),
    "ListOrders": _validator("list_orders.schema.json"),
}
_RESOLVERS: dict[str, Callable[[ShopState, dict[str, Any]], dict[str, Any]]] = {
    "SetAvailable": _set_available,
    "FindItem": _find_item,
    "ReadAvailable": _read_available,
    "ReadOrder": _read_order,
    "FindOrder": _find_order,
    "ListOrders": _list_orders,
}
