"""Who may come in: signatures, repeats, sizes and odd HTTP, against the running web process.

Numbers are those of the bad-input catalogue. What is refused leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
from datetime import timedelta

import pytest
from pydantic import SecretStr

from app.connections.secrets import put_secret
from connectors.sdk.signatures import sign_standard
from infra import clock
from infra.database.unit import begin
from infra.telemetry.metrics import METRICS
from tenants.roles import Role
from tests.app.api.served import Served, key_of
from tests.scenarios.door import Door, open_door, written
from tests.scenarios.told import KeepingTarget
from tests.stage import SECRET, Stage, order_event

BODY = written(order_event(1))
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of thirty-two byte").decode()


@pytest.fixture
async def door(stage: Stage, target: KeepingTarget, served: Served) -> Door:
    return await open_door(stage, target, served)


def _signature(msg_id: str, timestamp: int | None = None, secret: str = SECRET) -> dict[str, str]:
    moment = clock.unix_s() if timestamp is None else timestamp
    return {
        name.replace("-", "_"): text
        for name, text in sign_standard(secret, msg_id, moment, BODY).items()
    }


@pytest.mark.parametrize(
    ("number", "headers", "code"),
    [
        ("031", {"webhook_signature": ""}, "signature.missing"),
        ("031", {"webhook_id": ""}, "signature.missing"),
        ("031", {"webhook_timestamp": ""}, "signature.missing"),
        ("032", {"webhook_signature": "v1," + base64.b64encode(b"x" * 32).decode()},
         "signature.invalid"),
        ("032", {"webhook_signature": "garbage"}, "signature.malformed"),
        ("032", _signature("m1", secret=OTHER_SECRET), "signature.invalid"),
        ("032", _signature("m1") | {"webhook_id": "m2"}, "signature.invalid"),
        ("035", {"webhook_timestamp": "1614265330.9"}, "signature.malformed"),
        ("035", {"webhook_timestamp": "1.6e9"}, "signature.malformed"),
        ("035", {"webhook_timestamp": "1_614_265_330"}, "signature.malformed"),
        ("035", {"webhook_timestamp": "+1614265330"}, "signature.malformed"),
        ("035", {"webhook_timestamp": "0x60331832"}, "signature.malformed"),
    ],
)  # fmt: skip
async def test_a_webhook_without_a_right_signature_is_refused_and_nothing_is_stored(
    door: Door, number: str, headers: dict[str, str], code: str
) -> None:
    answer = await door.webhook(BODY, **headers)

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert await door.stored() == 0


@pytest.mark.parametrize(
    ("shift_s", "code"), [(-302, "signature.stale"), (305, "signature.future")]
)
async def test_036_a_webhook_outside_its_time_window_is_refused(
    door: Door, shift_s: int, code: str
) -> None:
    answer = await door.webhook(BODY, **_signature("m1", clock.unix_s() + shift_s))

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert await door.stored() == 0


async def test_034_a_right_signature_among_a_thousand_wrong_ones_is_refused(door: Door) -> None:
    right = _signature("m1")
    wrong = " ".join(
        "v1," + base64.b64encode(number.to_bytes(32)).decode() for number in range(100)
    )

    many = await door.webhook(
        BODY, **right | {"webhook_signature": f"{wrong} {right['webhook_signature']}"}
    )
    few = f"{wrong.partition(' ')[0]} {right['webhook_signature']}"
    two = await door.webhook(BODY, **right | {"webhook_signature": few})

    assert (many.status_code, two.status_code) == (401, 202)


async def test_037_the_same_webhook_again_is_known_and_changes_nothing(door: Door) -> None:
    """E-D01. It is acknowledged, counted as a duplicate, and has no effect."""
    before = METRICS.registry.get_sample_value("accepts_total", {"result": "duplicate"}) or 0
    first = await door.webhook(BODY, msg_id="m1")
    again = await door.webhook(BODY, msg_id="m1")
    await door.shop.work()
    late = await door.webhook(BODY, msg_id="m1")

    assert [each.status_code for each in (first, again, late)] == [202, 200, 200]
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert (await door.stored(), len(door.shop.target.bodies)) == (3, 1)
    after = METRICS.registry.get_sample_value("accepts_total", {"result": "duplicate"})
    assert after == before + 2


async def test_039_the_same_body_under_another_id_is_taken_and_told_once(door: Door) -> None:
    first = await door.webhook(BODY, msg_id="m1")
    second = await door.webhook(BODY, msg_id="m2")
    await door.shop.work()

    assert (first.status_code, second.status_code) == (202, 202)
    assert len(door.shop.target.bodies) == 1
    assert await door.shop.fates() == {"delivered": 1, "merged": 1}


async def test_040_a_webhook_signed_by_another_retailer_is_refused(
    door: Door, stage: Stage, target: KeepingTarget
) -> None:
    stranger = await open_door(stage, target, door.served)
    await _new_secret(stranger, OTHER_SECRET)
    accepted = await stranger.webhook(BODY, secret=OTHER_SECRET)

    refused = await door.webhook(BODY, secret=OTHER_SECRET)

    assert (accepted.status_code, refused.status_code) == (202, 401)
    assert await door.stored() == 0


async def test_041_the_secret_before_opens_for_a_day_and_then_no_more(door: Door) -> None:
    await _new_secret(door, OTHER_SECRET)
    during = await door.webhook(BODY, msg_id="m1")
    new = await door.webhook(BODY, msg_id="m2", secret=OTHER_SECRET)
    await door.stage.rows(
        door.shop.retailer,
        "update connection_secret set valid_until = $1 where valid_until is not null returning 1",
        clock.now() - timedelta(seconds=1),
    )
    door.stage.connections.forget(
        door.shop.retailer.tenant_id, door.shop.retailer.connections["source"]
    )
    after = await door.webhook(BODY, msg_id="m3")

    assert [each.status_code for each in (during, new, after)] == [202, 202, 401]


async def test_114_the_same_webhook_three_times_at_once_is_one_event(door: Door) -> None:
    signed = _signature("m1")
    answers = await asyncio.gather(*[door.webhook(BODY, **signed) for _ in range(3)])
    await door.shop.work()

    assert sorted(answer.status_code for answer in answers) == [200, 200, 202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(door.shop.target.bodies) == 1
    assert (await door.shop.fates(), await door.shop.unaccounted()) == ({"delivered": 1}, 0)


async def test_115_an_order_by_webhook_and_by_api_is_one_delivery(door: Door) -> None:
    event = {**order_event(1), "objectversion": "7"}
    by_hook = await door.webhook(written(event))
    by_api = await door.api(written({**event, "id": "found-by-asking"}))
    await door.shop.work()

    assert (by_hook.status_code, by_api.status_code) == (202, 202)
    assert len(door.shop.target.bodies) == 1
    assert await door.shop.fates() == {"delivered": 1, "merged": 1}


@pytest.mark.parametrize("media_type", ["text/plain", "application/octet-stream", ""])
async def test_027_a_webhook_with_another_content_type_is_taken_and_the_api_refuses_it(
    door: Door, media_type: str
) -> None:
    refused = await door.api(BODY, content_type=media_type)
    stored = await door.stored()
    taken = await door.webhook(BODY, content_type=media_type)
    await door.shop.work()

    assert (refused.status_code, refused.json()["code"]) == (415, "body.wrong_media_type")
    assert (stored, taken.status_code, len(door.shop.target.bodies)) == (0, 202, 1)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_066_a_hook_takes_nothing_but_post(door: Door, method: str) -> None:
    answer = await door.served.call(method, door.hook)

    assert answer.status_code == 405
    assert await door.stored() == 0


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/",
        "/hooks/" + "a" * 43,
        "/hooks/" + "a" * 3000,
        "/hooks/../v1/ledger",
        "/hooks/%2e%2e/%2e%2e/etc/passwd",
        "/hooks/%00",
        "/hooks/%252e%252e",
        "/hooks//",
    ],
)
async def test_067_unknown_hooks_are_one_and_the_same_answer(door: Door, path: str) -> None:
    unknown = await door.served.call("POST", "/hooks/" + "b" * 43, content=BODY)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n".encode()

    status = await door.raw(head + b"{}")

    assert unknown.status_code == 404
    assert status == 404
    assert await door.stored() == 0


def _request(
    *lines: str, first: str = "POST /v1/events HTTP/1.1", host: str = "127.0.0.1"
) -> bytes:
    head = [first, *([f"Host: {host}"] if host else []), *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")


CHUNKED, LENGTH = "Transfer-Encoding: chunked", "Content-Length: 2"


@pytest.mark.parametrize(
    ("number", "request_bytes", "statuses"),
    [
        ("046", _request(*[f"x-{n}: 1" for n in range(200)]), {431}),
        ("046", _request("x-long: " + "y" * 20_000), {431}),
        ("047", _request()[:-2] + b"x-endless: " + b"y" * 100_000, {431, 0}),
        ("049", _request(LENGTH, CHUNKED) + b"0\r\n\r\n", {400}),
        ("050", _request(LENGTH, "Content-Length: 3") + b"{}", {400}),
        ("050", _request("Content-Length: -2") + b"{}", {400}),
        ("050", _request("Transfer-Encoding: xchunked") + b"{}", {400, 501}),
        ("050", _request(CHUNKED) + b"zz\r\n", {400}),
        ("051", _request("x-folded: a\r\n b"), {400}),
        ("052", _request(host=""), {400}),
        ("052", _request("Host: example.com"), {400}),
        ("054", _request(first="POST http://example.com/v1/events HTTP/1.1"), {421}),
        ("054", _request(host="example.com"), {421}),
        ("057", _request(first=f"GET /{'a' * 100_000} HTTP/1.1"), {414}),
        ("061", _request("Content-Length: 209715200"), {413}),
        ("066", _request(first="TRACE /v1/events HTTP/1.1"), {405}),
        ("087", _request("x-log: a\x01b"), {400}),
        ("170", _request(first="GET /v1/ledger?key=tkra_x&api_key=tkra_x HTTP/1.1"), {401}),
    ],
)
async def test_odd_http_is_refused_without_a_fault_and_nothing_is_stored(
    door: Door, number: str, request_bytes: bytes, statuses: set[int]
) -> None:
    status = await door.raw(request_bytes)

    assert status in statuses
    assert await door.stored() == 0


async def test_045_a_signed_header_sent_twice_is_refused(door: Door) -> None:
    signed = sign_standard(SECRET, "m1", clock.unix_s(), BODY)
    lines = [f"{name}: {text}" for name, text in signed.items()]
    length = f"Content-Length: {len(BODY)}"
    first = f"POST {door.hook} HTTP/1.1"

    twice = await door.raw(_request(*lines, "webhook-id: m2", length, first=first) + BODY)
    stored = await door.stored()
    once = await door.raw(_request(*lines, length, first=first) + BODY)

    assert (twice, stored, once) == (401, 0, 202)


async def test_061_a_webhook_larger_than_a_megabyte_is_refused(door: Door) -> None:
    answer = await door.webhook(b" " * 1_048_577)

    assert (answer.status_code, answer.json()["code"]) == (413, "body.too_large")
    assert await door.stored() == 0


@pytest.mark.parametrize(
    ("number", "encoding", "body", "expected"),
    [
        ("044", "gzip", gzip.compress(BODY), (202, "")),
        ("059", "gzip", gzip.compress(b" " * 20_000_000), (413, "body.too_large")),
        ("060", "gzip, gzip", gzip.compress(gzip.compress(BODY)),
         (415, "body.encoding_unsupported")),
        ("060", "br", BODY, (415, "body.encoding_unsupported")),
        ("060", "zstd", BODY, (415, "body.encoding_unsupported")),
        ("060", "gzip", BODY, (400, "body.encoding_broken")),
    ],
)  # fmt: skip
async def test_compressed_api_bodies_are_taken_once_and_within_bounds(
    door: Door, number: str, encoding: str, body: bytes, expected: tuple[int, str]
) -> None:
    answer = await door.api(body, content_encoding=encoding)

    assert (answer.status_code, answer.json().get("code", "")) == expected
    assert await door.stored() == (3 if expected[0] == 202 else 0)


@pytest.mark.parametrize("key", ["", "x" * 300, "a\tb", "caf\xe9"])
async def test_070_a_misshapen_idempotency_key_is_refused(door: Door, key: str) -> None:
    lines = [f"Authorization: Bearer {door.key}", "Content-Type: application/json"]
    request = _request(*lines, f"Idempotency-Key: {key}", f"Content-Length: {len(BODY)}")

    status = await door.raw(request + BODY)

    assert status == 400
    assert await door.stored() == 0


async def test_071_an_idempotency_key_with_another_body_is_refused(door: Door) -> None:
    first = await door.api(BODY, idempotency_key="k1")
    again = await door.api(BODY, idempotency_key="k1")
    other = await door.api(written(order_event(2)), idempotency_key="k1")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")
    assert await door.stored() == 3


async def test_072_the_same_idempotency_key_at_once_runs_once(door: Door) -> None:
    answers = await asyncio.gather(*[door.api(BODY, idempotency_key="k1") for _ in range(8)])

    assert {answer.status_code for answer in answers} <= {202, 409}
    for refused in (answer for answer in answers if answer.status_code == 409):
        assert refused.json()["code"] == "idempotency.in_progress"
        assert refused.headers["retry-after"] == "1"
    assert await door.stored() == 3


async def test_074_the_same_idempotency_key_of_another_retailer_is_independent(
    door: Door, stage: Stage, target: KeepingTarget
) -> None:
    neighbour = await open_door(stage, target, door.served)
    mine = await door.api(BODY, idempotency_key="k1")
    theirs = await neighbour.api(written(order_event(2)), idempotency_key="k1")

    assert (mine.status_code, theirs.status_code) == (202, 202)


async def test_a_missing_or_foreign_key_is_refused_before_anything_is_read(
    door: Door, stage: Stage, target: KeepingTarget
) -> None:
    read_only = await key_of(stage, Role.AUDITOR, tenant_id=door.shop.retailer.tenant_id)
    neighbour = await open_door(stage, target, door.served)
    foreign = await door.served.call(
        "POST",
        "/v1/events",
        neighbour.key,
        tenant=door.shop.retailer.tenant_id,
        headers={"content-type": "application/json"},
        content=BODY,
    )
    answers = [
        await door.served.call("POST", "/v1/events", key, content=b"{")
        for key in ("", "tkra_wrong", door.key[:-1], read_only)
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 403]
    assert foreign.status_code == 404
    assert answers[0].content == answers[1].content == answers[2].content
    assert await door.stored() == 0


async def test_062_a_body_that_never_ends_is_given_up_and_nothing_is_stored(door: Door) -> None:
    port = int(door.served.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {door.hook} HTTP/1.1\r\nHost: 127.0.0.1\r\n{CHUNKED}\r\n\r\n"
    writer.write(head.encode() + b"5\r\n{" + b'"a":' + b"\r\n")
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    answer = await door.webhook(BODY)

    assert answer.status_code == 202
    assert await door.stored() == 3


async def test_044_a_compressed_webhook_is_verified_over_the_bytes_as_they_came(door: Door) -> None:
    packed = gzip.compress(BODY)

    answer = await door.webhook(packed, content_encoding="gzip")
    await door.shop.work()

    assert answer.status_code == 202
    assert await door.body_of(answer.json()["id"]) == packed


async def _new_secret(door: Door, text: str) -> None:
    source = door.shop.retailer.connections["source"]
    key = await door.stage.vault.current(door.shop.retailer.tenant_id)
    async with begin(door.shop.retailer.scope, door.stage.database) as session:
        await put_secret(session, key, source, "webhook_secret", SecretStr(text))
    door.stage.connections.forget(door.shop.retailer.tenant_id, source)
