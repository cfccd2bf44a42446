"""How long a target asks to be left alone, in both spellings of RFC 9110 section 10.2.3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Whole seconds by the rule; Shopify writes 2.0. More digits than these are nonsense.
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?", re.ASCII)


def retry_after_s(headers: Mapping[str, str], moment: datetime) -> float | None:
    """Read `retry-after` as seconds from `moment` (aware); None when missing or unreadable.

    A date in the past is 0. Callers bound the value: a target may ask for years.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        wanted = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if wanted.tzinfo is None:
        wanted = wanted.replace(tzinfo=UTC)
    return max(0.0, (wanted - moment).total_seconds())
