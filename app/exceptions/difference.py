"""What an edit changed: by JSON pointer where both sides are JSON, otherwise by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest

from infra.strict_json import StrictJsonError, read_json
from infra.strict_json.read import JsonValue

MOST_CHANGES = 200
_TEXT_MAX = 500
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs; None where it is missing. JSON values are written as JSON."""

    pointer: str
    before: str | None
    after: str | None


def differences(before: bytes, after: bytes) -> list[Change]:
    """Compare two bodies, at most 200 changes; takes up to a tenth of a second for a megabyte."""
    try:
        found = _in_json(read_json(before), read_json(after), "")
    except StrictJsonError:
        found = _in_lines(before, after)
    return list(islice(found, MOST_CHANGES))


def _in_json(before: object, after: object, pointer: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            part = str(name).replace("~", "~0").replace("/", "~1")
            yield from _in_json(
                before.get(name, _MISSING), after.get(name, _MISSING), f"{pointer}/{part}"
            )
    elif isinstance(before, list) and isinstance(after, list):
        for place, (old, new) in enumerate(zip_longest(before, after, fillvalue=_MISSING)):
            yield from _in_json(old, new, f"{pointer}/{place}")
    elif type(before) is not type(after) or before != after:
        yield Change(pointer, _written(before), _written(after))


def _written(value: object | JsonValue) -> str | None:
    if value is _MISSING:
        return None
    return json.dumps(value, ensure_ascii=False, default=str)[:_TEXT_MAX]


def _in_lines(before: bytes, after: bytes) -> Iterator[Change]:
    # Bytes that are no UTF-8 are shown as escapes; a file of a till may be in any code page.
    pairs = zip_longest(before.splitlines(), after.splitlines())
    for number, (old, new) in enumerate(pairs, 1):
        if old != new:
            yield Change(f"/line/{number}", _line(old), _line(new))


def _line(line: bytes | None) -> str | None:
    return None if line is None else line[:_TEXT_MAX].decode("utf-8", "backslashreplace")
