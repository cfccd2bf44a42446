"""Whether changed content still is an event within its contract: shape, limits, same identity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from connectors.canonical.event import Event, decode

# What decides where an event belongs: its lane, its object, its kind. Another one is another event.
IDENTITY = ("type", "key", "object_id")
LABEL_MAX = 200
VERSION_MAX = 500
LARGEST = Decimal(10) ** 13
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_ENCODER = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong with changed content: JSON pointer (`/head/...`, `/body/...`), code, words."""

    pointer: str
    code: str
    words: str


def changed_identity(before: Mapping[str, Any], after: object) -> Broken | None:
    """Find the first part of the identity that a new `head` does not keep."""
    for name in IDENTITY:
        if not isinstance(after, Mapping) or after.get(name) != before[name]:
            words = (
                "Type, key and object id must stay as they are. Discard this one and send another."
            )
            return Broken(f"/head/{name}", "event.identity_changed", words)
    return None


def within_contract(content: Mapping[str, Any]) -> Event | Broken:
    """Read content (`head` and `body`, as `encode` writes them) as an event, or say what is wrong.

    Numbers may be int or Decimal; amounts may be text.
    """
    try:
        event = decode(_ENCODER.encode(content))
    except msgspec.ValidationError as fault:
        return _unreadable(fault)
    broken = _broken_head(event)
    if broken is not None:
        return broken
    if any(not one.is_finite() or abs(one) >= LARGEST for one in _decimals(_plain(event))):
        return Broken("", "event.amount", "An amount is not finite, or beyond 10^13.")
    return event


def _broken_head(event: Event) -> Broken | None:
    if not 1 <= len(event.label) <= LABEL_MAX:
        return Broken("/head/label", "event.contract", "Must have 1 to 200 characters.")
    if len(event.version) > VERSION_MAX:
        return Broken("/head/version", "event.contract", "Must have at most 500 characters.")
    if not _is_storable(event.occurred_at):
        words = "Must be a moment with a time zone."
        return Broken("/head/occurred_at", "event.contract", words)
    return None


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


def _unreadable(fault: msgspec.ValidationError) -> Broken:
    """Say the rule and the place, never the value."""
    words, _, place = str(fault).partition(" - at ")
    if words.startswith("Invalid enum value"):
        words = "Not one of the values that are known here"
    place = place.strip("`")
    words = f"{words} (at {place or 'the event'})."
    return Broken(_pointer(place), "event.contract", words[:300])


def _pointer(place: str) -> str:
    """Turn `$.lines[...].sku` into `/body/lines/sku`; the body is read on its own."""
    path = re.sub(r"\[[^\]]*\]", "", place).removeprefix("$").replace(".", "/")
    return path if path.startswith("/head") or not path else f"/body{path}"
