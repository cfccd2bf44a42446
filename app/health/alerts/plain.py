"""Words, money and moments as people read them; what came from elsewhere is made harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_CENTS = 2
# Line breaks would begin another header, direction marks would turn the text around.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def one_line(text: str, most: int = 300) -> str:
    """Give a text as one line without control or direction characters, at most `most` long."""
    seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in text)
    plain = " ".join(seen.split())
    return plain if len(plain) <= most else plain[: most - 3].rstrip() + "..."


def counted(number: int, one: str, many: str) -> str:
    """Say a number with its noun: `1 record`, `8,112 records`."""
    return f"{number:,} {one if number == 1 else many}"


def money(amounts: Mapping[str, Decimal]) -> str:
    """Say money by currency: `EUR 12.00 + USD 412,000.10`; empty when there is none."""
    return " + ".join(
        f"{currency} {_grouped(amount)}" for currency, amount in sorted(amounts.items()) if amount
    )


def local(moment: datetime, timezone: str, seen_from: datetime) -> str:
    """Say a moment in a retailer's time: `11:40` on the same day, else with the date."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    there, here = moment.astimezone(zone), seen_from.astimezone(zone)
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%a %d %b %Y, %H:%M}"


def lasting(span: timedelta) -> str:
    """Say how long: `45 s`, `12 min`, `2 h 10 min`, `3 days 4 h`."""
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{counted(days, 'day', 'days')} {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _grouped(amount: Decimal) -> str:
    whole, _, fraction = f"{amount:,f}".partition(".")
    kept = fraction.rstrip("0").ljust(_CENTS, "0") if fraction else ""
    return f"{whole}.{kept}" if kept else whole
