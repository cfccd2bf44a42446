"""How grave an incident is, as alerts read it: 0 is slight, 3 is critical and is always told."""

from __future__ import annotations

from typing import Literal

SeverityName = Literal["slight", "notable", "severe", "critical"]

CRITICAL = 3
NAMES: tuple[SeverityName, ...] = ("slight", "notable", "severe", "critical")


def is_critical(severity: int) -> bool:
    """Say whether no limit, digest or haste may keep it from people."""
    return severity >= CRITICAL


def is_told_at(severity: int, least: int) -> bool:
    """Say whether a channel that is told from `least` on is told of this."""
    return severity >= least
