"""What cancelling an order means, by how far it went: a table, one row for each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Meaning = Literal["taken_back", "asked", "too_late", "done_before"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens, whether an agreement takes the order back, and what a person is told."""

    meaning: Meaning
    takes_back: bool
    words: str
    # The code of the refusal, where it is one.
    code: str = ""


_HERE = Decision(
    "taken_back",
    takes_back=True,
    words="No other system has it: nothing has to be taken back there.",
)
_ELSEWHERE = Decision(
    "asked",
    takes_back=True,
    words="Other systems have it and are told to stop. If its goods leave all the same, the order stands"
    " again and a break says so.",
)
_GONE = Decision(
    "too_late",
    takes_back=False,
    words="Its goods have left, so it cannot be cancelled. Have the carrier bring it back, or open a"
    " return.",
    code="order.goods_left",
)
_BEFORE = Decision(
    "done_before", takes_back=False, words="It was cancelled before.", code="order.cancelled_before"
)

# (was it cancelled before, did goods leave, does another system have it) -> what it means.
DECISIONS: dict[tuple[bool, bool, bool], Decision] = {
    (False, False, False): _HERE,
    (False, False, True): _ELSEWHERE,
    (False, True, False): _GONE,
    (False, True, True): _GONE,
    (True, False, False): _BEFORE,
    (True, False, True): _BEFORE,
    (True, True, False): _GONE,
    (True, True, True): _GONE,
}


def decide(*, is_cancelled: bool, is_shipped: bool, is_elsewhere: bool) -> Decision:
    """Say what it means to cancel an order now."""
    return DECISIONS[is_cancelled, is_shipped, is_elsewhere]
