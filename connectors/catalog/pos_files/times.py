"""Times as tills write them: local, with or without an offset; never guessed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from connectors.sdk.message import HoldRecord

_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,6})\d*)?(Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def local_time(text: str, time_format: str, pointer: str) -> datetime:
    """Read a time as written: ISO 8601, or in the format (strptime) that the connection names.

    Gives:  naive local time, or aware when the text carries an offset.
    Raises: HoldRecord `time.invalid`.
    """
    try:
        if time_format:
            return datetime.strptime(text, time_format)  # noqa: DTZ007 - the zone comes next
        found = _ISO.fullmatch(text)
        if found is None:
            raise ValueError(text)
        fraction = f".{found[3].ljust(6, '0')}" if found[3] else ""
        return datetime.fromisoformat(f"{found[1]}T{found[2]}{fraction}{found[4] or ''}")
    except ValueError:
        raise HoldRecord(
            "time.invalid",
            pointer,
            f'"{text[:40]}" is not a time that exists. '
            "Write it like 2026-03-31 14:05:00, or name the till's format in the connection.",
        ) from None


def moment(local: datetime, zone: ZoneInfo | None, pointer: str) -> datetime:
    """Place a time in UTC.

    An hour that the clocks skip is read as the hour after the gap (02:30 is 03:30); an hour that
    happens twice is read as the first one, since a single ticket cannot tell which it was.
    Raises: HoldRecord `time.zone_missing` for a naive time on a connection without a zone.
    """
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    if zone is None:
        raise HoldRecord(
            "time.zone_missing",
            pointer,
            "The till writes local time and the connection has no time zone. "
            "Set the time zone of the store, then release.",
        )
    return local.replace(tzinfo=zone).astimezone(UTC)


def day(text: str, pointer: str) -> date:
    """Read a business day (YYYY-MM-DD) as the source gives it; never derived from UTC."""
    try:
        if _DAY.fullmatch(text) is None:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise HoldRecord(
            "time.invalid",
            pointer,
            f'"{text[:40]}" is not a business day. Write it like 2026-03-31.',
        ) from None
