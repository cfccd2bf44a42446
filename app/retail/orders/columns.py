"""How orders are written into columns: contents as JSON of exact texts, names as the book takes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from app.retail.orders.agreements import Amounts, Content, LineType
from app.retail.orders.kept import Shipped
from app.retail.orders.tellings import Rank
from connectors.canonical.money import quantized

TEXT_MAX = 300
NO_RANK = "[]"
# As far as numeric(19, 6) reaches, with room for a sum.
LARGEST = Decimal(10) ** 12


def storable(text: str) -> str:
    """Give a text as the book keeps it: without NUL and lone surrogates, and bounded."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:TEXT_MAX]


def is_storable(content: Content) -> bool:
    """Say whether every amount is one that the book can hold."""
    return all(
        value.is_finite() and abs(value) < LARGEST
        for _, amounts in content.values()
        for value in _values(amounts)
    )


def written(content: Content) -> str:
    """Write a content."""
    return json.dumps(
        [
            [kind, storable(line_id), None if sku is None else storable(sku), *_texts(amounts)]
            for (kind, line_id), (sku, amounts) in content.items()
        ]
    )


def read_content(text: str) -> Content:
    """Read a content back, exactly."""
    return {
        (cast("LineType", kind), line_id): (sku, Amounts(*(Decimal(each) for each in amounts)))
        for kind, line_id, sku, *amounts in json.loads(text)
    }


def written_rank(rank: Rank | None) -> str:
    """Write a rank; an empty list where there is none."""
    if rank is None:
        return NO_RANK
    return json.dumps([storable(each) if isinstance(each, str) else each for each in rank])


def read_rank(text: str) -> Rank:
    """Read a rank back."""
    return Rank(*json.loads(text))


def written_lines(shipped: Shipped) -> str:
    """Write the lines of a shipment."""
    return json.dumps([[storable(a), storable(b), str(c)] for a, b, c in shipped.lines])


def read_lines(text: str) -> tuple[tuple[str, str, Decimal], ...]:
    """Read the lines of a shipment back."""
    return tuple((a, b, Decimal(c)) for a, b, c in json.loads(text))


def as_columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Turn rows, at least one, into their columns."""
    return tuple(list(column) for column in zip(*rows, strict=True))


def money(value: Decimal, currency: str) -> Decimal:
    """Give an amount from the book as it is written: to the minor unit, unless it is finer."""
    exact = quantized(value, currency)
    return exact if exact == value else value.normalize()


def count(value: Decimal) -> Decimal:
    """Give a quantity from the book without the zeros that the book adds."""
    whole = value.to_integral_value()
    return whole if whole == value else value.normalize()


def _texts(amounts: Amounts) -> list[str]:
    return [str(value) for value in _values(amounts)]


def _values(amounts: Amounts) -> tuple[Decimal, ...]:
    return (amounts.quantity, amounts.net, amounts.discount, amounts.tax, amounts.gross)
