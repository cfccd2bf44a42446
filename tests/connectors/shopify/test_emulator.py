"""The emulated shop: sells its own stock, tells it by signed webhooks, plays the faults it is asked."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.canonical.order import Order
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.bucket import Bucket
from connectors.catalog.shopify.emulator.orders import place_order
from connectors.registry import load, manifest
from connectors.sdk.message import RawMessage
from connectors.sdk.signatures import Refused, Verified, verify
from connectors.sdk.transport import Answer, Call
from tests.connectors.shopify.conftest import Receiver, TestTransport

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


async def console(shop: TestTransport, path: str, asked: dict[str, Any]) -> Any:
    answer: Answer = await shop.request(
        Call("POST", f"/console/{path}", body=json.dumps(asked).encode())
    )
    assert answer.status == 200
    return json.loads(answer.body)


def test_same_seed_makes_the_same_shop_and_the_same_orders() -> None:
    one, other = (ShopState(seed=5, clock=lambda: NOON) for _ in range(2))

    assert [place_order(one) for _ in range(10)] == [place_order(other) for _ in range(10)]
    assert one.outbox == other.outbox


def test_every_order_is_read_by_the_connector_to_the_cent() -> None:
    state = ShopState(seed=11, clock=lambda: NOON, start_quantity=500)

    for _ in range(300):
        payload = place_order(state)
        message = RawMessage("orders/create", json.dumps(payload).encode(), NOON)
        (event,) = load("shopify").read(message).events
        assert isinstance(event.body, Order)
        assert event.body.rounding == Decimal(0)


def test_shop_never_sells_more_than_it_shows_and_says_when_it_is_sold_out() -> None:
    state = ShopState(article_count=3, start_quantity=4)

    while place_order(state) is not None:
        assert min(state.available.values()) >= 0

    sold = [line["lines"] for line in state.log if line["kind"] == "sold"]
    assert sum(sum(lines.values()) for lines in sold) == 12
    assert state.log[-1]["kind"] == "sold_out"


async def test_order_arrives_as_signed_webhook_that_is_verified_and_read(
    shop: TestTransport, state: ShopState, receiver: Receiver
) -> None:
    state.hook_url = receiver.url
    placed = (await console(shop, "orders", {"count": 1}))["orders"][0]

    headers, body = await receiver.received.get()

    webhook = manifest("shopify").webhook
    now_s = int(time.monotonic())
    verified = verify(webhook, headers, body, [state.webhook_secret], now_s)
    assert isinstance(verified, Verified)
    assert verified.topic == "orders/create"
    assert verified.triggered_at == headers["x-shopify-triggered-at"]
    assert verified.kept_headers["x-shopify-shop-domain"] == state.shop_domain
    assert verify(webhook, headers, body + b" ", [state.webhook_secret], now_s) == Refused(
        "signature.invalid"
    )
    message = RawMessage(verified.topic, body, NOON, verified.kept_headers)
    (event,) = load("shopify").read(message).events
    assert event.object_id == str(placed["id"])


async def test_webhook_is_sent_again_with_the_same_id_until_it_is_taken(
    shop: TestTransport, state: ShopState, receiver: Receiver
) -> None:
    state.hook_url, receiver.statuses = receiver.url, [503, 500]
    await console(shop, "orders", {"count": 1})

    arrivals = [await receiver.received.get() for _ in range(3)]

    assert len({headers["x-shopify-webhook-id"] for headers, _ in arrivals}) == 1
    assert len({body for _, body in arrivals}) == 1


async def test_duplicate_webhook_comes_with_the_same_id(
    shop: TestTransport, state: ShopState, receiver: Receiver
) -> None:
    state.hook_url = receiver.url
    await console(shop, "faults", {"duplicate_webhooks": 1})
    await console(shop, "orders", {"count": 1})

    arrivals = [await receiver.received.get() for _ in range(2)]

    assert len({headers["x-shopify-webhook-id"] for headers, _ in arrivals}) == 1


async def test_shop_sells_by_itself_at_its_pace(
    shop: TestTransport, state: ShopState, receiver: Receiver
) -> None:
    await console(shop, "settings", {"hook_url": receiver.url, "orders_per_s": 1000})

    arrivals = [await receiver.received.get() for _ in range(5)]

    assert len({headers["x-shopify-webhook-id"] for headers, _ in arrivals}) == 5


async def test_console_shows_and_changes_stock_and_shows_the_log(
    shop: TestTransport, state: ShopState
) -> None:
    shown = await console(shop, "stock", {"MM-0002": 3})

    log = json.loads((await shop.request(Call("GET", "/console/log"))).body)

    assert (shown["MM-0001"], shown["MM-0002"]) == (25, 3)
    assert log == state.log


def test_judges_log_is_written_line_by_line(tmp_path: Path) -> None:
    state = ShopState(log_path=tmp_path / "shop.jsonl", clock=lambda: NOON)

    place_order(state)
    place_order(state)

    lines = (tmp_path / "shop.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == state.log
    assert json.loads(lines[0])["at"] == "2026-11-27T12:00:00+00:00"


def test_bucket_gives_points_back_with_time_and_never_more_than_it_holds() -> None:
    now_s = 0.0
    bucket = Bucket(clock_s=lambda: now_s, maximum=20.0, restore_per_s=10.0)

    assert [bucket.take(10), bucket.take(10), bucket.take(1)] == [True, True, False]
    now_s = 0.5
    assert [bucket.take(5), bucket.take(1)] == [True, False]
    now_s = 3600.0
    assert [bucket.take(20), bucket.take(1)] == [True, False]


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
async def test_request_that_is_not_json_is_a_bad_request(shop: TestTransport, body: bytes) -> None:
    answer = await shop.request(Call("POST", "/admin/api/2026-07/graphql.json", body=body))

    assert answer.status == 400
