"""Wide events: one JSON line each, registered fields only, no secrets, no forged lines."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from infra.telemetry.events import log_event, start_logging
from infra.telemetry.fields import register_fields

TENANT = UUID("0198f0a0-0000-7000-8000-000000000001")


class Lines(BytesIO):
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    stream = Lines()
    start_logging(stream=stream)
    yield stream
    start_logging(stream=BytesIO())


def test_event_is_one_line_with_typed_fields(lines: Lines) -> None:
    log_event("delivery.attempted", tenant=TENANT, attempt=2, took_ms=412, is_replay=False)

    (told,) = lines.told()
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "event_name": "delivery.attempted",
        "level": "info",
        "tenant": "0198f0a0-0000-7000-8000-000000000001",
        "attempt": 2,
        "took_ms": 412,
        "is_replay": False,
    }


def test_sr_18_unregistered_fields_are_named_but_never_written(lines: Lines) -> None:
    log_event("order.read", customer_email="jon@example.com", body="{...}", code="ok")

    (told,) = lines.told()
    assert told["dropped_fields"] == "body,customer_email"
    assert told["code"] == "ok"
    assert b"jon@example.com" not in lines.getvalue()


def test_a_package_may_register_its_own_fields(lines: Lines) -> None:
    register_fields({"oversold_units_in_test"})

    log_event("promise.broken", oversold_units_in_test=Decimal("3.50"))

    assert lines.told()[0]["oversold_units_in_test"] == "3.50"


def test_bi_087_line_breaks_cannot_forge_a_second_line(lines: Lines) -> None:
    log_event("hold.opened", reason="x\r\n2026-01-01 INFO ok\u2028\x85\x1b[31m\x00\ud800")

    assert lines.getvalue().count(b"\n") == 1
    assert b"\r" not in lines.getvalue()
    assert b"\x1b" not in lines.getvalue()
    assert lines.told()[0]["reason"].startswith("x\r\n2026-01-01 INFO ok")


def test_misnamed_event_is_written_under_a_safe_name(lines: Lines) -> None:
    log_event("Order #1 of Jon Doe failed")

    assert lines.told()[0]["event_name"] == "event.misnamed"
    assert b"Jon" not in lines.getvalue()


SECRETS = [
    "Authorization: Bearer abcdefgh12345678",
    "Basic dXNlcjpwYXNzd29yZA==",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "shpat_" + "0123456789abcdef0123456789abcdef",
    "postgresql://app:hunter2secret@db/shop",
    'password="hunter2 secret"',
    "api_key: 12345abcdef",
    "-----BEGIN PRIVATE" + " KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
    "card 4111 1111 1111 1111 declined",
]
CORES = [
    "abcdefgh12345678", "dXNlcjpwYXNzd29yZA", "c2lnbmF0dXJl", "4eC39HqLyjW", "MfKQ9r8GKY",
    "0123456789abcdef0", "hunter2secret", "hunter2 secret", "12345abcdef", "MIIEvQIBADANBg",
    "4111 1111",
]  # fmt: skip


@pytest.mark.parametrize(("secret", "core"), list(zip(SECRETS, CORES, strict=True)))
def test_secret_in_a_value_is_taken_out(lines: Lines, secret: str, core: str) -> None:
    log_event("target.answered", reason=f"before {secret} after")

    told = lines.told()[0]["reason"]
    assert "[redacted]" in told
    assert core not in told
    assert told.startswith("before ")


@pytest.mark.parametrize("text", ["order 1234567890123456", "sku 4111111111111112", str(TENANT)])
def test_long_numbers_that_are_no_cards_stay(lines: Lines, text: str) -> None:
    log_event("target.answered", reason=text)

    assert lines.told()[0]["reason"] == text


def test_routine_events_are_sampled_by_trace_and_warnings_never() -> None:
    stream = Lines()
    start_logging(sample_share_0_1=0.25, stream=stream)

    for number in range(1_000):
        trace = f"{number:032x}"
        log_event("delivery.prepared", trace_id=trace)
        log_event("delivery.attempted", trace_id=trace)
        log_event("lane.stranded", level="warning", count=number)

    told = stream.told()
    prepared = {line["trace_id"] for line in told if line["event_name"] == "delivery.prepared"}
    attempted = {line["trace_id"] for line in told if line["event_name"] == "delivery.attempted"}
    assert prepared == attempted
    assert 150 < len(prepared) < 350
    assert sum(line["level"] == "warning" for line in told) == 1_000


def test_level_below_the_chosen_one_is_not_written() -> None:
    stream = Lines()
    start_logging(level="warning", stream=stream)

    log_event("delivery.attempted")
    log_event("lane.stranded", level="error")

    assert [line["event_name"] for line in stream.told()] == ["lane.stranded"]


def test_library_warnings_come_in_without_arguments_or_exception_text(lines: Lines) -> None:
    try:
        int("canary-payload")
    except ValueError:
        logging.getLogger("some.library").exception("cannot read %s", "canary-argument")
    logging.getLogger("some.library").info("routine")

    (told,) = lines.told()
    assert (told["event_name"], told["level"]) == ("library.warned", "error")
    assert (told["library"], told["message"]) == ("some.library", "cannot read %s")
    assert told["error_type"] == "ValueError"
    assert "tests/infra/telemetry/test_events.py:" in told["error_at"]
    assert b"canary" not in lines.getvalue()
