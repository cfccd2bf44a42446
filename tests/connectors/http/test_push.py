"""Events pushed to any system: the same bytes at every repeat, every answer an outcome."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from connectors import registry
from connectors.canonical.event import BODIES, ORDER_PLACED
from connectors.lab.samples import sample
from connectors.lab.scripted import Scripted, answered
from connectors.sdk.connector import Dispatch
from connectors.sdk.message import RawMessage
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)
from connectors.sdk.signatures import sign_standard
from connectors.sdk.transport import Answer, AnswerLost, NotSent
from infra.clock import now, unix_s

KEY = "0123456789abcdef0123456789abcdef"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def pushed(
    plan: Answer | NotSent | AnswerLost, event_type: str = ORDER_PLACED, **settings: Any
) -> tuple[Outcome, Scripted]:
    target = Scripted(plan)
    dispatch = Dispatch("push", sample(event_type), KEY, settings, trace_parent="00-a-b-01")
    return await registry.load("http").send(dispatch, target), target


async def test_an_event_leaves_as_a_cloud_event_with_its_key() -> None:
    outcome, target = await pushed(answered(201, b'{"id":"ext-9"}'), path="/in", source="/maple")

    (call,) = target.calls
    told = msgspec.json.decode(call.body)
    assert outcome == Delivered("ext-9", 201)
    assert (call.method, call.path) == ("POST", "/in")
    assert call.headers == {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "accept": "application/json",
        "idempotency-key": KEY,
        "webhook-id": KEY,
        "traceparent": "00-a-b-01",
    }
    assert told["data"].pop("lines")[0]["gross"] == "52.92"
    assert told.pop("data")["total"] == "52.92"
    assert told == {
        "specversion": "1.0",
        "id": KEY,
        "type": "retail.order.placed.v1",
        "source": "/maple",
        "subject": "order:1001",
        "time": "2026-11-27T14:03:00Z",
        "datacontenttype": "application/json",
        "dataschema": "order/1.1.0",
        "objectid": "1001",
        "objectversion": "2026-11-27T14:03:00Z",
    }


@pytest.mark.parametrize("event_type", sorted(BODIES))
async def test_what_we_push_we_can_read_back(event_type: str) -> None:
    _, target = await pushed(answered(200), event_type)

    (event,) = (
        registry.load("http").read(RawMessage(event_type, target.calls[0].body, now())).events
    )

    assert event.body == sample(event_type).body
    assert event.key == sample(event_type).key


async def test_what_we_push_verifies_with_the_library_of_the_specification() -> None:
    _, target = await pushed(answered(200))
    call = target.calls[0]

    headers = sign_standard(SECRET, call.headers["webhook-id"], unix_s(), call.body)

    assert Webhook(SECRET).verify(call.body, headers)["id"] == KEY


PROBLEM = b'{"title":"No","errors":[{"pointer":"#/data/total","code":"x"}]}'
ANSWERS = [
    (answered(200, b""), Delivered, ""),
    (answered(204, b""), Delivered, ""),
    (answered(409, b'{"id":5}'), Duplicate, ""),
    (answered(401), AuthorizationLost, ""),
    (answered(403), AuthorizationLost, ""),
    (answered(404), Rejected, "target.gone"),
    (answered(410), Rejected, "target.gone"),
    (answered(301, location="https://elsewhere.example/"), Rejected, "target.redirect"),
    (answered(400), Rejected, "target.refused"),
    (answered(413), Rejected, "target.refused"),
    (answered(415), Rejected, "target.refused"),
    (answered(418), Rejected, "target.refused"),
    (answered(422, PROBLEM), Rejected, "target.refused"),
    (answered(408), RetryLater, "target.unavailable"),
    (answered(429), RetryLater, "target.throttled"),
    (answered(500), RetryLater, "target.unavailable"),
    (answered(503), RetryLater, "target.unavailable"),
    (answered(599), RetryLater, "target.unavailable"),
    (answered(101), Unknown, ""),
    (AnswerLost("Lost."), Unknown, ""),
    (NotSent("target.unreachable", "No route."), RetryLater, "target.unreachable"),
]


@pytest.mark.parametrize(("plan", "kind", "code"), ANSWERS)
async def test_every_answer_is_an_outcome(
    plan: Answer | NotSent | AnswerLost, kind: type[Outcome], code: str
) -> None:
    outcome, _ = await pushed(plan)

    assert type(outcome) is kind
    assert getattr(outcome, "code", "") == code


async def test_a_refusal_points_at_the_field_that_the_problem_names() -> None:
    outcome, _ = await pushed(answered(422, PROBLEM))

    assert isinstance(outcome, Rejected)
    assert outcome.pointer == "/data/total"


@pytest.mark.parametrize("pointer", ['"<script>"', '"/a b"', "5", "null", '"' + "/x" * 500 + '"'])
async def test_a_pointer_that_is_none_is_not_repeated(pointer: str) -> None:
    outcome, _ = await pushed(answered(400, b'{"errors":[{"pointer":%s}]}' % pointer.encode()))

    assert isinstance(outcome, Rejected)
    assert outcome.pointer == ""


DATE = "Fri, 27 Nov 2026 14:00:00 GMT"
WAITS = [
    ({"retry_after": "7"}, 7.0),
    ({"retry_after": "Fri, 27 Nov 2026 14:02:00 GMT", "date": DATE}, 120.0),
    ({"retry_after": "Fri, 27 Nov 2026 13:00:00 GMT", "date": DATE}, 0.0),
    ({"retry_after": "Fri, 27 Nov 2026 14:02:00 GMT"}, None),
    ({"retry_after": "soon"}, None),
    ({"retry_after": "-5"}, None),
    ({"retry_after": "1e9"}, None),
    ({"retry_after": "9" * 400}, None),
    ({"retry_after": "٣"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "wait_s"), WAITS)
async def test_the_wait_that_a_target_asks_for_is_kept(
    headers: dict[str, str], wait_s: float | None
) -> None:
    outcome, _ = await pushed(answered(429, **headers))

    assert isinstance(outcome, RetryLater)
    assert outcome.after_s == wait_s


ERRORS = [
    (b'{"error":"no stock"}', Rejected),
    (b'{"error":{"code":5}}', Rejected),
    (b'{"error":null,"id":"x"}', Delivered),
    (b'{"error":false}', Delivered),
    (b"{}", Delivered),
    (b"", Delivered),
    (b"<html>Please log in</html>", Unknown),
]


@pytest.mark.parametrize(("body", "kind"), ERRORS)
async def test_an_error_inside_a_200_is_no_delivery(body: bytes, kind: type[Outcome]) -> None:
    outcome, _ = await pushed(answered(200, body), error_field="/error")

    assert type(outcome) is kind


WORDS = [
    ({}, ""),
    ({"words_field": "/title"}, ' It says: "The period is closed."'),
    ({"words_field": "/detail"}, ""),
    ({"words_field": "/status"}, ""),
]


@pytest.mark.parametrize(("settings", "added"), WORDS)
async def test_why_a_target_refuses_is_shown_only_from_the_field_that_is_named(
    settings: dict[str, str], added: str
) -> None:
    body = b'{"title":"The period is closed.","status":422,"detail":"two\\nlines"}'

    outcome, _ = await pushed(answered(422, body), **settings)

    assert isinstance(outcome, Rejected)
    assert outcome.words == (
        f"The target refused this record (HTTP 422). Correct it, then release it.{added}"
    )


@pytest.mark.parametrize("path", ["in", "//elsewhere.example/in", "/a\r\nb"])
async def test_a_path_that_is_none_sends_nothing(path: str) -> None:
    outcome, target = await pushed(answered(200), path=path)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.pointer) == ("settings.invalid", "/settings/path")
    assert target.calls == []
