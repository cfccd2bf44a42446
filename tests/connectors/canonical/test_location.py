"""Locations: their clock, their doors, and who books for those that are closed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.business_day import business_day
from connectors.canonical.location import (
    Location,
    OpeningHours,
    is_open,
    is_trading,
    location_breaches,
    posts_to,
    trading_day,
)

LAST = date(2026, 10, 31)


def store(number: str = "41", **fields: Any) -> Location:
    told = {"kind": "store", "name": f"Store {number}", "currency": "USD"}
    return Location(location_id=number, zone="America/New_York", **told | fields)


def hours(weekday: int, opens: int, closes: int) -> OpeningHours:
    return OpeningHours(weekday=weekday, opens=time(opens), closes=time(closes))


def test_the_day_of_a_location_begins_at_its_cut() -> None:
    night = store(business_day_cut=time(4))

    # Half past one at night in New York, of the evening before.
    assert business_day(datetime(2026, 11, 21, 6, 30, tzinfo=UTC), trading_day(night)) == date(
        2026, 11, 20
    )


def test_doors_are_open_by_the_clock_on_the_wall() -> None:
    friday = store(hours=(hours(5, 9, 20),), closed_days=(date(2026, 11, 27),))

    assert is_open(friday, datetime(2026, 11, 20, 14, 0, tzinfo=UTC))
    assert not is_open(friday, datetime(2026, 11, 20, 13, 59, tzinfo=UTC))
    assert not is_open(friday, datetime(2026, 11, 21, 1, 0, tzinfo=UTC))
    assert not is_open(friday, datetime(2026, 11, 27, 15, 0, tzinfo=UTC))


def test_what_comes_after_a_store_closed_is_booked_by_its_successor() -> None:
    """E-D24. A late refund is accepted; without a successor that trades it is a person's question."""
    places = {
        "41": store("41", closed_on=LAST, merged_into="42"),
        "42": store("42", closed_on=date(2026, 11, 15), merged_into="43"),
        "43": store("43"),
        "44": store("44", closed_on=LAST),
    }

    assert posts_to("41", LAST, places) == "41"
    assert posts_to("41", date(2026, 11, 1), places) == "42"
    assert posts_to("41", date(2026, 11, 20), places) == "43"
    assert posts_to("44", date(2026, 11, 20), places) is None
    assert posts_to("unknown", LAST, places) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=6, max_size=6))
def test_whoever_books_for_another_trades_and_no_circle_is_endless(
    chain: list[tuple[int, bool]],
) -> None:
    places = {
        str(number): store(
            str(number), merged_into=str(successor), closed_on=LAST if closed else None
        )
        for number, (successor, closed) in enumerate(chain)
    }
    day = date(2026, 11, 20)

    for number, place in places.items():
        booked_by = posts_to(number, day, places)
        assert booked_by is None or is_trading(places[booked_by], day)
        if is_trading(place, day):
            assert booked_by == number


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"zone": "Mars/Olympus"}, ["LOC-1"]),
        ({"zone": "../secrets"}, ["LOC-1"]),
        ({"gln": "0614141000013"}, ["LOC-2"]),
        ({"opened_on": date(2026, 11, 1), "closed_on": LAST}, ["LOC-3"]),
        ({"merged_into": "41", "closed_on": LAST}, ["LOC-4"]),
        ({"merged_into": "42"}, ["LOC-4"]),
        ({"hours": (hours(1, 14, 20), hours(1, 9, 15))}, ["LOC-5"]),
        ({"hours": (hours(1, 20, 9),)}, ["LOC-5"]),
        ({"gln": "0614141000012", "hours": (hours(1, 9, 13), hours(1, 13, 20))}, []),
    ],
)
def test_every_rule_of_a_location_is_noticed(fields: dict[str, Any], wanted: list[str]) -> None:
    told: dict[str, Any] = {"zone": "America/New_York"} | fields
    location = Location(location_id="41", kind="store", name="Main", currency="USD", **told)

    assert [breach.rule for breach in location_breaches(location)] == wanted
