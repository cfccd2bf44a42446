"""The one clock of the process: aware UTC, never naive, never local."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Say the current moment as aware UTC with microseconds."""
    return datetime.now(UTC)


def unix_s() -> int:
    """Say the current moment in whole seconds since 1970 (UTC), as signatures use it."""
    return int(now().timestamp())


def monotonic_s() -> float:
    """Measure durations in seconds; never a date, unaffected by clock changes."""
    return time.monotonic()
