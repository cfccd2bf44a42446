"""Every moment is in one business day, also in the nights in which the clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.business_day import TradingDay, business_day, interval

NEW_YORK = TradingDay("America/New_York", time(4))
BERLIN = TradingDay("Europe/Berlin", time(2, 30))

tradings = st.builds(
    TradingDay,
    st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"]),
    st.sampled_from([time(0), time(1, 30), time(2, 30), time(4), time(23, 59)]),
)


def test_a_sale_after_midnight_belongs_to_the_evening_before() -> None:
    bar = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)  # 01:30 in New York

    assert business_day(bar, NEW_YORK) == date(2026, 11, 20)
    assert business_day(bar, TradingDay("America/New_York")) == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 7), 23), (date(2026, 10, 31), 25), (date(2026, 11, 20), 24)],
)
def test_a_day_has_twenty_three_hours_in_spring_and_twenty_five_in_autumn(
    day: date, hours: int
) -> None:
    begin, end = interval(day, NEW_YORK)

    assert end - begin == timedelta(hours=hours)


@given(tradings, st.integers(0, 10 * 366 * 24 * 60))
def test_every_moment_is_in_the_interval_of_its_day(trading: TradingDay, minutes: int) -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    begin, end = interval(business_day(moment, trading), trading)

    assert begin <= moment < end


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
def test_days_follow_each_other_without_a_gap_where_the_cut_is_skipped_or_shown_twice(
    night: date,
) -> None:
    days = [night + timedelta(days=offset) for offset in (-1, 0, 1)]

    ends = [interval(day, BERLIN)[1] for day in days[:-1]]
    begins = [interval(day, BERLIN)[0] for day in days[1:]]

    assert ends == begins
