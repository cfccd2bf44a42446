"""The quick reader says exactly what the careful one says, or nothing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.canonical.order import Order
from connectors.catalog.http.struct_in import AMOUNTS, NAMES, read_carefully
from connectors.catalog.http.struct_quick import Kinds, Unsure, quick_struct
from connectors.sdk.message import HoldRecord
from connectors.sdk.payload import Part

KINDS = Kinds(amounts=AMOUNTS, names=NAMES)
LINE = {
    "line_id": "1",
    "sku": "SKU-1",
    "gtin": None,
    "title": "Scarf",
    "quantity": "2",
    "uom": "EA",
    "unit_price": "10.005",
    "discount": "0.00",
    "net": "20.01",
    "gross": "20.01",
    "taxes": [{"name": "VAT", "rate": "0.2", "amount": "3.34"}],
    "is_voided": False,
    "colour": "red",
}
ORDER: dict[str, Any] = {
    "order_id": "o-1",
    "number": "#1",
    "kind": "web",
    "currency": "USD",
    "tax_inclusive": True,
    "placed_at": "2026-11-20T10:00:00.123456Z",
    "business_day": "2026-11-20",
    "lines": [LINE],
    "total": 20,
    "tenders": [{"kind": "card", "name": "Card", "amount": "20.01"}],
    "customer": {"external_id": "c1", "name": "Ada"},
    "is_test": False,
}
ODD_NUMBERS = ["", "-0", "-0.00", "0.00", "1.50", "1.505", "1E3", "1_000", " 1", "1,5", "NaN"]
ODD_MOMENTS = [
    "2026-11-20T10:00:00Z",
    "2026-11-20T10:00:00+00:00",
    "2026-11-20T10:00:00+01:00",
    "2026-11-20T10:00:00",
    "2026-13-40T10:00:00Z",
    "2026-11-20T10:00:00.1234567Z",
    "2026-11-20",
]
ODD_TEXTS = ["99999999999999", "JPY", "café", "x\x00y", "cash", "\u0661"]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.text(max_size=8),
    st.sampled_from([*ODD_NUMBERS, *ODD_MOMENTS, *ODD_TEXTS]),
    st.lists(st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
PLACES: list[tuple[str | int, ...]] = [
    *((name,) for name in ORDER),
    *(("lines", 0, name) for name in LINE),
    ("lines", 0, "taxes", 0, "amount"),
    ("tenders", 0, "kind"),
    ("customer", "name"),
]


def quickly(value: Any, code: str) -> Order | None:
    """Read quickly; None when the quick reader is not sure."""
    try:
        return quick_struct(Order, value, code, KINDS)
    except Unsure:
        return None


def carefully(value: Any, code: str) -> Order | None:
    """Read carefully; None when the order is held."""
    try:
        return read_carefully(Order, Part(value), code)
    except HoldRecord:
        return None


def changed(place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """Give the order with another value at one place."""
    order = deepcopy(ORDER)
    at: Any = order
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    return order


def test_a_plain_order_is_read_quickly_and_exactly_as_carefully() -> None:
    quick = quickly(ORDER, "USD")

    assert quick is not None
    assert msgspec.json.encode(quick) == msgspec.json.encode(carefully(ORDER, "USD"))


@pytest.mark.parametrize("code", ["USD", "JPY", ""])
@settings(max_examples=1_500, deadline=None)
@given(place=st.sampled_from(PLACES), value=JUNK)
def test_whatever_stands_in_a_field_the_quick_reader_never_says_something_else(
    code: str, place: tuple[str | int, ...], value: object
) -> None:
    order = changed(place, value)

    quick = quickly(order, code)

    if quick is not None:
        careful = carefully(order, code)
        assert careful is not None
        assert msgspec.json.encode(quick) == msgspec.json.encode(careful)
