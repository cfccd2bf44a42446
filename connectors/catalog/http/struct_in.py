"""A canonical object out of JSON, field by field as its type says; held with the exact pointer if not.

Fields that we do not know are left aside: a sender may be newer than we are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from connectors.canonical.price import Price
from connectors.catalog.http.struct_quick import Kinds, Unsure, quick_struct
from connectors.sdk.message import HoldRecord
from connectors.sdk.payload import (
    Part,
    amount,
    currency,
    day,
    decimal,
    flag,
    identifier,
    items,
    moment,
    part,
    text,
    wall_time,
    whole,
)

T = TypeVar("T", bound=msgspec.Struct)

# Money in the object's currency: exact to its minor unit. Unit prices may be finer, quantities are
# counted in their own unit.
AMOUNTS = frozenset({
    "amount", "discount", "fees", "gross", "net", "rounding", "shipping", "total",
})  # fmt: skip
# An amount in one object that is none in all others: the price of one unit, down to millionths.
UNIT_PRICES: frozenset[tuple[type, str]] = frozenset({(Price, "amount")})
UNIT_PRICE_DECIMALS = 6
# Counted in their own unit, down to millionths: what the book keeps of a quantity.
QUANTITIES = frozenset({"available", "previous", "quantity"})
QUANTITY_DECIMALS = 6
# Names by which other records find this one: never empty.
NAMES = frozenset({"sku", "location", "number"})

_KINDS = Kinds(amounts=AMOUNTS, names=NAMES, unit_prices=UNIT_PRICES)

_Reader = Callable[[Part, str, str], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    required: bool
    read: _Reader


def read_struct(kind: type[T], source: Part, code: str = "") -> T:
    """Read one object of a canonical kind.

    Takes:  the part of the payload that holds it; the currency of its amounts, "" where the object
            has none (goods of a shipment).
    Raises: HoldRecord naming the first field that is missing, of the wrong type or out of range.
    """
    try:
        return quick_struct(kind, source.value, code, _KINDS)
    except Unsure:
        return read_carefully(kind, source, code)


def read_carefully(kind: type[T], source: Part, code: str = "") -> T:
    """Read as `read_struct` does, finding the pointer and the words for whatever is wrong."""
    values = {}
    for field in _fields(kind):
        if field.required or source.value.get(field.name) is not None:
            values[field.name] = field.read(source, f"/{field.name}", code)
    return kind(**values)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[_Field, ...]:
    told = inspect.type_info(kind)
    if not isinstance(told, inspect.StructType):
        raise TypeError(f"{kind} is no struct")
    return tuple(
        _Field(each.name, each.required, _field_reader(kind, each.name, each.type))
        for each in told.fields
    )


def _field_reader(kind: type, name: str, told: inspect.Type) -> _Reader:
    return _unit_price if (kind, name) in UNIT_PRICES else _reader(name, told)


def _reader(name: str, told: inspect.Type) -> _Reader:
    if isinstance(told, inspect.UnionType):
        inner = [each for each in told.types if not isinstance(each, inspect.NoneType)]
        return _reader(name, inner[0])
    return _READERS[type(told)](name, told)


def _text(name: str, _: Any) -> _Reader:
    if name == "currency":
        return lambda source, pointer, _: currency(source, pointer)
    read = identifier if name.endswith("_id") or name in NAMES else text
    return lambda source, pointer, _: read(source, pointer)


def _number(name: str, _: Any) -> _Reader:
    if name in QUANTITIES:
        return lambda source, pointer, _: _quantity(source, pointer)
    if name not in AMOUNTS:
        return lambda source, pointer, _: decimal(source, pointer)
    return lambda source, pointer, code: (
        amount(source, pointer, code) if code else decimal(source, pointer)
    )


def _unit_price(source: Part, pointer: str, _: str) -> Decimal:
    price = decimal(source, pointer)
    if price != price.quantize(Decimal(1).scaleb(-UNIT_PRICE_DECIMALS)):
        at = source.pointer + pointer
        words = f"{at} is {price}; a price of one unit has at most {UNIT_PRICE_DECIMALS} decimals."
        raise HoldRecord("amount.scale", at, f"{words} It is never rounded; correct the price.")
    return price


def _quantity(source: Part, pointer: str) -> Decimal:
    count = decimal(source, pointer)
    if count != count.quantize(Decimal(1).scaleb(-QUANTITY_DECIMALS)):
        at = source.pointer + pointer
        words = f"{at} has more than {QUANTITY_DECIMALS} decimals. It is never rounded; correct it."
        raise HoldRecord("quantity.scale", at, words)
    return count


def _choice(_: str, told: Any) -> _Reader:
    return partial(_one_of, tuple(told.values))


def _one_of(allowed: tuple[str, ...], source: Part, pointer: str, _: str) -> str:
    value = text(source, pointer)
    if value not in allowed:
        at = source.pointer + pointer
        words = f"{at} is not one of: {', '.join(sorted(allowed))}. Correct it or map it."
        raise HoldRecord("contract.value_unknown", at, words)
    return value


def _list(_: str, told: Any) -> _Reader:
    inner = told.item_type
    if isinstance(inner, inspect.StructType):
        return lambda source, pointer, code: tuple(
            read_carefully(inner.cls, each, code) for each in items(source, pointer)
        )
    return _texts


def _texts(source: Part, pointer: str, _: str) -> tuple[str, ...]:
    value, at = source.value[pointer[1:]], source.pointer + pointer
    if not isinstance(value, list):
        raise HoldRecord("contract.wrong_type", at, f"{at} should be a list. Correct it or map it.")
    numbered = Part({str(index): each for index, each in enumerate(value)}, at)
    return tuple(text(numbered, f"/{index}") for index in range(len(value)))


def _object(_: str, told: Any) -> _Reader:
    return lambda source, pointer, code: read_carefully(told.cls, part(source, pointer), code)


_READERS: dict[type[inspect.Type], Callable[[str, Any], _Reader]] = {
    inspect.StrType: _text,
    inspect.DecimalType: _number,
    inspect.LiteralType: _choice,
    inspect.VarTupleType: _list,
    inspect.StructType: _object,
    inspect.BoolType: lambda *_: lambda source, pointer, _: flag(source, pointer, default=False),
    inspect.DateTimeType: lambda _, told: (
        (lambda source, pointer, _: wall_time(source, pointer))
        if told.tz is False
        else lambda source, pointer, _: moment(source, pointer)
    ),
    inspect.IntType: lambda *_: lambda source, pointer, _: whole(source, pointer),
    inspect.DateType: lambda *_: lambda source, pointer, _: day(source, pointer),
}
