"""What happens next: from the target's answer to the delivery's next state, as one pure table."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from app.connections.unusable import NOT_SET_UP
from app.deliveries.backoff import NOT_YET_MAX_S, NOT_YET_S, next_try_s
from app.deliveries.states import State
from connectors.sdk.manifest import KeyStyle
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    NotYet,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)

OWNER_RETRY_S = 3600.0  # at most 24 tries a day on a dead credential, or without one
CHECK_AFTER_S = 2.0
OWN_PAUSE_S = 2.0
# Our own limits held the call back: nothing was tried, so nothing counts against the schedule.
_OURS = ("pace.", "breaker.")


@dataclass(frozen=True, slots=True)
class Attempted:
    """What the decision needs to know about a delivery: tries so far (this one included), keys, age."""

    attempt: int
    keys: KeyStyle
    age_s: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state; `wait_s` until it is due again; why, in code and words; for people: `pointer`.

    `burns` says whether this attempt counts against the schedule.
    """

    state: State
    wait_s: float = 0.0
    code: str = ""
    words: str = ""
    pointer: str = ""
    reference: str = ""
    burns: bool = True


def decide(  # noqa: PLR0911 - one return for each kind of answer
    outcome: Outcome, tried: Attempted, *, scale: float = 1.0, rng: random.Random
) -> Decision:
    """Choose the next state of a delivery that was just tried."""
    retry = _Retry(tried, scale, rng)
    match outcome:
        case Delivered(reference=reference) | Duplicate(reference=reference):
            return Decision("delivered", reference=reference)
        case RetryLater(code=code, words=words, after_s=after_s):
            pause_s = _pause_s(code, after_s, scale)
            if pause_s is not None:
                return Decision("waiting", pause_s, code, words, burns=False)
            return retry("waiting", code, words, after_s)
        case Rejected(code=code, pointer=pointer, words=words):
            return Decision("held", code=code, words=words, pointer=pointer)
        case NotYet(missing=missing, words=words):
            return _wait_for(missing, words, tried, scale)
        case AuthorizationLost(words=words):
            wait_s = OWNER_RETRY_S / scale
            return Decision("waiting", wait_s, "target.authorization_lost", words, burns=False)
        case Unknown(words=words):
            state: State = "checking" if tried.keys == "lookup" else "waiting"
            return retry(state, "target.answer_lost", words, None)
    assert_never(outcome)


def _pause_s(code: str, after_s: float | None, scale: float) -> float | None:
    """Give how long to wait where nothing was tried; None where the target was."""
    if code in NOT_SET_UP:
        return OWNER_RETRY_S / scale
    return after_s or OWN_PAUSE_S / scale if code.startswith(_OURS) else None


def _wait_for(missing: str, words: str, tried: Attempted, scale: float) -> Decision:
    if tried.age_s > NOT_YET_MAX_S / scale:
        return Decision("held", code="target.predecessor_missing", words=words, pointer=missing)
    return Decision("waiting", NOT_YET_S / scale, "target.not_yet", words, missing, burns=False)


@dataclass(frozen=True, slots=True)
class _Retry:
    tried: Attempted
    scale: float
    rng: random.Random

    def __call__(self, state: State, code: str, words: str, after_s: float | None) -> Decision:
        if state == "checking" and self.tried.attempt == 1:
            return Decision(state, CHECK_AFTER_S / self.scale, code, words)
        wait_s = next_try_s(self.tried.attempt, after_s, scale=self.scale, rng=self.rng)
        if wait_s is None:
            last = "outcome.unknown" if state == "checking" else "retries.exhausted"
            return Decision("held", code=last, words=f"Tried {self.tried.attempt} times. {words}")
        return Decision(state, wait_s, code, words)


Decide = Callable[[Outcome, Attempted], Decision]
