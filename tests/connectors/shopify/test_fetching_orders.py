"""An order whose webhook was lost is asked for, and reads as its webhook would have."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator

from connectors.canonical.event import Event
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.orders import place_order, refund_order
from connectors.catalog.shopify.fetch_order import as_webhook
from connectors.registry import load
from connectors.sdk.message import HoldRecord, PolledRecord, RawMessage
from connectors.sdk.transport import NotSent
from tests.connectors.shopify.conftest import Script, TestTransport

CONTRACT = Path(__file__).parents[3] / "connectors/catalog/shopify/contracts/order.schema.json"


def placed(state: ShopState) -> dict[str, Any]:
    order = place_order(state)
    assert order is not None
    return order


def read(topic: str, body: bytes) -> Event:
    message = RawMessage(topic, body, datetime(2026, 11, 27, 15, tzinfo=UTC))
    (event,) = load("shopify").read(message).events
    return event


async def fetched(reference: str, transport: TestTransport) -> tuple[PolledRecord, ...]:
    return await load("shopify").fetch(reference, {}, transport)


async def test_a_fetched_order_is_the_same_event_as_its_webhook(
    state: ShopState, shop: TestTransport
) -> None:
    orders = [placed(state) for _ in range(12)]

    for order in orders:
        (record,) = await fetched(str(order["id"]), shop)

        assert record.topic == "orders/create"
        Draft202012Validator(json.loads(CONTRACT.read_text())).validate(json.loads(record.body))
        assert read(record.topic, record.body) == read("orders/create", json.dumps(order).encode())


async def test_an_order_refunded_since_is_still_the_same_fact(
    state: ShopState, shop: TestTransport
) -> None:
    order = placed(state)
    told = read("orders/create", json.dumps(order).encode())
    refund_order(state, order | {"updated_at": "2030-01-01T00:00:00Z"})

    (record,) = await fetched(str(order["id"]), shop)

    event = read(record.topic, record.body)
    assert (event.type, event.object_id, event.version) == (
        told.type,
        told.object_id,
        told.version,
    )
    assert event.amount == told.amount


@pytest.mark.parametrize("reference", ["gid://shopify/Order/5000000002", "5000000002", "#1002"])
async def test_an_order_is_found_by_id_and_by_name(
    reference: str, state: ShopState, shop: TestTransport
) -> None:
    for _ in range(3):
        placed(state)

    (record,) = await fetched(reference, shop)

    assert json.loads(record.body)["name"] == "#1002"


@pytest.mark.parametrize("reference", ["4711", "#47", "#100", 'x" OR name:"', ""])
async def test_an_order_that_the_shop_does_not_have_is_no_record(
    reference: str, state: ShopState, shop: TestTransport
) -> None:
    placed(state)

    assert await fetched(reference, shop) == ()


LONG_ORDER = {
    "order": {
        "id": "gid://shopify/Order/1",
        "lineItems": {"pageInfo": {"hasNextPage": True}, "nodes": []},
    }
}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (429, b"{}", "target.throttled"),
        (503, b"{}", "target.unavailable"),
        (401, b"{}", "auth.lost"),
        (200, b'{"errors":[{"extensions":{"code":"ACCESS_DENIED"}}]}', "auth.lost"),
        (200, b"<html>", "target.no_answer"),
        (200, msgspec.json.encode({"data": LONG_ORDER}), "order.too_many_lines"),
    ],
)
async def test_trouble_of_the_shop_is_no_missing_order(
    status: int, body: bytes, code: str, script: Script
) -> None:
    script.answers = [(status, body, {})]

    with pytest.raises(NotSent) as caught:
        await fetched("1", script.transport)

    assert caught.value.code == code


async def test_an_order_without_its_parts_is_held_when_it_is_read() -> None:
    body = msgspec.json.encode(as_webhook({"id": "gid://shopify/Order/1", "name": "#1"}))

    with pytest.raises(HoldRecord) as caught:
        read("orders/create", body)

    assert caught.value.code == "contract.missing_field"
