"""What an answer means for one article and for its channel, from a table of outcomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from app.retail.publishing.take import Taken
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    Found,
    LookUp,
    Missing,
    NotYet,
    Outcome,
    Rejected,
    RetryLater,
    Unclear,
    Unknown,
)

# The first attempts follow at once, then it waits 0.25 s, 0.5 s, 1 s, at most 2 s.
AT_ONCE_TRIES = 3
BACKOFF_S = (0.25, 0.5, 1.0, 2.0)
# A lost answer may belong to a call that is still on its way.
LOST_WAIT_S = 2.0
NOT_YET_WAIT_S = 60.0
# So long a whole channel rests whose credential is gone, or that is away without saying for how long.
REST_S = 2.0
OWNER_REST_S = 15.0
# Codes of our own way out: nothing was tried, and the next article would fare the same.
_OURS = ("pace.", "breaker.", "egress.", "connection.")
# The quantity moved under us: it is read again and worked out anew.
_MOVED = "stock.changed_meanwhile"
LOST = "outcome.unknown"


@dataclass(frozen=True, slots=True)
class Ack:
    """What is written about one article that was in our hands.

    `shown`: what the channel shows now, None when it said nothing new. `is_open`: the question what
    became of it stays. `is_refused`: nothing more is sent until its target moves or a person says so.
    `rest_s`: for so long the whole channel is left alone.
    """

    taken: Taken
    shown: int | None = None
    is_open: bool = False
    is_refused: bool = False
    tries: int = 0
    wait_s: float | None = None
    code: str = ""
    words: str = ""
    rest_s: float = 0.0


def judge(taken: Taken, outcome: Outcome) -> Ack:
    """Say what the answer to a value means."""
    tries, was_open = taken.known.tries + 1, taken.known.is_open
    match outcome:
        case Delivered() | Duplicate():
            return Ack(taken, shown=taken.known.target)
        case RetryLater():
            return _later(taken, outcome, tries)
        case Rejected(code=code, words=words):
            return Ack(taken, is_refused=True, code=code, words=words)
        case NotYet(words=words):
            return Ack(
                taken, is_open=was_open, wait_s=NOT_YET_WAIT_S, code="target.not_yet", words=words
            )
        case AuthorizationLost(words=words):
            return Ack(
                taken,
                is_open=was_open,
                code="target.authorization_lost",
                words=words,
                rest_s=OWNER_REST_S,
            )
        case Unknown(words=words):
            return _lost(taken, tries, words)
    assert_never(outcome)


def judge_answer(taken: Taken, answer: LookUp) -> Ack:
    """Say what the answer to a question means: found, it is shown; missing, nothing was done."""
    match answer:
        case Found():
            return Ack(taken, shown=taken.known.open_value)
        case Missing():
            return Ack(taken)
        case Unclear(words=words):
            return _lost(taken, taken.known.tries + 1, words)
    assert_never(answer)


def _later(taken: Taken, outcome: RetryLater, tries: int) -> Ack:
    """Let the whole channel rest when nothing was tried, else this article alone."""
    kept = Ack(taken, is_open=taken.known.is_open, code=outcome.code, words=outcome.words)
    if outcome.code.startswith(_OURS):
        rest_s = REST_S if outcome.after_s is None else outcome.after_s
        return replace(kept, tries=tries - 1, rest_s=rest_s)
    return replace(kept, tries=tries, wait_s=_wait_s(outcome.code, tries, outcome.after_s))


def _wait_s(code: str, tries: int, after_s: float | None) -> float:
    if code == _MOVED:
        after_s = None
    if after_s is not None:
        return after_s
    if tries < AT_ONCE_TRIES:
        return 0.0
    return BACKOFF_S[min(tries - AT_ONCE_TRIES, len(BACKOFF_S) - 1)]


def _lost(taken: Taken, tries: int, words: str) -> Ack:
    return Ack(taken, is_open=True, tries=tries, wait_s=LOST_WAIT_S, code=LOST, words=words)
