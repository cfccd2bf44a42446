"""The states of an activation: how far one place has come with what begins there."""

from __future__ import annotations

from typing import Literal

State = Literal[
    "planned", "sent", "accepted", "active", "verified", "expired", "withdrawn", "failed"
]

# From -> to. What is decided anew for a moment starts over at `planned`.
TRANSITIONS: dict[State, frozenset[State]] = {
    "planned": frozenset({"sent", "failed", "withdrawn", "expired"}),
    "sent": frozenset({"accepted", "active", "failed", "planned", "withdrawn", "expired"}),
    "accepted": frozenset({"active", "verified", "planned", "expired"}),
    "active": frozenset({"verified", "expired", "planned"}),
    "verified": frozenset({"expired", "planned"}),
    "expired": frozenset({"verified"}),
    "withdrawn": frozenset({"planned"}),
    "failed": frozenset(
        {"sent", "accepted", "active", "planned", "withdrawn", "expired", "verified"}
    ),
}
# The place has it.
ARRIVED: frozenset[State] = frozenset({"accepted", "active", "verified"})


def may_become(before: State, after: State) -> bool:
    """Say whether an activation may go from one state to another."""
    return after in TRANSITIONS[before]
