"""Paths into an event: `body.lines[*].sku` is the SKU of every line, `body.lines[0].sku` of the first.

A path begins with `head` or `body`, as an event is stored and shown; names are joined by dots, a list
takes `[*]` (every element) or `[n]` (one element, from 0). It is checked against the contract of the
events it is for, so that a typing error is found when it is written and not when it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

import msgspec.inspect

from app.flows.contract import IDENTITY
from connectors.canonical.event import BODIES, Body, Event

PATH_MAX = 200
# A list within a list multiplies the work; no contract nests deeper than taxes of lines.
MOST_LISTS = 2

_STEP = re.compile(r"([a-z][a-z0-9_]*)(?:\[(\*|[0-9]{1,4})\])?")
_EVERY = "*"


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path, with the element of its list: None for no list, `*` for every one."""

    name: str
    element: int | str | None = None


Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One field that a path names in one event: the object that has it, and its JSON pointer."""

    owner: dict[str, Any]
    name: str
    pointer: str

    @property
    def value(self) -> Any:
        """Give the value as it is; None where the field is left out."""
        return self.owner.get(self.name)

    def set(self, value: Any) -> None:
        """Write the field."""
        self.owner[self.name] = value


def read_path(text: str) -> Steps:
    """Read a path; raises ValueError with words when it is none, or names the identity."""
    if len(text) > PATH_MAX:
        raise ValueError(f"A path has at most {PATH_MAX} characters.")
    steps = tuple(_step(part) for part in text.split("."))
    if not steps[1:] or steps[0] not in (Step("head"), Step("body")):
        raise ValueError("A path begins with `head.` or `body.`, like `body.lines[*].sku`.")
    if steps[-1].element is not None:
        raise ValueError("A path ends with the name of a field, not with an element of a list.")
    if steps[0].name == "head" and steps[1].name in IDENTITY:
        raise ValueError("Type, key and object id of an event cannot be changed.")
    if sum(step.element == _EVERY for step in steps) > MOST_LISTS:
        raise ValueError(f"A path goes through at most {MOST_LISTS} whole lists.")
    return steps


def fits_body(steps: Steps, body: type[Body]) -> bool:
    """Say whether the contract of a body (or of the head) knows this path."""
    first, *rest = steps
    if first.name == "body":
        return _knows(msgspec.inspect.type_info(body), rest)
    known = _HEAD.get(rest[0].name)
    return known is not None and rest[0].element is None and _knows(_type_of(known), rest[1:])


def bodies_of(event_types: tuple[str, ...]) -> frozenset[type[Body]]:
    """Give the kinds of body that events of these types carry; unknown types carry none."""
    return frozenset(BODIES[name][0] for name in event_types if name in BODIES)


def places(content: Mapping[str, Any], steps: Steps) -> Iterator[Place]:
    """Find the fields that a path names in one event.

    What the event does not have is not made: no customer, no field of the customer.
    """
    *way, last = steps
    for owner, pointer in _owners(content, way, ""):
        yield Place(owner, last.name, f"{pointer}/{last.name}")


def _step(part: str) -> Step:
    matched = _STEP.fullmatch(part)
    if matched is None:
        raise ValueError("Names are joined by dots; a list takes [*] or a number, like lines[*].")
    name, element = matched.groups()
    return Step(name, element if element in (None, _EVERY) else int(element))


def _owners(value: Any, way: list[Step], pointer: str) -> Iterator[tuple[dict[str, Any], str]]:
    if not isinstance(value, dict):
        return
    if not way:
        yield value, pointer
        return
    step, *rest = way
    found, here = value.get(step.name), f"{pointer}/{step.name}"
    if step.element is None:
        yield from _owners(found, rest, here)
    elif isinstance(found, list):
        chosen = range(len(found)) if step.element == _EVERY else [step.element]
        for number in chosen:
            if isinstance(number, int) and number < len(found):
                yield from _owners(found[number], rest, f"{here}/{number}")


def _type_of(hint: Any) -> msgspec.inspect.Type:
    return _without_none(msgspec.inspect.type_info(hint))


def _knows(kind: msgspec.inspect.Type, steps: list[Step]) -> bool:
    if not steps:
        return True
    if not isinstance(kind, msgspec.inspect.StructType):
        return False
    step, *rest = steps
    field = next((each for each in kind.fields if each.encode_name == step.name), None)
    if field is None:
        return False
    inner = _without_none(field.type)
    if step.element is None:
        return _knows(inner, rest)
    if not isinstance(inner, msgspec.inspect.VarTupleType | msgspec.inspect.ListType):
        return False
    return _knows(_without_none(inner.item_type), rest)


def _without_none(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    if not isinstance(kind, msgspec.inspect.UnionType):
        return kind
    kept = [each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType)]
    return kept[0] if len(kept) == 1 else kind


# The head of a stored event is the event without its body.
_HEAD = {name: hint for name, hint in get_type_hints(Event).items() if name != "body"}
