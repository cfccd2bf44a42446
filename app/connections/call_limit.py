"""How many calls to a target may run at one time in this process: found by trying, shared by the row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from app.connections.breaker import FAILED_IN_A_ROW
from app.connections.budget import START_PARALLEL, Lease, Told
from app.connections.load_sign import LoadSign

# Until a target has pushed back for the first time every clean answer allows one call more: from 4 to
# 64 takes some hundred milliseconds. From then on: grow slowly, shrink fast.
CLEAN_FOR_ONE_MORE = 20
# Calls in flight together tell of the same overload; it must not halve the limit once for each.
HALVE_AT_MOST_EVERY_S = 1.0
# A target that answers quicker than this is not served better by more calls at one time, and each of
# them would be lost in an outage before anybody knows of it.
QUICK_S = 0.05
QUICK_PARALLEL = 16
# While the last calls failed, no more are begun than the breaker needs to decide; then one a second,
# until it has decided.
DOUBT_S = 1.0

# How a call went: `throttled` (429), `overloaded` (503, no answer in time), `failed` (another fault of
# the target, or no connection), `unrated` (nothing was tried).
Verdict = Literal["clean", "throttled", "overloaded", "failed", "unrated"]
_FAILS: frozenset[Verdict] = frozenset({"overloaded", "failed"})
_SHRINKS: frozenset[Verdict] = frozenset({"throttled", "overloaded"})


class CallLimit:
    """The limit as this process sees it: its part of what all workers found together.

    `doubt_until_s`: no call begins before (monotonic clock), because many failed in a row.
    """

    def __init__(self, cap: int, clock_s: Callable[[], float]) -> None:
        self.parallel = min(START_PARALLEL, cap)
        self.doubt_until_s = -math.inf
        self._cap = cap
        self._clock_s = clock_s
        self._workers = 1
        self._halved_s = -math.inf
        self._clean = 0
        self._failed_in_a_row = 0
        self._load = LoadSign()

    @property
    def one_takes_s(self) -> float:
        """Say in what time a call ends, on average, when as many run as may."""
        return self._load.took_s / max(1, self.room())

    def room(self) -> int:
        """Say how many calls may be under way; few while nobody knows whether the target is there."""
        room = self.parallel
        if self._load.is_quick(QUICK_S):
            room = min(room, QUICK_PARALLEL)
        if self._failed_in_a_row:
            room = min(room, max(1, FAILED_IN_A_ROW - self._failed_in_a_row))
        return room

    def judge(self, verdict: Verdict, took_s: float, told: Told) -> bool:
        """Learn from one call and write down what the others must know; says whether it is urgent."""
        self._load.note(took_s)
        if verdict == "unrated":
            return False
        self._failed_in_a_row = self._failed_in_a_row + 1 if verdict in _FAILS else 0
        is_doubtful = self._failed_in_a_row >= FAILED_IN_A_ROW
        self.doubt_until_s = self._clock_s() + DOUBT_S if is_doubtful else -math.inf
        if verdict == "clean":
            self._grow(told)
        return verdict in _SHRINKS and self._shrink(told)

    def take_over(self, lease: Lease, cap: int, told: Told) -> None:
        """Take this process's part of the shared limit; `told` is what the row has not heard yet."""
        self._cap, self._workers, self.parallel = cap, lease.workers, lease.parallel
        if told.is_halved:
            self.parallel = max(1, self.parallel // 2)
        elif lease.workers == 1:
            self.parallel = min(cap, self.parallel + int(told.grow))

    def _grow(self, told: Told) -> None:
        self._clean += 1
        if self._clean >= (1 if self._halved_s == -math.inf else CLEAN_FOR_ONE_MORE):
            self._clean = 0
            told.grow += 1
            if self._workers == 1:
                self.parallel = min(self._cap, self.parallel + 1)

    def _shrink(self, told: Told) -> bool:
        self._clean = 0
        now_s = self._clock_s()
        if now_s - self._halved_s < HALVE_AT_MOST_EVERY_S:
            return False
        self._halved_s = now_s
        told.grow, told.is_halved = 0.0, True
        self.parallel = max(1, self.parallel // 2)
        return True
