"""The legal moves of a delivery; the database refuses all others by the same table."""

from __future__ import annotations

from typing import Literal

State = Literal[
    "ready", "delivering", "waiting", "checking", "held",
    "delivered", "superseded", "discarded", "cancelled",
]  # fmt: skip

OPEN: frozenset[State] = frozenset({"ready", "delivering", "waiting", "checking", "held"})
FINAL: frozenset[State] = frozenset({"delivered", "superseded", "discarded", "cancelled"})

# A later delivery of a lane whose head is held stays `ready`; the lane itself is blocked.
MOVES: dict[State, frozenset[State]] = {
    "ready": frozenset({"delivering", "superseded", "cancelled"}),
    "delivering": frozenset(
        {"delivered", "waiting", "checking", "held", "ready", "superseded", "cancelled"}
    ),
    "waiting": frozenset({"ready", "delivering", "superseded", "cancelled", "held"}),
    "checking": frozenset(
        {"delivering", "delivered", "ready", "held", "waiting", "superseded", "cancelled"}
    ),
    "held": frozenset({"ready", "discarded", "superseded", "cancelled", "delivered"}),
    "delivered": frozenset(),
    "superseded": frozenset(),
    "discarded": frozenset(),
    "cancelled": frozenset(),
}


def may_move(old: State, new: State) -> bool:
    """Say whether a delivery may go from one state to another."""
    return new in MOVES[old]
