"""How numbers, money and moments are written for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import format_currency, format_decimal

from infra import clock

LOCALE = "en_US"
NONE = "\N{EN DASH}"
UTC_ZONE = ZoneInfo("UTC")
_WHOLE_FROM = 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# From so many seconds on, counted in units of so many, called so.
_AGES = ((2 * _DAY, _DAY, "d"), (2 * _HOUR, _HOUR, "h"), (2 * _MINUTE, _MINUTE, "min"), (0, 1, "s"))


def count(number: int | Decimal) -> str:
    """Write a number with its thousands apart."""
    return format_decimal(number, locale=LOCALE)


def money(amount: Decimal, currency: str) -> str:
    """Write an amount for a glance: from a thousand on without cents."""
    if abs(amount) < _WHOLE_FROM:
        return exact(amount, currency)
    whole = round(amount)
    return format_currency(whole, currency, "¤#,##0", locale=LOCALE, currency_digits=False)


def exact(amount: Decimal | None, currency: str | None) -> str:
    """Write an amount to the cent; a dash when there is none."""
    if amount is None or currency is None:
        return NONE
    return format_currency(amount, currency, locale=LOCALE)


def moneys(amounts: Mapping[str, Decimal]) -> str:
    """Write sums of several currencies beside each other; empty when there are none."""
    told = sorted(amounts.items(), key=lambda each: (-abs(each[1]), each[0]))
    return " + ".join(money(amount, currency) for currency, amount in told if amount)


def plural(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: "1 record", "1,204 records"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def span(seconds: float) -> str:
    """Write a duration in its largest fitting unit: "40 s", "14 min", "5 h", "3 d"."""
    left = max(0, int(seconds))
    unit_s, name = next((unit, name) for most, unit, name in _AGES if left >= most)
    return f"{left // unit_s} {name}"


def ago(moment: datetime | None) -> str:
    """Write how long ago a moment was, or in how long it will be."""
    if moment is None:
        return "never"
    seconds = (clock.now() - moment).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def absolute(moment: datetime | None, zone: tzinfo = UTC_ZONE) -> str:
    """Write a moment in full with its zone."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S} {zone}"


def of_day(moment: datetime, zone: tzinfo = UTC_ZONE) -> str:
    """Write the hour of a moment of today, else with its day."""
    local, today = moment.astimezone(zone), clock.now().astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b, %H:%M}"
