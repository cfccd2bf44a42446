"""The same reading as `struct_in`, for objects in which every field is written in its plainest form.

An object that passes here gives exactly what the careful reader gives, at a tenth of its cost; at
the first doubt nothing is said, and the careful reader finds the words for what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from connectors.canonical.money import minor_units

T = TypeVar("T", bound=msgspec.Struct)

_Reader = Callable[[Any, str], Any]

# Well inside what the careful reader takes: 12 digits before the point, 6 behind it.
_NUMBER = re.compile(r"-?[0-9]{1,11}(?:\.[0-9]{1,6})?", re.ASCII)
_LIMIT = Decimal(10) ** 11
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|\+00:00)", re.ASCII
)
_WALL_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?", re.ASCII
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_ZERO = Decimal(0)
_MILLIONTH = Decimal("0.000001")


class Unsure(Exception):
    """Something is not in its plainest form."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which names are amounts (exact to the currency) and which are ids (never empty).

    `unit_prices` are the amounts of single objects that may be finer than the currency.
    """

    amounts: frozenset[str]
    names: frozenset[str]
    unit_prices: frozenset[tuple[type, str]] = frozenset()


def quick_struct(kind: type[T], value: Any, code: str, kinds: Kinds) -> T:
    """Read one object; raises Unsure when any field is not in its plainest form."""
    if type(value) is not dict:
        raise Unsure
    found = {}
    for name, required, read in _fields(kind, kinds):
        raw = value.get(name)
        if raw is not None:
            found[name] = read(raw, code)
        elif required:
            raise Unsure
    return kind(**found)


@cache
def _fields(kind: type[msgspec.Struct], kinds: Kinds) -> tuple[tuple[str, bool, _Reader], ...]:
    told = inspect.type_info(kind)
    if not isinstance(told, inspect.StructType):
        raise TypeError(f"{kind} is no struct")
    return tuple(
        (each.name, each.required, _field_reader(kind, each.name, each.type, kinds))
        for each in told.fields
    )


def _field_reader(kind: type, name: str, told: inspect.Type, kinds: Kinds) -> _Reader:
    return _number if (kind, name) in kinds.unit_prices else _reader(name, told, kinds)


def _reader(name: str, told: inspect.Type, kinds: Kinds) -> _Reader:  # noqa: PLR0911 - a table
    if isinstance(told, inspect.UnionType):
        inner = [each for each in told.types if not isinstance(each, inspect.NoneType)]
        return _reader(name, inner[0], kinds)
    if isinstance(told, inspect.StructType):
        return lambda raw, code: quick_struct(told.cls, raw, code, kinds)
    if isinstance(told, inspect.VarTupleType):
        return _list_of(_reader("", told.item_type, kinds))
    if isinstance(told, inspect.LiteralType):
        return _one_of(frozenset(told.values))
    if isinstance(told, inspect.StrType) and name == "currency":
        return _matching(_CURRENCY)
    if isinstance(told, inspect.StrType) and (name.endswith("_id") or name in kinds.names):
        return _name
    if isinstance(told, inspect.DecimalType) and name in kinds.amounts:
        return _amount
    return _plain(told)


def _plain(told: inspect.Type) -> _Reader:
    if isinstance(told, inspect.DateTimeType) and told.tz is False:
        return _wall_time
    return _PLAIN[type(told)]


def _list_of(read: _Reader) -> _Reader:
    def read_all(raw: Any, code: str) -> tuple[Any, ...]:
        if type(raw) is not list:
            raise Unsure
        return tuple([read(each, code) for each in raw])

    return read_all


def _one_of(allowed: frozenset[Any]) -> _Reader:
    def read(raw: Any, _: str) -> Any:
        if type(raw) is not str or raw not in allowed:
            raise Unsure
        return raw

    return read


def _matching(form: re.Pattern[str]) -> _Reader:
    def read(raw: Any, _: str) -> str:
        if type(raw) is not str or not form.fullmatch(raw):
            raise Unsure
        return raw

    return read


def _text(raw: Any, _: str) -> str:
    # Other than ASCII may hide half a character: the careful reader looks at each.
    if type(raw) is not str or "\x00" in raw or not raw.isascii():
        raise Unsure
    return raw


def _unsure(_raw: Any, _: str) -> int:
    raise Unsure


def _name(raw: Any, code: str) -> str:
    if raw == "":
        raise Unsure
    return _text(raw, code)


def _number(raw: Any, _: str) -> Decimal:
    if type(raw) is str and _NUMBER.fullmatch(raw):
        return Decimal(raw) or _ZERO
    if type(raw) is int and abs(raw) < _LIMIT:
        return Decimal(raw)
    if type(raw) is Decimal and abs(raw) < _LIMIT and raw == raw.quantize(_MILLIONTH):
        return raw or _ZERO
    raise Unsure


def _amount(raw: Any, code: str) -> Decimal:
    number = _number(raw, code)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or (code and exponent < -minor_units(code)):
        raise Unsure
    return number


def _flag(raw: Any, _: str) -> bool:
    if type(raw) is not bool:
        raise Unsure
    return raw


def _moment(raw: Any, _: str) -> datetime:
    if type(raw) is not str or not _MOMENT.fullmatch(raw):
        raise Unsure
    try:
        return datetime.fromisoformat(raw[:-1] if raw[-1] == "Z" else raw[:-6]).replace(tzinfo=UTC)
    except ValueError:
        raise Unsure from None


def _wall_time(raw: Any, _: str) -> datetime:
    # With a zone it would be a moment, and the careful reader says so.
    if type(raw) is not str or not _WALL_TIME.fullmatch(raw):
        raise Unsure
    try:
        return datetime.fromisoformat(raw)
    except ValueError:
        raise Unsure from None


def _day(raw: Any, _: str) -> date:
    if type(raw) is not str or not _DAY.fullmatch(raw):
        raise Unsure
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise Unsure from None


_PLAIN: Mapping[type[inspect.Type], _Reader] = {
    inspect.StrType: _text,
    inspect.DecimalType: _number,
    inspect.BoolType: _flag,
    inspect.DateTimeType: _moment,
    inspect.DateType: _day,
    inspect.IntType: _unsure,
}
