"""Decisions over HTTP: what they need, what they answer, that the workers are woken."""

from __future__ import annotations

import base64
import json

import pytest

from infra.database.unit import begin
from tests.app.api.conftest import Api
from tests.stage import order_event


async def test_a_release_wakes_the_workers_and_answers_the_decision(api: Api) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")
    api.shop.target.refused.clear()

    answer = await api.call("POST", f"/v1/exceptions/{held['id']}/release")
    await api.shop.work()

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["id"]) == ("released", held["id"])
    assert answer.json()["decided_by"].startswith("key:")
    assert len(api.served.rings) == 1
    assert [order["order_id"] for order in api.shop.target.taken] == ["o-2", "o-1"]


async def test_the_second_decision_is_told_that_there_was_a_first(api: Api) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")
    path = f"/v1/exceptions/{held['id']}"

    first = await api.call("POST", f"{path}/discard", json={"reason": "Not ours."})
    second = await api.call("POST", f"{path}/release")

    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json()["code"] == "hold.already_decided"
    assert (await api.json(path))["state"] == "discarded"
    assert len(api.served.rings) == 1


async def test_an_event_is_corrected_from_what_the_api_showed(api: Api) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")
    delivery = await api.json(f"/v1/deliveries/{held['delivery_id']}")
    content = (await api.json(f"/v1/events/{delivery['event_id']}"))["content"]
    content["body"]["store"] = "9"

    answer = await api.call(
        "POST",
        f"/v1/exceptions/{held['id']}/edit",
        json={"reason": "Store was missing.", "event": content},
    )
    await api.shop.work()

    assert answer.status_code == 200
    assert answer.json()["exception"]["state"] == "edited"
    assert answer.json()["changes"] == [{"pointer": "/body/store", "before": None, "after": '"9"'}]
    assert api.shop.target.taken[-1]["store"] == "9"
    after = await api.json(f"/v1/deliveries/{held['delivery_id']}")
    assert after["state"] == "delivered"
    assert (await api.json(f"/v1/events/{after['event_id']}"))["revision"] == 1


async def test_numbers_of_a_corrected_event_stay_exact(api: Api) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")
    delivery = await api.json(f"/v1/deliveries/{held['delivery_id']}")
    content = (await api.json(f"/v1/events/{delivery['event_id']}"))["content"]
    content["body"] |= {"store": "9", "total": "TOTAL"}
    raw = json.dumps({"reason": "Exact.", "event": content})

    answer = await api.call(
        "POST",
        f"/v1/exceptions/{held['id']}/edit",
        content=raw.replace('"TOTAL"', "9007199254740993.10").encode(),
        headers={"content-type": "application/json"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "event.amount")

    answer = await api.call(
        "POST",
        f"/v1/exceptions/{held['id']}/edit",
        content=raw.replace('"TOTAL"', "123456789012.10").encode(),
        headers={"content-type": "application/json"},
    )
    assert {"pointer": "/body/total", "before": '"20.00"', "after": '"123456789012.10"'} in (
        answer.json()["changes"]
    )


@pytest.mark.parametrize("field", ["body", "body_base64"])
async def test_a_message_is_corrected_by_its_raw_body(api: Api, field: str) -> None:
    held = await api.one("/v1/exceptions?code=order.totals_differ")
    body = json.dumps(order_event(3))
    given = body if field == "body" else base64.b64encode(body.encode()).decode()

    answer = await api.call(
        "POST",
        f"/v1/exceptions/{held['id']}/edit",
        json={"reason": "Typing error.", field: given},
    )
    await api.shop.work()

    assert answer.status_code == 200
    assert {"pointer": "/data/total", "before": '"25.00"', "after": '"20.00"'} in (
        answer.json()["changes"]
    )
    assert [order["order_id"] for order in api.shop.target.taken] == ["o-2", "o-3"]
    shown = await api.call("GET", f"/v1/messages/{held['message_id']}/body")
    assert shown.text == body


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"", "application/json", 400, "body.empty"),
        (b"{", "application/json", 400, "payload.unparseable"),
        (b'{"reason":"Not ours."}', "text/plain", 415, "body.wrong_media_type"),
        (b'{"reason":"Not ours.","because":1}', "application/json", 422, "request.invalid"),
        (b"{}", "application/json", 422, "request.invalid"),
        (b'{"reason":"x"}', "application/json", 422, "request.invalid"),
        (b'{"reason":"   "}', "application/json", 422, "request.invalid"),
        (b'{"reason":NaN}', "application/json", 422, "number.not_finite"),
        (b'{"reason":"a b","reason":"c d"}', "application/json", 422, "payload.duplicate_key"),
        (b'{"reason":"null \\u0000"}', "application/json", 422, "text.nul"),
        (b'{"reason":"half \\ud800"}', "application/json", 422, "text.surrogate"),
        (b"[" * 10_000, "application/json", 422, "payload.too_deep"),
    ],
)
async def test_a_bad_body_is_refused_and_decides_nothing(
    api: Api, content: bytes, media_type: str, status: int, code: str
) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")

    answer = await api.call(
        "POST",
        f"/v1/exceptions/{held['id']}/discard",
        content=content,
        headers={"content-type": media_type},
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await api.json(f"/v1/exceptions/{held['id']}"))["state"] == "open"
    assert api.served.rings == []


@pytest.mark.parametrize(
    "content", [{}, {"body": "a", "event": {}}, {"body_base64": "%"}, {"body": None}]
)
async def test_an_edit_needs_exactly_one_content(api: Api, content: dict[str, object]) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")

    answer = await api.call(
        "POST", f"/v1/exceptions/{held['id']}/edit", json={"reason": "A try.", **content}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert answer.json()["errors"][0]["code"] in {"edit.one_content", "edit.base64_broken"}


async def test_a_row_that_somebody_else_holds_is_no_fault_of_ours(api: Api) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")

    async with begin(api.shop.retailer.scope, api.shop.stage.database) as session:
        await session.execute("select 1 from lane for update")
        answer = await api.call("POST", f"/v1/exceptions/{held['id']}/release")

    assert (answer.status_code, answer.json()["code"]) == (503, "service.unavailable")
    assert answer.headers["retry-after"] == "1"
    assert (await api.json(f"/v1/exceptions/{held['id']}"))["state"] == "open"
