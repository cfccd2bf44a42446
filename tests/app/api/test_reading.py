"""What the API shows: messages, events, deliveries, connections, flows, books, life lines."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from infra import clock
from tests.app.api.conftest import Api
from tests.connectors.pos_files.poslog_text import poslog, simple
from tests.stage import SECRET


async def test_messages_are_paged_newest_first_and_each_comes_once(api: Api) -> None:
    first = await api.json("/v1/messages?limit=2")
    second = await api.json(f"/v1/messages?limit=2&cursor={first['next_cursor']}")

    ids = [item["id"] for item in (*first["items"], *second["items"])]
    assert len(first["items"]) == 2
    assert second["next_cursor"] is None
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 3


async def test_messages_are_found_by_state_and_source(api: Api) -> None:
    source = api.shop.retailer.connections["source"]
    till = api.shop.retailer.connections["till"]

    held = await api.one(f"/v1/messages?state=held&connection={source}")
    none = await api.json(f"/v1/messages?connection={till}")

    assert (held["code"], held["topic"], held["connection_id"]) == (
        "order.totals_differ",
        "retail.order.placed.v1",
        str(source),
    )
    assert none == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "A" * 28, "é", "A" * 200, "%00"])
async def test_a_cursor_that_was_not_given_is_refused(api: Api, cursor: str) -> None:
    answer = await api.call("GET", f"/v1/messages?cursor={cursor}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


async def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    cursor = (await api.json("/v1/messages?limit=1"))["next_cursor"]

    answer = await api.call("GET", f"/v1/deliveries?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (422, "cursor.invalid")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "state=lost", "connection=1"])
async def test_a_query_against_the_rules_is_refused(api: Api, query: str) -> None:
    answer = await api.call("GET", f"/v1/messages?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


async def test_a_message_shows_the_deliveries_it_led_to(api: Api) -> None:
    delivered = await api.one("/v1/deliveries?state=delivered")

    message = await api.json(f"/v1/messages/{delivered['message_id']}")

    assert (message["state"], message["fate"], message["routes"]) == ("settled", "routed", 1)
    assert [each["id"] for each in message["deliveries"]] == [delivered["id"]]


async def test_reading_a_body_gives_the_very_bytes_and_is_audited(api: Api) -> None:
    message = await api.one("/v1/messages?state=held")

    answer = await api.call("GET", f"/v1/messages/{message['id']}/body")

    assert json.loads(answer.content)["data"]["total"] == "25.00"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "no-store"
    (stored,) = await api.shop.stage.rows(
        api.shop.retailer,
        "select body_sha256 from message_body where message_id = $1",
        message["id"],
    )
    assert hashlib.sha256(answer.content).digest() == stored["body_sha256"]
    assert (await api.shop.audited())[-1] == ("messages.read_body", f"message:{message['id']}")


async def test_an_event_shows_its_content_with_exact_amounts_and_is_audited(api: Api) -> None:
    delivered = await api.one("/v1/deliveries?state=delivered")

    event = await api.json(f"/v1/events/{delivered['event_id']}")

    assert (event["label"], event["key"], event["revision"]) == ("Order #2", "order:o-2", 0)
    assert event["amount"] == {"amount": "20.00", "currency": "USD"}
    assert event["occurred_at"] == "2026-11-20T10:00:00Z"
    assert event["content"]["body"]["total"] == "20.00"
    assert (await api.shop.audited())[-1] == ("events.read_content", f"event:{event['id']}")


async def test_a_delivery_shows_every_attempt(api: Api) -> None:
    held = await api.one("/v1/deliveries?state=held")

    delivery = await api.json(f"/v1/deliveries/{held['id']}")

    (attempt,) = delivery["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["status"]) == (1, "Rejected", 422)
    assert delivery["target_connection_id"] == str(api.shop.retailer.connections["target"])
    assert delivery["code"] == attempt["code"] == "target.refused"


async def test_connections_never_show_a_credential(api: Api) -> None:
    target = api.shop.retailer.connections["target"]

    listed = await api.call("GET", "/v1/connections")
    answer = await api.call("GET", f"/v1/connections/{target}")

    assert [each["name"] for each in listed.json()["items"]] == ["source", "target", "till"]
    assert answer.json()["credentials"] == ["signing_secret"]
    assert answer.json()["health"]["state"] == "closed"
    assert SECRET not in listed.text + answer.text
    assert SECRET.removeprefix("whsec_") not in listed.text + answer.text


async def test_flows_are_shown_with_their_ends(api: Api) -> None:
    listed = await api.one("/v1/flows")

    flow = await api.json(f"/v1/flows/{listed['id']}")

    assert flow == listed
    assert flow["source_connection_id"] == str(api.shop.retailer.connections["source"])
    assert (flow["action"], flow["ordering"], flow["priority"]) == ("push", "strict", 0)


async def test_the_ledger_balances(api: Api) -> None:
    ledger = await api.json("/v1/ledger")

    assert ledger["unaccounted"] == 0
    assert ledger["total"]["accepted"] == 3
    assert (ledger["total"]["delivered"], ledger["total"]["held"]) == (1, 2)
    assert {line["kind"] for line in ledger["lines"]} == {"connection", "flow"}


async def test_the_ledger_of_another_time_is_empty(api: Api) -> None:
    until = (clock.now() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")

    ledger = await api.json(f"/v1/ledger?until={until}")

    assert (ledger["until"], ledger["total"]["accepted"], ledger["lines"]) == (until, 0, [])


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
        "since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z",
        "since=2026-01-01T00:00:00",
        "since=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:59:59-14:00",
        "until=0",
    ],
)
async def test_a_range_against_the_rules_is_refused(api: Api, query: str) -> None:
    answer = await api.call("GET", f"/v1/ledger?{query}")

    assert answer.status_code == 422


@pytest.mark.parametrize("reference", ["#1", "1", "o-1", "Order #1"])
async def test_a_trace_tells_the_life_of_an_order(api: Api, reference: str) -> None:
    answer = await api.call("GET", "/v1/trace", params={"reference": reference})

    entries = answer.json()["entries"]
    assert [entry["kind"] for entry in entries] == [
        "received", "read", "routed", "attempted", "held",
    ]  # fmt: skip
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert entries[0]["words"] == "retail.order.placed.v1 received from source"
    assert entries[3]["facts"]["outcome"] == "Rejected"
    assert entries[3]["facts"]["took_ms"] >= 0


async def test_a_trace_shows_decisions_and_what_the_target_calls_it(api: Api) -> None:
    api.shop.target.refused.clear()
    held = await api.one("/v1/exceptions?code=target.refused")
    await api.call("POST", f"/v1/exceptions/{held['id']}/release", json={"reason": "Mended."})
    await api.shop.work()

    entries = (await api.call("GET", "/v1/trace", params={"reference": "#1"})).json()["entries"]

    assert [entry["kind"] for entry in entries][-4:] == [
        "held", "decided", "attempted", "settled",
    ]  # fmt: skip
    assert entries[-3]["words"].endswith(": Mended.")
    assert entries[-1]["facts"]["external_ref"].startswith("rec_")


async def test_a_message_that_cannot_be_read_is_traced_by_its_id(api: Api) -> None:
    held = await api.one("/v1/messages?state=held")

    traced = await api.json(f"/v1/trace?reference={held['id']}")

    assert [entry["kind"] for entry in traced["entries"]] == ["received", "held"]


@pytest.mark.parametrize("reference", ["#11", "%25", "_", "'; --", "\\", "nothing"])
async def test_a_trace_of_what_is_not_known_is_empty(api: Api, reference: str) -> None:
    answer = await api.call("GET", "/v1/trace", params={"reference": reference})

    assert (answer.status_code, answer.json()["entries"]) == (200, [])


async def test_a_file_is_read_into_messages_and_once_only(api: Api) -> None:
    till = api.shop.retailer.connections["till"]
    path = f"/v1/connections/{till}/files/tickets.xml"

    first = await api.call("PUT", path, content=poslog(simple(1), simple(2)))
    again = await api.call("PUT", path, content=poslog(simple(1), simple(2)))

    assert (first.status_code, again.status_code) == (200, 200)
    assert {**first.json(), "id": ""} == {
        "id": "", "records": 2, "duplicates": 0, "broken": 0, "is_known": False,
    }  # fmt: skip
    assert (again.json()["is_known"], again.json()["id"]) == (True, first.json()["id"])
    listed = (await api.json(f"/v1/messages?connection={till}"))["items"]
    assert [each["position"]["record"] for each in listed] == [2, 1]


async def test_a_connection_without_files_refuses_them(api: Api) -> None:
    source = api.shop.retailer.connections["source"]

    answer = await api.call("PUT", f"/v1/connections/{source}/files/a.xml", content=b"<a/>")

    assert (answer.status_code, answer.json()["code"]) == (422, "connection.no_files")
