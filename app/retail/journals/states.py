"""The states of a store day as a table: what may become what, and by which act."""

from __future__ import annotations

from typing import Literal, get_args

DayState = Literal["expected", "open", "received", "closed", "audited", "posted", "re_opened"]
DayAct = Literal["expect", "ticket", "complete", "close", "audit", "post", "re_open"]
STATES: tuple[DayState, ...] = get_args(DayState)
ACTS: tuple[DayAct, ...] = get_args(DayAct)

# (state, act) -> state. A ticket that comes after the close opens the day again; what was posted
# stays posted, and the next revision adds what is new.
MOVES: dict[tuple[DayState, DayAct], DayState] = {
    ("expected", "ticket"): "open",
    ("expected", "close"): "closed",
    ("open", "ticket"): "open",
    ("open", "complete"): "received",
    ("open", "close"): "closed",
    ("received", "ticket"): "open",
    ("received", "complete"): "received",
    ("received", "close"): "closed",
    ("closed", "ticket"): "re_opened",
    ("closed", "audit"): "audited",
    ("closed", "close"): "closed",
    ("closed", "re_open"): "re_opened",
    ("audited", "ticket"): "re_opened",
    ("audited", "post"): "posted",
    ("audited", "re_open"): "re_opened",
    ("audited", "close"): "closed",
    ("posted", "ticket"): "re_opened",
    # Counted again, or its rules changed: closed anew, and only the difference is booked.
    ("posted", "close"): "closed",
    ("posted", "re_open"): "re_opened",
    ("re_opened", "ticket"): "re_opened",
    ("re_opened", "close"): "closed",
}


class IllegalMove(ValueError):
    """A store day cannot do this in its state."""


def after(state: DayState, act: DayAct) -> DayState:
    """Give the state after an act; raises IllegalMove."""
    try:
        return MOVES[state, act]
    except KeyError:
        raise IllegalMove(f"A day that is {state} cannot {act}.") from None


def before(act: DayAct) -> tuple[DayState, ...]:
    """Give the states in which an act is possible."""
    return tuple(state for state, known in MOVES if known == act)
