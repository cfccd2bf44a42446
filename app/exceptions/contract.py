"""Check an edited event: still the same fact about the same object, and within its contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from connectors.canonical.event import Event, decode
from infra.errors import FieldError, Unprocessable

# What decides where an event belongs: its lane, its object, its kind. Another one is another event.
IDENTITY = ("type", "key", "object_id")
LABEL_MAX = 200
VERSION_MAX = 500
LARGEST = Decimal(10) ** 13
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def edited_event(stored: bytes, edited: dict[str, Any]) -> Event:
    """Read an edited event (`head` and `body`, as the API shows it); raises Unprocessable.

    Takes: `stored`, the event before as `connectors.canonical.event.encode` wrote it; `edited`,
           numbers as int or Decimal.
    """
    head = edited.get("head")
    known = json.loads(stored)["head"]
    changed = [
        name for name in IDENTITY if not isinstance(head, dict) or head.get(name) != known[name]
    ]
    if changed:
        raise _refusal(
            f"/event/head/{changed[0]}",
            "event.identity_changed",
            "Type, key and object id must stay as they are. Discard this one and send another.",
        )
    try:
        event = decode(_ENCODER.encode(edited))
    except msgspec.ValidationError as fault:
        raise _refusal("/event", "event.contract", _words(fault)) from None
    _check_head(event)
    if any(not one.is_finite() or abs(one) >= LARGEST for one in _decimals(_plain(event))):
        raise _refusal("/event", "event.amount", "An amount is not finite, or beyond 10^13.")
    return event


def _check_head(event: Event) -> None:
    if not 1 <= len(event.label) <= LABEL_MAX:
        raise _refusal("/event/head/label", "event.contract", "Must have 1 to 200 characters.")
    if len(event.version) > VERSION_MAX:
        raise _refusal("/event/head/version", "event.contract", "Must have at most 500 characters.")
    if not _is_storable(event.occurred_at):
        raise _refusal(
            "/event/head/occurred_at", "event.contract", "Must be a moment with a time zone."
        )


def _is_storable(moment: datetime) -> bool:
    return moment.tzinfo is not None and _FIRST_YEAR <= moment.year < _LAST_YEAR


def _plain(event: Event) -> object:
    return msgspec.to_builtins(event, builtin_types=(Decimal, datetime))


def _decimals(value: object) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _decimals(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _decimals(each)


def _words(fault: msgspec.ValidationError) -> str:
    """Say the rule and the place, never the value."""
    words, _, place = str(fault).partition(" - at ")
    if words.startswith("Invalid enum value"):
        words = "Not one of the values that are known here"
    return f"{words} (at {place.strip('`') or 'the event'})."[:300]


def _refusal(pointer: str, code: str, words: str) -> Unprocessable:
    return Unprocessable(words, code=code, errors=(FieldError(pointer, code, words),))
