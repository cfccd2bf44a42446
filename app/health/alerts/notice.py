"""What a channel is told, who tells it, and how a telling can end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from app.health.alerts.voice import Voice
from infra.ids import Id

AlertKind = Literal["opened", "regressed", "escalated", "resolved", "digest", "test"]

# One telling in total, from looking up the host to the last answer (seconds).
DEADLINE_S = 15.0


@dataclass(frozen=True, slots=True)
class Line:
    """One fact for people: what it is, and what it says."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert, ready for any kind of channel; made anew in the same words for each try.

    `id` tells repeats apart from news; `thread_id` is the id of the first alert about the same
    incident, and `id` itself for the first one. `data` is the same for machines.
    """

    id: Id
    thread_id: Id
    kind: AlertKind
    at: datetime
    subject: str
    lines: tuple[Line, ...]
    entries: tuple[str, ...]
    link: str
    data: dict[str, Any]
    voice: Voice


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a notice goes; `secrets` are the signing secrets in use, the newest first."""

    id: Id
    kind: str
    address: str
    secrets: tuple[SecretStr, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The other side has taken it."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """It was not taken, and may be later; `after_s` when the other side said when."""

    problem: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """It will not be taken, however often it is tried; `is_channel_gone` for no other one either."""

    problem: str
    is_channel_gone: bool = False


Result = Told | TryLater | Never


class Notifier(Protocol):
    """One way of telling people, such as mail. Expected failures are values, never exceptions."""

    async def send(self, channel: Channel, notice: Notice) -> Result:
        """Tell it once, within `DEADLINE_S`; repeats carry the same id."""
        ...
