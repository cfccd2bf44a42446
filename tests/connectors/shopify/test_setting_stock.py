"""Stock goes to Shopify by compare-and-set; what Shopify answers becomes one outcome."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.event import STOCK_POSITION, Event
from connectors.canonical.stock import StockPosition
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.bucket import Bucket
from connectors.catalog.shopify.emulator.state import LOCATION_GID, Article
from connectors.catalog.shopify.mapping_out import sellable, sku_query
from connectors.registry import load
from connectors.sdk.connector import Dispatch
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)
from connectors.sdk.transport import Call
from tests.connectors.shopify.conftest import Script, TestTransport

SKU = "MM-0001"
ITEM = "gid://shopify/InventoryItem/8001"
PLACE = (ITEM, LOCATION_GID)
MAPPED = {"location_id": LOCATION_GID, "inventory_items": {SKU: ITEM}}
UNMAPPED = {"locations": {"main": LOCATION_GID}}


def dispatch(
    available: str,
    previous: str | None = "25",
    *,
    settings: dict[str, Any] | None = None,
    sku: str = SKU,
    attempt: int = 1,
) -> Dispatch:
    position = StockPosition(
        sku=sku,
        location="main",
        available=Decimal(available),
        as_of=datetime(2026, 11, 27, tzinfo=UTC),
        previous=None if previous is None else Decimal(previous),
    )
    event = Event(
        type=STOCK_POSITION,
        key=f"stock:main/{sku}",
        object_id=sku,
        label=f"Stock of {sku}",
        occurred_at=position.as_of,
        body=position,
    )
    chosen = MAPPED if settings is None else settings
    return Dispatch("set_stock", event, "effect-1", chosen, attempt)


async def send(given: Dispatch, transport: TestTransport) -> Outcome:
    return await load("shopify").send(given, transport)


def operations(transport: TestTransport) -> list[str]:
    return [json.loads(call.body)["operationName"] for call in transport.calls]


def effects(state: ShopState) -> list[tuple[int, int]]:
    return [(line["before"], line["after"]) for line in state.log if line["kind"] == "stock_set"]


async def test_known_item_from_the_expected_quantity_is_set_in_one_call(
    shop: TestTransport, state: ShopState
) -> None:
    outcome = await send(dispatch("18"), shop)

    assert outcome == Delivered("gid://shopify/InventoryAdjustmentGroup/1", 200)
    assert operations(shop) == ["SetAvailable"]
    assert shop.calls[0].cost == 10.0
    assert effects(state) == [(25, 18)]


async def test_request_names_reason_document_and_the_key_of_the_effect(
    shop: TestTransport,
) -> None:
    await send(dispatch("18"), shop)

    assert json.loads(shop.calls[0].body)["variables"] == {
        "key": "effect-1:25",
        "input": {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": "stock-update://delivery/effect-1",
            "quantities": [
                {
                    "inventoryItemId": ITEM,
                    "locationId": LOCATION_GID,
                    "quantity": 18,
                    "changeFromQuantity": 25,
                }
            ],
        },
    }


async def test_unknown_item_is_searched_and_set_over_what_the_shop_shows(
    shop: TestTransport, state: ShopState
) -> None:
    outcome = await send(dispatch("18", None, settings=UNMAPPED), shop)

    assert isinstance(outcome, Delivered)
    assert operations(shop) == ["FindItem", "SetAvailable"]
    assert effects(state) == [(25, 18)]


async def test_shop_that_shows_the_quantity_already_is_left_alone(
    shop: TestTransport, state: ShopState
) -> None:
    outcome = await send(dispatch("25", None, settings=UNMAPPED), shop)

    assert outcome == Duplicate(ITEM, 200)
    assert effects(state) == []


async def test_fall_is_set_at_once_although_the_shop_sold_meanwhile(
    shop: TestTransport, state: ShopState
) -> None:
    state.available[PLACE] = 24

    outcome = await send(dispatch("18"), shop)

    assert isinstance(outcome, Delivered)
    assert operations(shop) == ["SetAvailable", "ReadAvailable", "SetAvailable"]
    assert effects(state) == [(24, 18)]


async def test_rise_over_a_sale_waits_once_for_its_order_and_is_then_set(
    shop: TestTransport, state: ShopState
) -> None:
    state.available[PLACE] = 24

    first = await send(dispatch("30"), shop)
    after_first = state.available[PLACE]
    second = await send(dispatch("30", attempt=2), shop)

    assert isinstance(first, RetryLater)
    assert (first.code, first.after_s) == ("stock.sold_meanwhile", 5.0)
    assert after_first == 24
    assert isinstance(second, Delivered)
    assert effects(state) == [(24, 30)]


async def test_quantity_that_keeps_moving_is_tried_again_later(
    shop: TestTransport, state: ShopState
) -> None:
    def customer_buys_just_before(call: Call) -> None:
        if b"SetAvailable" in call.body:
            state.available[PLACE] -= 1

    shop.before = customer_buys_just_before

    outcome = await send(dispatch("18"), shop)

    assert isinstance(outcome, RetryLater)
    assert (outcome.code, outcome.after_s) == ("stock.changed_meanwhile", 2.0)
    assert effects(state) == []
    assert state.available[PLACE] == 23


async def test_same_delivery_twice_has_one_effect(shop: TestTransport, state: ShopState) -> None:
    first = await send(dispatch("18"), shop)
    state.available[PLACE] = 17

    second = await send(dispatch("18"), shop)

    assert first == second == Delivered("gid://shopify/InventoryAdjustmentGroup/1", 200)
    assert effects(state) == [(25, 18)]
    assert state.available[PLACE] == 17


async def test_lost_answer_is_unknown_and_the_repeat_finds_its_own_work_done(
    shop: TestTransport, state: ShopState
) -> None:
    state.faults.dropped_answers = 1

    first = await send(dispatch("18"), shop)
    second = await send(dispatch("18", attempt=2), shop)

    assert isinstance(first, Unknown)
    assert isinstance(second, Delivered)
    assert effects(state) == [(25, 18)]


async def test_key_that_failed_before_is_not_stuck(shop: TestTransport, state: ShopState) -> None:
    state.available[PLACE] = 24
    await send(dispatch("30"), shop)

    outcome = await send(dispatch("30", attempt=2), shop)

    assert isinstance(outcome, Delivered)
    assert [line["code"] for line in state.log if line["kind"] == "refused"] == [
        "CHANGE_FROM_QUANTITY_STALE"
    ]


@pytest.mark.parametrize(
    ("given", "code", "pointer"),
    [
        (dispatch("1", None, settings=UNMAPPED, sku="GONE"), "sku.unknown", "/sku"),
        (dispatch("1", None, settings=UNMAPPED, sku="mm-0001"), "sku.unknown", "/sku"),
        (dispatch("1", None, settings={}), "location.unmapped", "/location"),
        (dispatch("2000000000"), "quantity.range", "/available"),
        (
            dispatch("1", settings=MAPPED | {"location_id": "gid://shopify/Location/1"}),
            "stock.not_stocked",
            "/location",
        ),
        (
            dispatch("1", None, settings=MAPPED | {"location_id": "gid://shopify/Location/1"}),
            "stock.not_stocked",
            "/location",
        ),
        (
            dispatch(
                "1", settings=MAPPED | {"inventory_items": {SKU: "gid://shopify/InventoryItem/1"}}
            ),
            "sku.unknown",
            "/sku",
        ),
    ],
)
async def test_what_the_shop_can_never_take_is_rejected_by_field_and_changes_nothing(
    shop: TestTransport, state: ShopState, given: Dispatch, code: str, pointer: str
) -> None:
    outcome = await send(given, shop)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.pointer) == (code, pointer)
    assert effects(state) == []


async def test_two_articles_with_one_sku_are_not_guessed(
    shop: TestTransport, state: ShopState
) -> None:
    state.articles["copy"] = Article(SKU, "Another tote", Decimal(1), 99)
    state.available[state.articles["copy"].item_gid, LOCATION_GID] = 1

    outcome = await send(dispatch("18", None, settings=UNMAPPED), shop)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "sku.ambiguous"
    assert effects(state) == []


async def test_empty_bucket_waits_until_it_holds_enough_points(
    shop: TestTransport, state: ShopState
) -> None:
    state.bucket = Bucket(clock_s=lambda: 0.0, maximum=1.0, restore_per_s=2.0)

    outcome = await send(dispatch("18"), shop)

    assert outcome == RetryLater("target.throttled", "Shopify asks us to slow down.", 5.0, 200)
    assert effects(state) == []


async def test_too_many_requests_waits_as_long_as_shopify_says(
    shop: TestTransport, state: ShopState
) -> None:
    state.faults.too_many_requests = 1

    outcome = await send(dispatch("18"), shop)

    assert outcome == RetryLater("target.throttled", "Shopify asks us to slow down.", 2.0, 429)


async def test_wrong_token_stops_the_connection(shop: TestTransport, state: ShopState) -> None:
    shop.token = "revoked"

    outcome = await send(dispatch("18"), shop)

    assert isinstance(outcome, AuthorizationLost)
    assert outcome.status == 401
    assert effects(state) == []


async def test_unreachable_shop_is_tried_again_because_nothing_was_sent(
    shop: TestTransport,
) -> None:
    shop.base_url = "http://127.0.0.1:1"

    outcome = await send(dispatch("18"), shop)

    assert outcome == RetryLater("target.unreachable", "The shop cannot be reached.", 3.0)


def errors(code: str) -> bytes:
    return json.dumps({"errors": [{"message": "x", "extensions": {"code": code}}]}).encode()


def user_error(code: str) -> bytes:
    payload = {"inventoryAdjustmentGroup": None, "userErrors": [{"code": code, "message": "x"}]}
    return json.dumps({"data": {"inventorySetQuantities": payload}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (403, b"{}", AuthorizationLost, ""),
        (402, b"{}", AuthorizationLost, ""),
        (423, b"{}", AuthorizationLost, ""),
        (404, b"{}", AuthorizationLost, ""),
        (500, b"oops", RetryLater, "target.unavailable"),
        (503, b"", RetryLater, "target.unavailable"),
        (422, b"{}", Rejected, "target.refused"),
        (301, b"", Rejected, "target.refused"),
        (200, b"<html>", Unknown, ""),
        (200, b"{}", Unknown, ""),
        (200, b'{"data":{"inventorySetQuantities":null}}', Unknown, ""),
        (200, errors("THROTTLED"), RetryLater, "target.throttled"),
        (200, errors("ACCESS_DENIED"), AuthorizationLost, ""),
        (200, errors("SHOP_INACTIVE"), AuthorizationLost, ""),
        (200, errors("INTERNAL_SERVER_ERROR"), Unknown, ""),
        (200, errors("undefinedField"), Rejected, "target.refused"),
        (200, b'{"errors":[{"message":"syntax"}]}', Rejected, "target.refused"),
        (200, user_error("IDEMPOTENCY_CONCURRENT_REQUEST"), RetryLater, "target.busy"),
        (200, user_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH"), Rejected, "idempotency.key_reused"),
        (200, user_error("INVALID_LOCATION"), Rejected, "location.unknown"),
        (200, user_error("NON_MUTABLE_INVENTORY_ITEM"), Rejected, "stock.not_settable"),
        (200, user_error("INVALID_QUANTITY_TOO_LOW"), Rejected, "quantity.range"),
        (200, user_error("SOMETHING_NEW"), Rejected, "target.refused"),
    ],
)
async def test_every_answer_becomes_one_outcome(
    script: Script, status: int, body: bytes, kind: type[Outcome], code: str
) -> None:
    script.answers = [(status, body, {})]

    outcome = await send(dispatch("18"), script.transport)

    assert type(outcome) is kind
    assert getattr(outcome, "code", "") == code


@pytest.mark.parametrize("body", [b"<html>", b"{}", errors("INTERNAL_SERVER_ERROR")])
async def test_question_without_a_readable_answer_is_asked_again(
    script: Script, body: bytes
) -> None:
    script.answers = [(200, body, {})]

    outcome = await send(dispatch("18", None), script.transport)

    assert isinstance(outcome, RetryLater)
    assert outcome.code == "target.no_answer"


@pytest.mark.parametrize(
    ("told", "after_s"), [("7", 7.0), ("soon", None), ("-1", None), ("inf", None), ("nan", None)]
)
async def test_only_a_sensible_wait_is_taken_over(
    script: Script, told: str, after_s: float | None
) -> None:
    script.answers = [(429, b"{}", {"Retry-After": told})]

    outcome = await send(dispatch("18"), script.transport)

    assert isinstance(outcome, RetryLater)
    assert outcome.after_s == after_s


async def test_other_action_and_other_event_are_rejected_without_a_call(script: Script) -> None:
    given = dispatch("18")

    outcome = await send(Dispatch("post_order", given.event, "effect-1"), script.transport)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "action.unknown"
    assert script.transport.calls == []


@pytest.mark.parametrize(
    ("available", "units"), [("7", 7), ("7.9", 7), ("0.5", 0), ("-3", 0), ("-0.2", 0)]
)
def test_only_whole_units_that_are_there_are_promised(available: str, units: int) -> None:
    assert sellable(Decimal(available)) == units


def test_sku_is_searched_as_one_quoted_term() -> None:
    assert sku_query('A "b" OR sku:*\\') == 'sku:"A \\"b\\" OR sku:*\\\\"'
