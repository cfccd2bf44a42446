"""The picture of a day is drawn from counts, and says them in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.screens.today.chart import BOTTOM, HEIGHT, draw

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=9, minutes=30)


def test_a_day_without_records_draws_nothing() -> None:
    assert draw(MIDNIGHT, NOW, {}, {}, UTC) is None


def test_bars_stand_on_the_floor_and_say_their_hour() -> None:
    today = {MIDNIGHT + timedelta(hours=8): 100, MIDNIGHT + timedelta(hours=9): 37}

    chart = draw(MIDNIGHT, NOW, today, {}, ZoneInfo("Europe/Berlin"))

    assert chart is not None
    assert [bar.words for bar in chart.bars] == ["09:00: 100", "10:00: 37"]
    assert {round(bar.y + bar.height) for bar in chart.bars} == {HEIGHT - BOTTOM}
    assert chart.says == "137 records today"
    assert chart.then_path == ""


def test_last_week_is_compared_up_to_the_present_hour() -> None:
    then = {MIDNIGHT + timedelta(hours=hour): 10 for hour in range(24)}

    chart = draw(MIDNIGHT, NOW, {MIDNIGHT: 5}, then, UTC)

    assert chart is not None
    assert chart.says == "5 records today, 100 by this hour a week ago"
    assert chart.then_path.startswith("M")
    assert [words for _, words in chart.marks] == ["0", "5", "10", "15", "20"]
