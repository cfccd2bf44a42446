"""Read a JSON document strictly: what two parsers could understand differently is refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn, TypeAlias

from infra.strict_json.fault import DEFAULT, JsonLimits, StrictJsonError
from infra.strict_json.locate import byte_offset, locate
from infra.strict_json.numbers import fraction_reader, integer_reader
from infra.strict_json.shape import check_shape

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | Decimal | bool | None"

# Escapes that make a NUL, or half of a surrogate pair without its other half. Searched only after
# escaped backslashes are masked, so that every `\\u` found is an escape.
_BAD_ESCAPES = {
    "text.nul": re.compile(rb"\\u0000"),
    "text.surrogate": re.compile(
        rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
    ),
}
_OTHER_FORMAT = re.compile(r"\s*(?:<|[A-Za-z0-9_.%+-]+=)")


def read_json(raw: bytes, limits: JsonLimits = DEFAULT) -> JsonValue:
    """Read a document; numbers are exact (`int`, or `Decimal` when written with `.` or `e`).

    Raises: StrictJsonError with code, pointer and byte offset where they are known.
    Rules:  UTF-8 without mark, no repeated key, bounded depth, entries, keys and digits,
            no NUL, no lone surrogate.
    """
    text = _decoded(raw)
    check_shape(raw, limits)
    try:
        value: JsonValue = _decoder(limits).decode(text)
    except json.JSONDecodeError as fault:
        raise _unparseable(text, fault) from None
    except StrictJsonError as fault:
        raise locate(text, fault.code, limits) from None
    if b"\\u" in raw:
        _refuse_bad_text(raw, text, limits)
    return value


def read_object(raw: bytes, limits: JsonLimits = DEFAULT) -> dict[str, JsonValue]:
    """Read a document whose top level must be an object; raises `payload.not_object` otherwise."""
    value = read_json(raw, limits)
    if not isinstance(value, dict):
        raise StrictJsonError("payload.not_object", "", 0)
    return value


def _decoded(raw: bytes) -> str:
    if not raw or raw.isspace():
        raise StrictJsonError("payload.empty", offset=0)
    if json.detect_encoding(raw) != "utf-8":
        raise StrictJsonError("payload.encoding", offset=0)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise StrictJsonError("payload.encoding", offset=fault.start) from None


def _unparseable(text: str, fault: json.JSONDecodeError) -> StrictJsonError:
    if _OTHER_FORMAT.match(text):
        return StrictJsonError("payload.wrong_media_type", offset=0)
    return StrictJsonError("payload.unparseable", offset=byte_offset(text, fault.pos))


def _refuse_bad_text(raw: bytes, text: str, limits: JsonLimits) -> None:
    masked = raw.replace(b"\\\\", b"__")
    for code, escape in _BAD_ESCAPES.items():
        if escape.search(masked):
            raise locate(text, code, limits)


@cache
def _decoder(limits: JsonLimits) -> json.JSONDecoder:
    max_key_chars = limits.max_key_chars

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) != len(pairs):
            raise StrictJsonError("payload.duplicate_key")
        if built and max(map(len, built)) > max_key_chars:
            raise StrictJsonError("payload.key_too_long")
        return built

    return json.JSONDecoder(
        object_pairs_hook=build,
        parse_float=fraction_reader(limits),
        parse_int=integer_reader(limits),
        parse_constant=_refuse_constant,
    )


def _refuse_constant(_name: str) -> NoReturn:
    raise StrictJsonError("number.not_finite")
