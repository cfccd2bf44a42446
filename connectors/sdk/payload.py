"""Reading a payload field by field: typed values out, HoldRecord with the exact pointer if not.

Accessors take a whole payload or a `Part` of it and a JSON pointer below that. A `..._or` accessor
gives its default when the field is missing or null; what is there must still be well formed.
Nothing is guessed: `1,10` is held as `number.locale`, a time without zone as `time.zone_missing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connectors.canonical.money import Money, minor_units
from connectors.sdk.message import HoldRecord, JsonObject, RawMessage
from infra.strict_json import StrictJsonError, check_decimal_text, read_object

# Quantities are kept as numeric(18,6). The product of two such numbers still fits the 28 digits of
# decimal arithmetic, so that nothing is rounded and nothing fails later.
_LIMIT = Decimal(10) ** 12

_T = TypeVar("_T")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Part:
    """One object inside a payload, with the JSON pointer at which it stands."""

    value: JsonObject
    pointer: str = ""


Source = JsonObject | Part


def read_payload(message: RawMessage) -> JsonObject:
    """Read the body as strict JSON with an object on top; holds what no two parsers agree on."""
    try:
        payload: JsonObject = read_object(message.body)
    except StrictJsonError as error:
        raise HoldRecord(error.code, error.pointer or "", error.words) from error
    return payload


def part(source: Source, pointer: str) -> Part:
    """Give the object at a pointer; holds when it is missing or is not an object."""
    value, at = _required(source, pointer)
    if not isinstance(value, dict):
        raise _wrong_type(at, "an object")
    return Part(value, at)


def part_or_none(source: Source, pointer: str) -> Part | None:
    """Give the object at a pointer, None when it is missing or null."""
    return None if _found(source, pointer)[0] is None else part(source, pointer)


def items(source: Source, pointer: str, *, required: bool = False) -> tuple[Part, ...]:
    """Give the objects of a list, each with its own pointer; null is empty unless required."""
    value, at = (_required if required else _found)(source, pointer)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _wrong_type(at, "a list")
    parts = [Part(item, f"{at}/{index}") for index, item in enumerate(value)]
    for item in parts:
        if not isinstance(item.value, dict):
            raise _wrong_type(item.pointer, "an object")
    return tuple(parts)


def text(source: Source, pointer: str) -> str:
    """Give a text as it is; holds NUL and lone surrogates, which no database can keep."""
    value, at = _required(source, pointer)
    if not isinstance(value, str):
        raise _wrong_type(at, "text")
    return _storable(value, at)


def text_or(source: Source, pointer: str, default: str = "") -> str:
    """Give a text, or the default."""
    return _or(text, source, pointer, default)


def identifier(source: Source, pointer: str) -> str:
    """Give an id as an opaque text, also when the vendor writes it as a whole number."""
    value, at = _required(source, pointer)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise _wrong_type(at, "an id")
    return _storable(str(value), at)


def identifier_or(source: Source, pointer: str, default: str = "") -> str:
    """Give an id, or the default."""
    return _or(identifier, source, pointer, default)


def flag(source: Source, pointer: str, *, default: bool) -> bool:
    """Give a yes or no; `"true"` and 1 are not one."""
    value, at = _found(source, pointer)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _wrong_type(at, "true or false")
    return value


def decimal(source: Source, pointer: str) -> Decimal:
    """Give an exact number, written as a JSON number or as text with a decimal point."""
    value, at = _required(source, pointer)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _wrong_type(at, "a number")
    number = _number_in_text(value, at) if isinstance(value, str) else Decimal(value)
    if abs(number) >= _LIMIT:
        words = f"{at} is larger than anything that can be booked. Correct it."
        raise HoldRecord("number.out_of_range", at, words)
    # -0 is 0: a minus sign must not survive where nothing is owed.
    return number or Decimal(0)


def decimal_or(source: Source, pointer: str, default: Decimal = Decimal(0)) -> Decimal:
    """Give an exact number, or the default."""
    return _or(decimal, source, pointer, default)


def amount(source: Source, pointer: str, currency: str) -> Decimal:
    """Give a payable amount; holds one with more decimals than the currency has (JPY 10.50)."""
    value = decimal(source, pointer)
    at = _pointer(source, pointer)
    if value != value.quantize(Decimal(1).scaleb(-minor_units(currency))):
        words = f"{at} is {value}, but {currency} has {minor_units(currency)} decimals."
        raise HoldRecord("amount.scale", at, f"{words} It is never rounded; correct the amount.")
    return value


def amount_or(
    source: Source, pointer: str, currency: str, default: Decimal = Decimal(0)
) -> Decimal:
    """Give a payable amount, or the default."""
    if _found(source, pointer)[0] is None:
        return default
    return amount(source, pointer, currency)


def money(source: Source, pointer: str, currency: str) -> Money:
    """Give a payable amount with its currency."""
    return Money(amount=amount(source, pointer, currency), currency=currency)


def currency(source: Source, pointer: str) -> str:
    """Give an ISO 4217 code: three capital letters."""
    code = text(source, pointer)
    if not _CURRENCY.fullmatch(code):
        at = _pointer(source, pointer)
        raise HoldRecord(
            "currency.unknown", at, f"{at} is not a currency code such as USD. Correct it."
        )
    return code


def moment(source: Source, pointer: str, zone: ZoneInfo | None = None) -> datetime:
    """Give a moment as aware UTC, microseconds at most.

    A time without offset is read in `zone`: in the hour skipped in spring it means the hour after,
    in the hour repeated in autumn the first. Without a zone it is held.
    """
    written = text(source, pointer)
    at = _pointer(source, pointer)
    match = _MOMENT.fullmatch(written)
    if match is None:
        raise _bad_time(at)
    day, clock, fraction, offset = match.groups()
    if offset is None and zone is None:
        words = f"{at} has no time zone. Set the time zone of this connection, then release it."
        raise HoldRecord("time.zone_missing", at, words)
    seconds = clock if len(clock) > len("00:00") else f"{clock}:00"
    microseconds = (fraction or "")[:6].ljust(6, "0")
    try:
        read = datetime.fromisoformat(f"{day}T{seconds}.{microseconds}{(offset or '').upper()}")
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _bad_time(at) from error


def wall_time(source: Source, pointer: str) -> datetime:
    """Give a time on the clock of whatever place it is meant for, without a zone."""
    written = text(source, pointer)
    match = _MOMENT.fullmatch(written)
    if match is None or match[4] is not None:
        raise _bad_wall_time(_pointer(source, pointer))
    try:
        return datetime.fromisoformat(written)
    except ValueError as error:
        raise _bad_wall_time(_pointer(source, pointer)) from error


def whole(source: Source, pointer: str) -> int:
    """Give a whole number."""
    number = decimal(source, pointer)
    if number != number.to_integral_value():
        raise _wrong_type(_pointer(source, pointer), "a whole number")
    return int(number)


def moment_or_none(source: Source, pointer: str, zone: ZoneInfo | None = None) -> datetime | None:
    """Give a moment, None when it is missing or null."""
    return None if _found(source, pointer)[0] is None else moment(source, pointer, zone)


def day(source: Source, pointer: str) -> date:
    """Give a calendar day, written YYYY-MM-DD."""
    written = text(source, pointer)
    at = _pointer(source, pointer)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
        raise _bad_time(at)
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise _bad_time(at) from error


def _or(read: Callable[[Source, str], _T], source: Source, pointer: str, default: _T) -> _T:
    return default if _found(source, pointer)[0] is None else read(source, pointer)


def _required(source: Source, pointer: str) -> tuple[Any, str]:
    value, at = _found(source, pointer)
    if value is None:
        words = f"{at} is missing. The record cannot be understood without it; add it or map it."
        raise HoldRecord("contract.missing_field", at, words)
    return value, at


def _found(source: Source, pointer: str) -> tuple[Any, str]:
    value: Any = source.value if isinstance(source, Part) else source
    for step in pointer.split("/")[1:]:
        if value is not None and not isinstance(value, dict):
            raise _wrong_type(_pointer(source, pointer), "a field of an object")
        value = None if value is None else value.get(step.replace("~1", "/").replace("~0", "~"))
    return value, _pointer(source, pointer)


def _pointer(source: Source, pointer: str) -> str:
    return source.pointer + pointer if isinstance(source, Part) else pointer


def _storable(value: str, at: str) -> str:
    if "\x00" in value:
        raise HoldRecord("text.nul", at, f"{at} contains a NUL character. Remove it.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise HoldRecord("text.surrogate", at, f"{at} contains half a character. Correct the text.")
    return value


def _number_in_text(value: str, at: str) -> Decimal:
    try:
        return check_decimal_text(value)
    except StrictJsonError as error:
        if error.code == "number.invalid":
            raise _wrong_type(at, "a number") from error
        raise HoldRecord(error.code, at, f"{at}: {error.words}") from error


def _bad_time(at: str) -> HoldRecord:
    words = f"{at} is not a date or time such as 2026-11-27T14:03:00Z. Correct it."
    return HoldRecord("time.invalid", at, words)


def _bad_wall_time(at: str) -> HoldRecord:
    words = (
        f"{at} should be a time on the clock of the place, like 2026-11-27T00:00, without a zone."
    )
    return HoldRecord("time.invalid", at, words)


def _wrong_type(at: str, wanted: str) -> HoldRecord:
    return HoldRecord("contract.wrong_type", at, f"{at} should be {wanted}. Correct it or map it.")
