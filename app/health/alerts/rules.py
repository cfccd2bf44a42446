"""What becomes of one moment of an incident for one channel: pure rules, as one table of cases.

One change of an incident is one alert; a storm becomes a digest; what is critical is always told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal

from app.health.alerts.severity import is_critical, is_told_at

Known = Literal["nothing", "unsent", "in_digest", "told"]

# The moments that people are alerted to; all others are for the history.
ALERTED = frozenset({"opened", "regressed", "escalated", "resolved"})


class Fate(Enum):
    """What happens: told alone, told with a digest, noted as not needed, or nothing at all."""

    TELL = "tell"
    DIGEST = "digest"
    UNNEEDED = "unneeded"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Happening:
    """A moment as these rules see it. A resolved one has the severity of what was told before."""

    kind: str
    severity: int
    at: datetime
    snoozed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """A channel as these rules see it: from which severity on it is told, how many more this hour,
    and what it knows of the incident (`unsent`: an alert is written that nobody has seen).
    `room` counts what an unsent alert would free.
    """

    least_severity: int
    room: int
    known: Known = "nothing"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The fate of a moment at a channel, why, and whether an unsent alert gives way to it."""

    fate: Fate
    reason: str = ""
    replaces_unsent: bool = False


def rule(happening: Happening, reader: Reader) -> Ruling:
    """Decide about one moment at one channel."""
    if happening.kind not in ALERTED:
        return Ruling(Fate.NOTHING)
    if happening.kind == "resolved":
        return _about_an_end(happening, reader)
    if not is_told_at(happening.severity, reader.least_severity):
        return Ruling(Fate.NOTHING)
    is_snoozed = happening.snoozed_until is not None and happening.snoozed_until > happening.at
    if is_snoozed and happening.kind != "escalated":
        return Ruling(Fate.UNNEEDED, "The incident is snoozed.")
    fate = _by_room(happening, reader.room)
    return Ruling(fate, replaces_unsent=reader.known == "unsent")


def _about_an_end(happening: Happening, reader: Reader) -> Ruling:
    """Only who heard of a trouble hears of its end; a critical one is told with its end."""
    if reader.known == "nothing":
        return Ruling(Fate.NOTHING)
    if reader.known == "in_digest":
        return Ruling(Fate.UNNEEDED, "The next digest says that it is over.")
    if reader.known == "unsent" and not is_critical(happening.severity):
        reason = "It was over before anybody was told."
        return Ruling(Fate.UNNEEDED, reason, replaces_unsent=True)
    return Ruling(_by_room(happening, reader.room))


def _by_room(happening: Happening, room: int) -> Fate:
    return Fate.TELL if room > 0 or is_critical(happening.severity) else Fate.DIGEST
