"""Business days: a store's day begins at its cut, in its own zone, and has 23 or 25 hours twice a year.

A till that states its business day is believed; this is for sources that state only a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class TradingDay:
    """When the days of a place begin: its zone (IANA name) and the cut, such as 04:00."""

    zone: str
    cut: time = MIDNIGHT


def business_day(moment: datetime, trading: TradingDay) -> date:
    """Give the business day in which a moment (aware) falls: every moment is in exactly one."""
    day = moment.astimezone(ZoneInfo(trading.zone)).date()
    # Around a change of the clock the local time alone would put some moments in the wrong day.
    if moment < _begin(day, trading):
        return day - timedelta(days=1)
    return day


def interval(day: date, trading: TradingDay) -> tuple[datetime, datetime]:
    """Give the moments (UTC) at which a business day begins and ends; the end belongs to the next."""
    return _begin(day, trading), _begin(day + timedelta(days=1), trading)


def _begin(day: date, trading: TradingDay) -> datetime:
    # Of a cut that the clock shows twice in autumn the first counts; one that it skips in spring
    # counts as long after the gap as it lies inside (PEP 495, fold 0).
    return datetime.combine(day, trading.cut, ZoneInfo(trading.zone)).astimezone(UTC)
