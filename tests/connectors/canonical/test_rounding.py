"""Rounding is data, and what is rounded off is told."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.money import allocate
from connectors.canonical.rounding import Mode, in_cash, tax_of_lines, to_minor_unit

D = Decimal


@pytest.mark.parametrize(
    ("nets", "per_line", "tax"),
    [
        (["9.99"] * 3, True, "2.46"),
        (["9.99"] * 3, False, "2.47"),
        (["0.99"] * 10, True, "0.80"),
        (["0.99"] * 10, False, "0.82"),
    ],
)
def test_two_systems_that_round_at_different_places_state_different_taxes(
    nets: list[str], per_line: bool, tax: str
) -> None:
    assert tax_of_lines([D(net) for net in nets], D("0.0825"), "USD", per_line=per_line) == D(tax)


@pytest.mark.parametrize(
    ("owed", "currency", "paid", "difference"),
    [
        ("9.98", "CHF", "10.00", "0.02"),
        ("9.97", "CHF", "9.95", "-0.02"),
        ("12.49", "SEK", "12", "-0.49"),
        ("2.25", "DKK", "2.50", "0.25"),
        ("3.14", "USD", "3.14", "0.00"),
        ("103", "JPY", "103", "0"),
    ],
)
def test_cash_is_paid_to_the_smallest_coin_and_the_rest_is_a_line(
    owed: str, currency: str, paid: str, difference: str
) -> None:
    rounded = in_cash(D(owed), currency)

    assert (rounded.paid, rounded.difference) == (D(paid), D(difference))


@pytest.mark.parametrize(
    ("mode", "rounded"),
    [("half_up", "0.13"), ("half_even", "0.12"), ("up", "0.13"), ("down", "0.12")],
)
def test_the_mode_decides_at_the_half(mode: Mode, rounded: str) -> None:
    assert to_minor_unit(D("0.125"), "USD", mode) == D(rounded)


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        ("10.00", ["33.33", "33.33", "33.34"], ["3.33", "3.33", "3.34"]),
        ("1.00", ["1", "1", "1"], ["0.34", "0.33", "0.33"]),
        ("-1.00", ["1", "1", "1"], ["-0.33", "-0.33", "-0.34"]),
    ],
)
def test_parts_make_the_whole(amount: str, weights: list[str], parts: list[str]) -> None:
    split = allocate(D(amount), [D(weight) for weight in weights], "USD")

    assert split == [D(part) for part in parts]


@given(
    st.decimals(-100_000, 100_000, places=2),
    st.lists(st.decimals(0, 1_000, places=2), min_size=1, max_size=12),
)
def test_whatever_is_split_nothing_is_lost_and_no_part_is_a_cent_off(
    amount: Decimal, weights: list[Decimal]
) -> None:
    parts = allocate(amount, weights, "USD")
    total = sum(weights) or D(len(weights))
    shares = weights if sum(weights) else [D(1)] * len(weights)

    assert sum(parts) == amount
    assert all(
        abs(part - amount * share / total) < D("0.01")
        for part, share in zip(parts, shares, strict=True)
    )
