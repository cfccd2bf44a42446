"""What a replay promises for one record: decided from plain facts, the first rule that fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.exceptions.replay.effects import effects_of
from app.exceptions.replay.facts import Facts
from connectors.sdk.manifest import Action
from connectors.sdk.outcome import Unknown

Promised = Literal["create", "update", "no_op", "stale", "conflict", "read_again"]
Mapping = Literal["now", "as_then"]

# Promises under which something is sent or read; the others are recorded or left out.
ACTS: tuple[Promised, ...] = ("create", "update", "no_op", "read_again")
RUNS: tuple[Promised, ...] = (*ACTS, "stale")


@dataclass(frozen=True, slots=True)
class Promise:
    """What will happen to one record, and why, in plain words.

    `effects` is what else it sets off. `deliveries` counts the targets it goes to. `pinned_version`
    is the version of the flow to send with; None is the present one.
    """

    promised: Promised
    words: str
    effects: tuple[str, ...] = ()
    deliveries: int = 1
    pinned_version: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One record with the action it is sent through, the mapping that was chosen, and the time."""

    facts: Facts
    action: Action | None
    mapping: Mapping
    now: datetime


_Rule = tuple[Callable[[Judged], bool], Promised, str]


def promise_of(judged: Judged) -> Promise | None:
    """Promise what will happen to a delivery; None when its target has to be asked first."""
    for fits, promised, words in _FIRST:
        if fits(judged):
            return Promise(promised, words, deliveries=0)
    pinned = _pinned(judged)
    if pinned is _UNKNOWN_VERSION:
        words = "It is not known which mapping was in use then. Replay it under the present one."
        return Promise("conflict", words, deliveries=0)
    if judged.facts.state == "delivered":
        return _repeated(judged, pinned)
    if _may_have_arrived(judged) and judged.action is not None and judged.action.keys == "lookup":
        return None
    return _made(judged, pinned)


def made(judged: Judged, words: str) -> Promise:
    """Promise that a record is brought to its target, which does not have it."""
    effects = effects_of(judged.facts.type, judged.action)
    pinned = _pinned(judged)
    return Promise("create", words, effects, pinned_version=pinned)


def _repeated(judged: Judged, pinned: int | None) -> Promise:
    """Judge what was delivered before: the same key is sent again, and the target decides by it."""
    facts, action = judged.facts, judged.action
    assert action is not None  # noqa: S101 - _FIRST has refused what has no action
    if action.repeats == "update" or action.keys == "none":
        words = (
            "The target has this already. It takes the same key again and sets the present values."
        )
        return Promise("update", words, effects_of(facts.type, action), pinned_version=pinned)
    if _is_mapping_changed(judged):
        words = (
            "The target has this already under the mapping of then, and a repeat changes nothing there."
            " Correct it at the target, or replay it under the mapping of then."
        )
        return Promise("conflict", words, deliveries=0)
    if _is_key_forgotten(judged):
        words = (
            "The target has this already and may have forgotten its key: it could be done twice."
        )
        return Promise("conflict", words, deliveries=0)
    words = "The target has this already and knows its key: it is told again, and nothing happens."
    return Promise("no_op", words, pinned_version=pinned)


def _made(judged: Judged, pinned: int | None) -> Promise:
    words = _STATE_WORDS[judged.facts.state]
    if _may_have_arrived(judged):
        words += " Its last answer was lost; under the same key nothing happens twice."
    effects = effects_of(judged.facts.type, judged.action)
    return Promise("create", words, effects, pinned_version=pinned)


def _pinned(judged: Judged) -> int | None:
    """Give the version to send with: None for the present one, -1 when that of then is not known."""
    if judged.mapping == "now":
        return None
    facts = judged.facts
    known = facts.last_version or facts.version_then
    if known is None:
        return None if facts.version == 1 else _UNKNOWN_VERSION
    return None if known == facts.version else known


_UNKNOWN_VERSION = -1


def _may_have_arrived(judged: Judged) -> bool:
    facts = judged.facts
    lost = facts.last_outcome == Unknown.__name__ or facts.code == "outcome.unknown"
    return lost or facts.state == "checking"


def _is_mapping_changed(judged: Judged) -> bool:
    then = judged.facts.last_version or judged.facts.version_then
    return judged.mapping == "now" and then is not None and then != judged.facts.version


def _is_key_forgotten(judged: Judged) -> bool:
    kept_h = judged.action.keys_kept_h if judged.action else None
    at = judged.facts.settled_at
    return kept_h is not None and at is not None and judged.now - at > timedelta(hours=kept_h)


def _can_be_overtaken(judged: Judged) -> bool:
    """Say whether sending would come after newer records: what is final, or in no order at all."""
    facts = judged.facts
    return facts.is_final or (facts.ordering == "none" and facts.state == "held")


_STATE_WORDS: dict[str, str] = {
    "held": "Held until now; it is released and sent.",
    "waiting": "Waiting for its next try; it is tried at once.",
    "checking": "Its last answer was lost; the target is asked, and it is sent if missing.",
    "ready": "Not yet sent; it is on its way by itself.",
    "delivering": "It is being sent at this moment.",
    "superseded": "Never sent, because a newer value came; that one is gone, so this one is sent.",
    "discarded": "Given up by a person before; it is sent now.",
    "cancelled": "Cancelled before; it is sent now.",
}
_NEWER = "A newer state of the same thing is at the target or on its way. This one is never sent."
# The first that fits decides.
_FIRST: tuple[_Rule, ...] = (
    (
        lambda each: each.facts.is_erased,
        "conflict",
        "Its content was erased and cannot be sent any more.",
    ),
    (
        lambda each: not each.facts.is_enabled,
        "conflict",
        "Its flow is switched off. Switch it on, then replay.",
    ),
    (
        lambda each: each.facts.is_paused,
        "conflict",
        "Its flow is paused. Resume it, then replay.",
    ),
    (
        lambda each: each.facts.connection_state == "disabled",
        "conflict",
        "The target connection is switched off. Switch it on, then replay.",
    ),
    (
        lambda each: each.facts.connection_state == "paused",
        "conflict",
        "The target connection is paused. Resume it, then replay.",
    ),
    (
        lambda each: each.action is None,
        "conflict",
        "The target no longer offers what this flow does. Correct the flow, then replay.",
    ),
    (
        lambda each: each.facts.is_elsewhere,
        "conflict",
        "Another replay is bringing this record at the moment.",
    ),
    (
        lambda each: each.facts.is_replayed_since,
        "conflict",
        "This record was replayed in the meantime. Preview again to see where it stands.",
    ),
    (
        lambda each: each.facts.message_state not in ("prepared", "settled"),
        "conflict",
        "The message that this record came with is being decided about elsewhere.",
    ),
    (
        lambda each: each.facts.state == "held" and each.facts.open_hold_id is None,
        "conflict",
        "It was decided about a moment ago. Preview again to see where it stands.",
    ),
    (
        lambda each: (
            _can_be_overtaken(each)
            and (
                each.facts.is_newer_delivered
                or each.facts.is_newer_open
                or each.facts.is_newer_here
            )
        ),
        "stale",
        _NEWER,
    ),
    (
        lambda each: each.facts.is_final and each.facts.is_other_open,
        "conflict",
        "A later record of the same thing is under way and would arrive first. Wait until it is done.",
    ),
    (
        lambda each: each.facts.is_blocked and each.facts.state != "held",
        "conflict",
        "An earlier record of the same key is held and not chosen here. Decide about that one first.",
    ),
)
