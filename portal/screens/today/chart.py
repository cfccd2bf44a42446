"""Records by hour: bars for today, a line for the same weekday a week ago. Drawn without script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 212, 44, 8, 14, 26
HOURS = 24
_STEPS = (1, 2, 5)
BAR = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: where it stands, how high it is, and what it says."""

    x: float
    y: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, a path and marks in a picture of 760 by 212; `says` is the same in words."""

    bars: list[Bar]
    then_path: str
    marks: list[tuple[float, str]]
    hours: list[tuple[float, str]]
    says: str


def draw(
    midnight: datetime,
    now: datetime,
    today: Mapping[datetime, int],
    then: Mapping[datetime, int],
    zone: tzinfo,
) -> Chart | None:
    """Lay the lines out; None when there is nothing to draw. Keys are the beginnings of hours (UTC)."""
    hours = [midnight + timedelta(hours=each) for each in range(HOURS)]
    so_far = [today.get(_whole(each), 0) for each in hours if each <= now]
    before = [then.get(_whole(each), 0) for each in hours]
    most = max((*so_far, *before), default=0)
    if not most:
        return None
    top = _ceiling(most)
    bars = [
        _bar(at, value, top, f"{hours[at].astimezone(zone):%H:%M}")
        for at, value in enumerate(so_far)
        if value
    ]
    then_points = [(_x(at), _y(value, top)) for at, value in enumerate(before)]
    marks = [(_y(top * part / 4, top), f"{round(top * part / 4):,}") for part in range(5)]
    every = [(_x(at), f"{hours[at].astimezone(zone):%H:%M}") for at in range(0, HOURS, 3)]
    then_path = f"M{_joined(then_points)}" if any(before) else ""
    says = f"{sum(so_far):,} records today"
    if any(before):
        says += f", {sum(before[: len(so_far)]):,} by this hour a week ago"
    return Chart(bars, then_path, marks, every, says)


def _whole(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _x(hour: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (hour + 0.5) / HOURS


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _bar(at: int, value: int, top: float, hour: str) -> Bar:
    y = _y(value, top)
    return Bar(_x(at) - BAR / 2, round(y, 1), round(HEIGHT - BOTTOM - y, 1), f"{hour}: {value:,}")


def _joined(points: list[tuple[float, float]]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _ceiling(most: int) -> int:
    """Give the next number of the kind 4, 8, 20, 40, 80, 200, so that a quarter of it is whole."""
    power = 4
    while True:
        for step in _STEPS:
            if power * step >= most:
                return power * step
        power *= 10
