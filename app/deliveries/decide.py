"""What happens next: from the target's answer to the delivery's next state, as one pure table."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import assert_never

from app.deliveries.backoff import NOT_YET_S, next_try_s
from app.deliveries.policy import NamedClass, Policy, policy_of
from app.deliveries.states import State
from app.flows.routes import Ordering
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


@dataclass(frozen=True, slots=True)
class Attempted:
    """What the decision needs to know about a delivery: tries so far (this one included), keys, age.

    `connector` is that of the target, `flow_class` the class of priority of its flow.
    """

    attempt: int
    keys: KeyStyle
    age_s: float
    connector: str = ""
    flow_class: int | None = None
    ordering: Ordering = "strict"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state; `wait_s` until it is due again; why, in code and words; for people: `pointer`.

    `missing` is what must come first, under the id that its source uses. `burns` says whether this
    attempt counts against the schedule. `error_class` is empty when all is well.
    """

    state: State
    wait_s: float = 0.0
    code: str = ""
    words: str = ""
    pointer: str = ""
    reference: str = ""
    burns: bool = True
    error_class: NamedClass = ""
    missing: str = ""


def decide(
    outcome: Outcome, tried: Attempted, *, scale: float = 1.0, rng: random.Random
) -> Decision:
    """Choose the next state of a delivery that was just tried, by the policy of its target."""
    policy = policy_of(outcome, tried.connector, tried.flow_class)
    judged = _Judged(tried, policy, scale, rng)
    match outcome:
        case Delivered(reference=reference) | Duplicate(reference=reference):
            decision = Decision("delivered", reference=reference)
        case RetryLater(code=code, words=words, after_s=after_s):
            decision = judged.next_step(code, words, "", after_s)
        case Rejected(code=code, pointer=pointer, words=words):
            decision = judged.next_step(code, words, pointer, None)
        case NotYet(missing=missing, words=words):
            decision = judged.parked("target.not_yet", words, missing)
        case AuthorizationLost(words=words):
            decision = judged.next_step("target.authorization_lost", words, "", None)
        case Unknown(words=words):
            decision = judged.open_question(words)
        case _:
            assert_never(outcome)
    return replace(decision, error_class=policy.error_class)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One answer with its policy: each schedule is one way to go on."""

    tried: Attempted
    policy: Policy
    scale: float
    rng: random.Random

    def next_step(self, code: str, words: str, pointer: str, after_s: float | None) -> Decision:
        """Go on as the schedule of the policy says."""
        match self.policy.schedule:
            case "none":
                return Decision("held", code=code, words=words, pointer=pointer)
            case "paused":
                wait_s = after_s or OWN_PAUSE_S / self.scale
                return Decision("waiting", wait_s, code, words, burns=False)
            case "owner":
                wait_s = OWNER_RETRY_S / self.scale
                return Decision("waiting", wait_s, code, words, burns=False)
            case "parked":
                return self.parked(code, words, "")
        return self._tried_again("waiting", code, words, after_s)

    def open_question(self, words: str) -> Decision:
        """Go on after a lost answer: ask first where the target can be asked, else send again.

        A target that knows our key, or our reference, makes a second sending harmless; so does a value
        of which the latest wins. Without any of them it is a person's question, not a guess.
        """
        if self.tried.keys == "none" and self.tried.ordering != "latest_wins":
            told = f"{words} The target cannot tell whether it acted. Look there, then decide."
            return Decision("held", code="outcome.unknown", words=told)
        if self.tried.keys != "lookup":
            return self._tried_again("waiting", "target.answer_lost", words, None)
        if self.tried.attempt == 1:
            wait_s = CHECK_AFTER_S / self.scale
            return Decision("checking", wait_s, "target.answer_lost", words)
        return self._tried_again("checking", "target.answer_lost", words, None)

    def parked(self, code: str, words: str, missing: str) -> Decision:
        """Wait for what must come first, until the clock ends; costs nothing of the schedule."""
        if self.tried.age_s > self.policy.horizon_s / self.scale:
            return Decision("held", code="target.predecessor_missing", words=words, missing=missing)
        wait_s = NOT_YET_S / self.scale
        return Decision("waiting", wait_s, code, words, burns=False, missing=missing)

    def _tried_again(self, state: State, code: str, words: str, after_s: float | None) -> Decision:
        wait_s = next_try_s(
            self.tried.attempt,
            after_s,
            schedule=self.policy.schedule,
            horizon_s=self.policy.horizon_s,
            scale=self.scale,
            rng=self.rng,
        )
        if wait_s is None:
            last = "outcome.unknown" if state == "checking" else "retries.exhausted"
            return Decision("held", code=last, words=f"Tried {self.tried.attempt} times. {words}")
        return Decision(state, wait_s, code, words)
