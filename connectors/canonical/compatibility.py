"""What changed between two versions of a contract, and how far its version must rise for it.

A reader of an older minor version keeps working: it ignores fields it does not know and takes a value
it does not know as `other`. Everything else breaks somebody, and is a new major version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.canonical.upcasters import Version

Level = Literal["none", "minor", "major"]
Schema = Mapping[str, Any]

LEVELS: dict[str, Level] = {
    "optional field added": "minor",
    "value added": "minor",
    "required field added": "major",
    "field removed": "major",
    "field became required": "major",
    "field became optional": "major",
    "value removed": "major",
    "type changed": "major",
    "empty allowed": "major",
    "empty no longer allowed": "major",
    "default changed": "major",
}
_ORDER: tuple[Level, ...] = ("none", "minor", "major")
# Words about a field, and where shapes are kept: no part of the shape itself.
_NOT_SHAPE = {"title", "description", "default", "$defs", "$schema", "$id"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: which kind, and where (`/lines/[]/sku`)."""

    kind: str
    pointer: str

    @property
    def level(self) -> Level:
        """Say how far the version must rise for it."""
        return LEVELS[self.kind]


def changes(old: Schema, new: Schema) -> list[Change]:
    """Give all differences of two JSON Schemas as msgspec writes them; words do not count."""
    return list(_changes(_Shape(old, old), _Shape(new, new), ""))


def needed_level(found: list[Change]) -> Level:
    """Give how far the version must rise for all these changes."""
    return max((change.level for change in found), key=_ORDER.index, default="none")


def rises_enough(old: Version, new: Version, found: list[Change]) -> bool:
    """Say whether a version rose far enough for what changed; it never falls."""
    risen: Level = "none"
    if new[0] > old[0]:
        risen = "major"
    elif new[0] == old[0] and new[1] > old[1]:
        risen = "minor"
    return new >= old and _ORDER.index(risen) >= _ORDER.index(needed_level(found))


@dataclass(frozen=True, slots=True)
class _Shape:
    """A part of a schema, with the whole in which its references are found."""

    part: Schema
    whole: Schema

    def into(self, part: Schema) -> _Shape:
        """Give another part of the same whole."""
        return _Shape(part, self.whole)

    def resolved(self) -> _Shape:
        """Follow references to where the shape is written down."""
        part = self.part
        while "$ref" in part:
            part = self.whole["$defs"][part["$ref"].rpartition("/")[2]]
        return self.into(part)

    def unwrapped(self) -> tuple[_Shape, bool]:
        """Give the shape without the allowance to be empty, and whether there was one."""
        shape = self.resolved()
        either = shape.part.get("anyOf", ())
        filled = [each for each in either if each.get("type") != "null"]
        if len(filled) == 1:
            return shape.into(filled[0]).resolved(), len(filled) < len(either)
        values = shape.part.get("enum", ())
        return shape, len(filled) < len(either) or None in values

    def fields(self) -> Mapping[str, Schema]:
        """Give the fields of an object by name; none for anything else."""
        found: Mapping[str, Schema] = self.part.get("properties", {})
        return found

    def needs(self, name: str) -> bool:
        """Say whether a field must be there."""
        return name in self.part.get("required", ())


def _changes(old: _Shape, new: _Shape, pointer: str) -> Iterator[Change]:
    (before, was_empty), (after, is_empty) = old.unwrapped(), new.unwrapped()
    if was_empty != is_empty:
        yield Change("empty allowed" if is_empty else "empty no longer allowed", pointer)
    if before.fields() and after.fields():
        yield from _field_changes(before, after, pointer)
    elif "items" in before.part and "items" in after.part:
        yield from _changes(
            before.into(before.part["items"]), after.into(after.part["items"]), f"{pointer}/[]"
        )
    elif "enum" in before.part and "enum" in after.part:
        yield from _value_changes(before, after, pointer)
    elif _plain(before) != _plain(after):
        yield Change("type changed", pointer)


def _field_changes(before: _Shape, after: _Shape, pointer: str) -> Iterator[Change]:
    old, new = before.fields(), after.fields()
    for name in sorted({*old, *new}):
        place = f"{pointer}/{name}"
        if name not in new:
            yield Change("field removed", place)
        elif name not in old:
            kind = "required field added" if after.needs(name) else "optional field added"
            yield Change(kind, place)
        else:
            yield from _kept_field(before, after, name, place)


def _kept_field(before: _Shape, after: _Shape, name: str, place: str) -> Iterator[Change]:
    if before.needs(name) != after.needs(name):
        kind = "field became required" if after.needs(name) else "field became optional"
        yield Change(kind, place)
    old, new = before.fields()[name], after.fields()[name]
    if before.needs(name) == after.needs(name) and old.get("default") != new.get("default"):
        yield Change("default changed", place)
    yield from _changes(before.into(old), after.into(new), place)


def _value_changes(before: _Shape, after: _Shape, pointer: str) -> Iterator[Change]:
    old, new = set(before.part["enum"]) - {None}, set(after.part["enum"]) - {None}
    if new - old:
        yield Change("value added", pointer)
    if old - new:
        yield Change("value removed", pointer)


def _plain(shape: _Shape) -> str:
    """Write a shape in one way only, references followed and words left out."""
    return json.dumps(_followed(shape), sort_keys=True)


def _followed(shape: _Shape) -> Any:
    part = shape.resolved().part
    return {name: _value(shape, value) for name, value in part.items() if name not in _NOT_SHAPE}


def _value(shape: _Shape, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _followed(shape.into(value))
    if isinstance(value, list | tuple):
        return [_value(shape, each) for each in value]
    return value
