"""Stock is the last count and every movement after it, however the news arrived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retail.inventory.fold import (
    ON_HAND,
    VIRTUAL,
    Count,
    Fact,
    Movement,
    Place,
    State,
    fold,
    on_hand,
)

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SHELF: Place = ("store-12", "available")
SOLD: Place = ("customer", "available")


def at(minutes: int) -> datetime:
    return TEN + timedelta(minutes=minutes)


def sale(name: str, quantity: int, minutes: int) -> Movement:
    return Movement(name, Decimal(quantity), SHELF, SOLD, at(minutes))


def count(name: str, quantity: int, minutes: int, state: State = "available") -> Count:
    return Count(name, Decimal(quantity), "store-12", state, at(minutes))


places = st.tuples(
    st.sampled_from(["store-12", "store-17", "customer", "supplier"]),
    st.sampled_from(["available", "damaged", "reserved"]),
)
quantities = st.integers(1, 50).map(Decimal)
moments = st.integers(0, 600).map(at)
movements = st.builds(
    lambda name, quantity, ends, moment: Movement(f"m{name}", quantity, ends[0], ends[1], moment),
    st.integers(0, 40),
    quantities,
    st.tuples(places, places).filter(lambda ends: ends[0] != ends[1]),
    moments,
)
counts = st.builds(
    lambda name, quantity, location, state, moment: Count(
        f"c{name}", quantity, location, state, moment
    ),
    st.integers(0, 10),
    st.integers(0, 50).map(Decimal),
    st.sampled_from(["store-12", "store-17"]),
    st.sampled_from(["available", "damaged", "on_hand"]),
    moments,
)
facts: st.SearchStrategy[list[Fact]] = st.lists(st.one_of(movements, counts), max_size=25)


@given(facts, st.randoms())
def test_any_order_and_any_repetition_of_the_same_news_gives_the_same_position(
    told: list[Fact], chance: object
) -> None:
    again = [*told, *told[: len(told) // 2]]
    chance.shuffle(again)  # type: ignore[attr-defined]

    assert fold(again) == fold(told)


@given(st.lists(movements, max_size=25))
def test_a_movement_loses_nothing_between_its_places(told: list[Movement]) -> None:
    assert sum(fold(told).values(), Decimal(0)) == 0


@given(facts)
def test_what_is_on_hand_is_the_sum_of_its_states(told: list[Fact]) -> None:
    positions = fold(told)

    for location in ("store-12", "store-17"):
        states = [positions.get((location, state), Decimal(0)) for state in ON_HAND]
        assert on_hand(positions, location) == sum(states, Decimal(0))


@given(st.lists(movements, max_size=25), st.integers(0, 90).map(Decimal), st.integers(0, 600))
def test_a_count_of_everything_is_what_is_on_hand_at_that_moment(
    told: list[Movement], found: Decimal, minutes: int
) -> None:
    counted = Count("c", found, "store-12", "on_hand", at(minutes))

    assert on_hand(fold([*told, counted], at(minutes)), "store-12") == found


def test_a_snapshot_of_ten_that_arrives_at_half_past_keeps_the_sale_of_three_past() -> None:
    late_file: list[Fact] = [sale("t1", 2, 3), count("snapshot", 10, 0)]

    assert fold(late_file)[SHELF] == Decimal(8)


def test_an_older_count_that_arrives_later_changes_nothing() -> None:
    assert fold([count("new", 7, 30), count("old", 90, 10)])[SHELF] == Decimal(7)


def test_a_movement_before_the_last_count_is_inside_it_already() -> None:
    assert fold([count("c", 7, 30), sale("late", 2, 20)])[SHELF] == Decimal(7)


def test_more_sold_than_on_record_is_a_negative_position() -> None:
    assert fold([count("c", 1, 0), sale("a", 1, 1), sale("b", 1, 2)])[SHELF] == Decimal(-1)


def test_the_position_of_a_moment_knows_nothing_of_what_came_after() -> None:
    told: list[Fact] = [count("c", 9, 0), sale("a", 1, 10), sale("b", 1, 20)]

    assert [fold(told, at(minutes))[SHELF] for minutes in (5, 10, 25)] == [9, 8, 7]


def test_what_a_count_of_everything_misses_is_missing_from_what_is_available() -> None:
    damaged = Movement("d", Decimal(2), SHELF, ("store-12", "damaged"), at(5))
    counted = Count("all", Decimal(9), "store-12", "on_hand", at(10))

    positions = fold([count("c", 12, 0), damaged, counted])

    assert positions == {SHELF: Decimal(7), ("store-12", "damaged"): Decimal(2)}


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity"])
def test_a_movement_of_nothing_is_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        Movement("m", Decimal(quantity), SHELF, SOLD, TEN)


def test_virtual_places_are_never_on_hand() -> None:
    positions = fold([sale("a", 3, 1)])

    assert positions[SOLD] == Decimal(3)
    assert SOLD[0] in VIRTUAL
