"""Whose word counts of one attribute, and when it went from one system to another and back; pure.

Two systems that state the same attribute differently within ten minutes are two truths. One that goes
to and fro three times in ten minutes is two programs that overwrite each other: it is frozen, because
whatever is sent on would be wrong half of the time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from infra.ids import Id

# Source: case E-C09, three flips in ten minutes.
WINDOW = timedelta(minutes=10)
FLIPS_TO_FREEZE = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """Who said last what counts, when (business time), and when that changed hands lately."""

    connection_id: Id
    value: str
    stated_at: datetime
    flips: tuple[datetime, ...] = ()
    frozen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The turn afterwards, and whether the new word contradicts that of another system."""

    turn: Turn
    is_contradiction: bool = False


def take_turn(turn: Turn | None, connection_id: Id, value: str, at: datetime) -> Taken:
    """Let a system have its say.

    What is older than what counts changes nothing. The same value of another system is no contradiction.
    A frozen attribute stays so until a person thaws it.
    """
    if turn is None:
        return Taken(Turn(connection_id, value, at))
    if turn.frozen_at is not None or at < turn.stated_at:
        return Taken(turn)
    if turn.connection_id == connection_id:
        return Taken(replace(turn, value=value, stated_at=at))
    if turn.value == value:
        return Taken(replace(turn, stated_at=at))
    if at - turn.stated_at > WINDOW:
        return Taken(Turn(connection_id, value, at))
    flips = (*(each for each in turn.flips if at - each <= WINDOW), at)
    frozen_at = at if len(flips) >= FLIPS_TO_FREEZE else None
    return Taken(Turn(connection_id, value, at, flips, frozen_at), is_contradiction=True)
