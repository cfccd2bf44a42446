"""Where a fault sits in a document: pointer and byte offset for the person who mends it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from infra.strict_json.fault import JsonLimits, StrictJsonError
from infra.strict_json.numbers import token_fault

_TOKEN = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
    r"|-?[0-9][0-9.eE+-]*+|-?Infinity|NaN|[a-z]++|[\[\]{},:]",
    re.DOTALL,
)


@dataclass(slots=True)
class _Word:
    """One key or scalar: as written, its character index; was its key used before."""

    token: str
    at: int
    is_key: bool = False
    is_repeated: bool = False


@dataclass(slots=True)
class _Level:
    """An open container: the current key or index, and the keys seen (None in an array)."""

    here: str | int
    seen: set[str] | None = None
    expects_key: bool = field(default=False)


def locate(text: str, code: str, limits: JsonLimits) -> StrictJsonError:
    """Find the first place where `code` applies; takes a text whose shape has been checked."""
    is_fault = _FAULTS[code]
    levels: list[_Level] = []
    for word in _words(text, levels):
        if is_fault(word, limits):
            pointer = _pointer([level.here for level in levels])
            return StrictJsonError(code, pointer, byte_offset(text, word.at))
    return StrictJsonError(code)


def byte_offset(text: str, at: int) -> int:
    """Turn a character index into the byte offset of the UTF-8 document."""
    return len(text[:at].encode())


def _words(text: str, levels: list[_Level]) -> Iterator[_Word]:
    """Walk keys and scalars in order; `levels` holds the open containers of the current one."""
    for match in _TOKEN.finditer(text):
        written = match.group()
        level = levels[-1] if levels else None
        if written in "[{":
            is_object = written == "{"
            levels.append(_Level("" if is_object else 0, set() if is_object else None, is_object))
        elif written in "]}":
            del levels[-1:]
        elif written == ",":
            _next_entry(level)
        elif level is not None and level.expects_key:
            yield _key(written, level, match.start())
        elif written != ":":
            yield _Word(written, match.start())


def _next_entry(level: _Level | None) -> None:
    if level is None:
        return
    if isinstance(level.here, int):
        level.here += 1
    else:
        level.expects_key = True


def _key(token: str, level: _Level, at: int) -> _Word:
    name = _spoken(token)
    is_repeated = level.seen is not None and name in level.seen
    if level.seen is not None:
        level.seen.add(name)
    level.here, level.expects_key = name, False
    return _Word(token, at, is_key=True, is_repeated=is_repeated)


def _spoken(token: str) -> str:
    """Give the text of a written string."""
    if "\\" not in token:
        return token.strip('"')
    try:
        return str(json.loads(token))
    except ValueError:
        return token


def _pointer(path: list[str | int]) -> str:
    """Write a path as RFC 6901; what cannot be written in UTF-8 is replaced, long keys are cut."""
    parts = (str(part)[:64].replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in parts).encode("utf-8", "replace").decode()


def _has_nul(word: _Word, _limits: JsonLimits) -> bool:
    return "\\u0000" in word.token and "\x00" in _spoken(word.token)


def _has_surrogate(word: _Word, _limits: JsonLimits) -> bool:
    if "\\u" not in word.token:
        return False
    return any("\ud800" <= character <= "\udfff" for character in _spoken(word.token))


def _is_repeated(word: _Word, _limits: JsonLimits) -> bool:
    return word.is_repeated


def _is_long_key(word: _Word, limits: JsonLimits) -> bool:
    return word.is_key and len(_spoken(word.token)) > limits.max_key_chars


def _is_not_finite(word: _Word, _limits: JsonLimits) -> bool:
    return word.token in {"NaN", "Infinity", "-Infinity"}


def _is_number(code: str) -> Callable[[_Word, JsonLimits], bool]:
    def breaks(word: _Word, limits: JsonLimits) -> bool:
        return token_fault(word.token, limits) == code

    return breaks


_FAULTS: dict[str, Callable[[_Word, JsonLimits], bool]] = {
    "payload.duplicate_key": _is_repeated,
    "payload.key_too_long": _is_long_key,
    "number.not_finite": _is_not_finite,
    "number.too_long": _is_number("number.too_long"),
    "number.out_of_range": _is_number("number.out_of_range"),
    "number.exponent": _is_number("number.exponent"),
    "text.nul": _has_nul,
    "text.surrogate": _has_surrogate,
}
