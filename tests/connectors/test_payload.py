"""Reading a payload field by field: exact values, or a hold that names the field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors.canonical.money import Money
from connectors.sdk.message import HoldRecord, JsonObject, RawMessage
from connectors.sdk.payload import (
    Part,
    amount,
    amount_or,
    currency,
    day,
    decimal,
    flag,
    identifier,
    items,
    moment,
    money,
    part,
    part_or_none,
    read_payload,
    text,
    text_or,
)

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")


def message(body: bytes) -> RawMessage:
    return RawMessage(topic="order", body=body, received_at=datetime(2026, 11, 27, tzinfo=UTC))


def held(read: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(HoldRecord) as caught:
        read()
    return caught.value.code, caught.value.pointer


def test_payload_is_read_exactly() -> None:
    payload = read_payload(message(b'{"total": 99999999999.99, "id": 9007199254740993}'))

    assert payload == {"total": Decimal("99999999999.99"), "id": 9007199254740993}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "payload.empty"),
        (b"{", "payload.unparseable"),
        (b"[1]", "payload.not_object"),
        (b'{"qty":1,"qty":100}', "payload.duplicate_key"),
        (b'{"qty":NaN}', "number.not_finite"),
        (b'{"sku":"a\\u0000b"}', "text.nul"),
    ],
)
def test_payload_that_two_parsers_read_differently_is_held(body: bytes, code: str) -> None:
    assert held(lambda: read_payload(message(body)))[0] == code


def test_field_of_a_part_is_named_by_its_whole_pointer() -> None:
    payload = {"order": {"lines": [{"sku": "A"}, {"sku": None}]}}
    lines = items(payload, "/order/lines")

    assert text(lines[0], "/sku") == "A"
    assert held(lambda: text(lines[1], "/sku")) == (
        "contract.missing_field",
        "/order/lines/1/sku",
    )


def test_missing_and_null_fields_give_the_default_and_wrong_types_never_do() -> None:
    payload: JsonObject = {"name": None, "number": 7}

    assert text_or(payload, "/name", "none") == "none"
    assert text_or(payload, "/deep/down") == ""
    assert part_or_none(payload, "/customer") is None
    assert items(payload, "/lines") == ()
    assert amount_or(payload, "/total", "USD") == Decimal(0)
    assert held(lambda: text_or(payload, "/number")) == ("contract.wrong_type", "/number")
    assert held(lambda: items(payload, "/number")) == ("contract.wrong_type", "/number")
    assert held(lambda: part(payload, "/number")) == ("contract.wrong_type", "/number")
    assert held(lambda: text(payload, "/number/deep")) == ("contract.wrong_type", "/number/deep")


def test_list_with_something_else_than_objects_is_held_at_that_entry() -> None:
    assert held(lambda: items({"lines": [{}, 7]}, "/lines")) == ("contract.wrong_type", "/lines/1")
    assert held(lambda: items({}, "/lines", required=True)) == ("contract.missing_field", "/lines")


def test_pointer_steps_are_unescaped() -> None:
    assert text({"a/b": {"c~d": "found"}}, "/a~1b/c~0d") == "found"


def test_ids_are_opaque_texts_whatever_the_vendor_writes() -> None:
    assert identifier({"id": 9007199254740993}, "/id") == "9007199254740993"
    assert identifier({"id": "0007"}, "/id") == "0007"
    assert held(lambda: identifier({"id": True}, "/id")) == ("contract.wrong_type", "/id")
    assert held(lambda: identifier({"id": ""}, "/id")) == ("contract.wrong_type", "/id")
    assert held(lambda: identifier({"id": Decimal("1.5")}, "/id")) == ("contract.wrong_type", "/id")


def test_only_true_and_false_are_flags() -> None:
    assert flag({"test": True}, "/test", default=False) is True
    assert flag({}, "/test", default=True) is True
    assert held(lambda: flag({"test": "true"}, "/test", default=False))[0] == "contract.wrong_type"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1.10", Decimal("1.10")),
        (7, Decimal(7)),
        (Decimal("0.5"), Decimal("0.5")),
        ("-0", Decimal(0)),
    ],
)
def test_numbers_are_exact(written: object, read: Decimal) -> None:
    value = decimal({"n": written}, "/n")

    assert value == read
    assert not value.is_signed()


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("1,10", "number.locale"),
        ("1.234,56", "number.locale"),
        ("1 000", "number.locale"),
        ("three", "contract.wrong_type"),
        ("", "contract.wrong_type"),
        (True, "contract.wrong_type"),
        ([], "contract.wrong_type"),
        ("1E+999999", "number.exponent"),
        ("9" * 31, "number.too_long"),
        ("NaN", "number.not_finite"),
        (None, "contract.missing_field"),
    ],
)
def test_number_that_is_not_certain_is_held(written: object, code: str) -> None:
    assert held(lambda: decimal({"n": written}, "/n")) == (code, "/n")


@pytest.mark.parametrize(
    ("written", "code", "expected"),
    [
        ("10.50", "USD", "10.50"),
        ("1050", "JPY", "1050"),
        ("1050.00", "JPY", "1050"),
        ("1.234", "KWD", "1.234"),
    ],
)
def test_amount_keeps_what_its_currency_can_pay(written: str, code: str, expected: str) -> None:
    assert money({"n": written}, "/n", code) == Money(amount=Decimal(expected), currency=code)


@pytest.mark.parametrize(
    ("written", "code", "hold"),
    [
        ("10.50", "JPY", "amount.scale"),
        ("1.2345", "KWD", "amount.scale"),
        ("0.001", "USD", "amount.scale"),
        ("1000000000000", "USD", "number.out_of_range"),
        ("999999999999999999999999999999", "USD", "number.out_of_range"),
    ],
)
def test_amount_that_cannot_be_paid_is_held_and_never_rounded(
    written: str, code: str, hold: str
) -> None:
    assert held(lambda: amount({"n": written}, "/n", code)) == (hold, "/n")


def test_currency_is_three_capital_letters() -> None:
    assert currency({"c": "EUR"}, "/c") == "EUR"
    assert held(lambda: currency({"c": "eur"}, "/c")) == ("currency.unknown", "/c")


@pytest.mark.parametrize(
    ("written", "zone", "expected"),
    [
        ("2026-11-27T09:03:11-05:00", None, datetime(2026, 11, 27, 14, 3, 11, tzinfo=UTC)),
        ("2026-11-27 14:03Z", None, datetime(2026, 11, 27, 14, 3, tzinfo=UTC)),
        ("2026-11-27T14:03:11.123456789Z", None, datetime(2026, 11, 27, 14, 3, 11, 123456, UTC)),
        ("2026-11-27T09:03:11", NEW_YORK, datetime(2026, 11, 27, 14, 3, 11, tzinfo=UTC)),
        ("2026-03-29T02:30:00", BERLIN, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00", BERLIN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
    ids=["offset", "no seconds", "nanoseconds", "zone of the shop", "skipped hour", "double hour"],
)
def test_moments_become_utc(written: str, zone: ZoneInfo | None, expected: datetime) -> None:
    assert moment({"t": written}, "/t", zone) == expected


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("2026-11-27T09:03:11", "time.zone_missing"),
        ("1614265330", "time.invalid"),
        ("2026-13-01T00:00:00Z", "time.invalid"),
        ("2026-02-30T00:00:00Z", "time.invalid"),
        ("2026-11-27T24:00:00Z", "time.invalid"),
        ("2026-11-27T00:00:00+25:00", "time.invalid"),
        ("0001-01-01T00:00:00+14:00", "time.invalid"),
        ("01/02/2026", "time.invalid"),
        (1614265330, "contract.wrong_type"),
    ],
)
def test_moment_that_is_not_certain_is_held(written: object, code: str) -> None:
    assert held(lambda: moment({"t": written}, "/t")) == (code, "/t")


def test_days_are_calendar_days_only() -> None:
    assert day({"d": "2026-11-27"}, "/d") == date(2026, 11, 27)
    assert held(lambda: day({"d": "20261127"}, "/d")) == ("time.invalid", "/d")
    assert held(lambda: day({"d": "2026-02-30"}, "/d")) == ("time.invalid", "/d")


@pytest.mark.parametrize(("value", "code"), [("a\x00b", "text.nul"), ("a\ud800", "text.surrogate")])
def test_text_that_no_database_keeps_is_held(value: str, code: str) -> None:
    assert held(lambda: text(Part({"sku": value}, "/lines/0"), "/sku")) == (code, "/lines/0/sku")
