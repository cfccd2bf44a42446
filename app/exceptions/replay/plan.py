"""Decide what to do with one record when its turn comes: what was promised, or less, never more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.exceptions.replay.actions import action_of
from app.exceptions.replay.facts import Facts
from app.exceptions.replay.promise import Judged, Mapping, Promise, promise_of
from infra import clock
from infra.ids import new_id

# release: a held delivery goes on. hurry: one that waits is tried at once. repeat: what is final is sent
# again as a delivery of its own. overtake: a new one is written down as superseded. give_way: a held one
# becomes superseded. leave: nothing is done.
Act = Literal["release", "hurry", "repeat", "overtake", "give_way", "leave"]

_BY_STATE: dict[str, Act] = {
    "held": "release",
    "waiting": "hurry",
    "checking": "hurry",
    "ready": "hurry",
    "delivering": "hurry",
}
_NOTHING_HAPPENS = ("no_op", "stale", "conflict")


@dataclass(frozen=True, slots=True)
class Step:
    """One record with its act; `delivery_id` is the one to watch, `words` say why nothing is done.

    `happened` is set where the end is known at once. `asks_first` says that the target must be asked
    before it is sent, because it has no keys of its own.
    """

    facts: Facts
    act: Act
    delivery_id: UUID
    asks_first: bool = False
    happened: str = ""
    words: str = ""


def step_of(facts: Facts, mapping: Mapping, previewed_at: datetime) -> Step:
    """Judge a record anew and choose the act; what was not promised is not done."""
    if facts.state == "discarded" and facts.settled_at and facts.settled_at > previewed_at:
        return _left(facts, _GIVEN_UP)
    action = action_of(facts.connector, facts.action)
    promise = promise_of(Judged(facts, action, mapping, clock.now()))
    asks_first = action is not None and action.keys == "lookup"
    if promise is None:
        # Its target was asked when it was previewed, and is asked again before anything is sent.
        if facts.promised not in ("create", "no_op"):
            return _left(facts, _CHANGED)
        promise = Promise("create", "")
    if promise.promised == "stale":
        return _stale(facts, promise)
    if promise.promised == facts.promised or _asked(facts, promise):
        act = _BY_STATE.get(facts.state, "repeat")
        new = new_id() if act == "repeat" else facts.id
        return Step(facts, act, new, asks_first=asks_first)
    if promise.promised in _NOTHING_HAPPENS:
        happened = promise.promised if promise.promised == "no_op" else "left_out"
        return Step(facts, "leave", facts.id, happened=happened, words=promise.words)
    return _left(facts, _CHANGED)


def _asked(facts: Facts, promise: Promise) -> bool:
    """Say whether the target said at the preview that it has this, and the book still does not know."""
    return facts.promised == "no_op" and promise.promised == "create" and not facts.is_final


def _stale(facts: Facts, promise: Promise) -> Step:
    if facts.is_final:
        return Step(facts, "overtake", new_id(), happened="stale", words=promise.words)
    return Step(facts, "give_way", facts.id, happened="stale", words=promise.words)


def _left(facts: Facts, words: str) -> Step:
    return Step(facts, "leave", facts.id, happened="left_out", words=words)


_GIVEN_UP = "A person gave it up after the preview, so nothing was done."
_CHANGED = "It is not as it was when it was previewed, so nothing was done. Preview again."
