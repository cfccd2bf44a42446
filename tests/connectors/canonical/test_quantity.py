"""Quantities are converted exactly or not at all; only what is published is floored."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.quantity import DoesNotDivide, Quantity, converted, whole_units

CASES = {"CS": Fraction(12), "GRM": Fraction(1, 1000)}


def test_a_case_is_twelve_pieces_and_back() -> None:
    pieces = converted(Quantity(Decimal(3), "CS"), "EA", "EA", CASES)

    assert pieces == Quantity(Decimal(36), "EA")
    assert converted(pieces, "CS", "EA", CASES) == Quantity(Decimal(3), "CS")


def test_twenty_three_pieces_are_one_case_on_a_shelf_and_none_in_the_books() -> None:
    pieces = Quantity(Decimal(23))

    assert whole_units(pieces, "CS", "EA", CASES) == 1
    with pytest.raises(DoesNotDivide, match="no exact quantity of CS"):
        converted(pieces, "CS", "EA", CASES)


def test_weighed_goods_keep_their_grams() -> None:
    assert converted(Quantity(Decimal(1275), "GRM"), "KGM", "KGM", CASES) == Quantity(
        Decimal("1.275"), "KGM"
    )


def test_an_unknown_unit_is_never_guessed() -> None:
    with pytest.raises(KeyError):
        converted(Quantity(Decimal(1), "PK"), "EA", "EA", CASES)


@given(st.integers(-(10**6), 10**6), st.integers(1, 500))
def test_there_and_back_is_the_same_wherever_it_divides(count: int, size: int) -> None:
    sizes = {"PK": Fraction(size)}

    pieces = converted(Quantity(Decimal(count), "PK"), "EA", "EA", sizes)

    assert converted(pieces, "PK", "EA", sizes).value == Decimal(count)
    assert whole_units(pieces, "PK", "EA", sizes) == count
