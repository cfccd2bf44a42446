"""When to stop calling a connection that does not work, and when to try it again: pure rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from infra.clock import monotonic_s

WINDOW_S = 60
MIN_ATTEMPTS = 20
FAILED_SHARE_0_1 = 0.5
UNCONNECTED_IN_A_ROW = 5
# A busy connection that breaks has thousands of good attempts in its minute: so many failures in a
# row within so short a time are enough.
FAILED_IN_A_ROW = 12
IN_A_ROW_S = 10.0
PROBE_FIRST_S = 15.0
PROBE_MAX_S = 300.0

BreakerState = Literal["closed", "open", "half_open", "authorization_lost"]
Event = Literal["tripped", "probe_due", "probe_worked", "probe_failed", "denied", "admitted"]

# How one attempt speaks for the connection. `answered`: the target works, but refused this record
# or asked for patience; `silent`: nothing was tried (budget empty, refused by our own rules).
Sign = Literal["worked", "answered", "failed", "unconnected", "silent"]

# From which states an event moves the breaker, and where to; from all others it changes nothing.
# `probe_due` from half_open: the prober died, and after its lease the next one may try.
MOVES: dict[Event, tuple[frozenset[BreakerState], BreakerState]] = {
    "tripped": (frozenset({"closed"}), "open"),
    "probe_due": (frozenset({"open", "half_open", "authorization_lost"}), "half_open"),
    "probe_worked": (frozenset({"half_open"}), "closed"),
    "probe_failed": (frozenset({"half_open"}), "open"),
    "denied": (frozenset({"closed", "open", "half_open"}), "authorization_lost"),
    # From half_open too: what was given while a trial call was out counts at once.
    "admitted": (frozenset({"authorization_lost", "half_open"}), "closed"),
}


def next_probe_s(probe_s: float) -> float:
    """Give the pause after one more failed probe: doubled, at most five minutes."""
    return min(max(probe_s, PROBE_FIRST_S) * 2, PROBE_MAX_S)


class FailureWindow:
    """What the last 60 seconds of attempts say; counted by whole second, so memory is bounded."""

    def __init__(self, clock_s: Callable[[], float] = monotonic_s) -> None:
        self._clock_s = clock_s
        self._seconds: deque[list[int]] = deque()
        self._unconnected = 0
        self._in_a_row: deque[float] = deque(maxlen=FAILED_IN_A_ROW)

    def note(self, sign: Sign) -> bool:
        """Count one attempt; gives whether the breaker must open now."""
        if sign == "silent":
            return False
        self._unconnected = self._unconnected + 1 if sign == "unconnected" else 0
        if sign in ("failed", "unconnected"):
            self._in_a_row.append(self._clock_s())
        else:
            self._in_a_row.clear()
        # A rejected record says nothing about the connection, neither good nor bad.
        if sign != "answered":
            self._count(is_failure=sign != "worked")
        return self._unconnected >= UNCONNECTED_IN_A_ROW or self._has_broken() or self._is_failing()

    def clear(self) -> None:
        """Forget what was counted, after the breaker has moved."""
        self._seconds.clear()
        self._unconnected = 0
        self._in_a_row.clear()

    def _count(self, *, is_failure: bool) -> None:
        second = int(self._clock_s())
        while self._seconds and self._seconds[0][0] <= second - WINDOW_S:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        self._seconds[-1][1] += 1
        self._seconds[-1][2] += is_failure

    def _has_broken(self) -> bool:
        row = self._in_a_row
        return len(row) == FAILED_IN_A_ROW and row[-1] - row[0] <= IN_A_ROW_S

    def _is_failing(self) -> bool:
        attempts = sum(counted[1] for counted in self._seconds)
        failures = sum(counted[2] for counted in self._seconds)
        return attempts >= MIN_ATTEMPTS and failures >= attempts * FAILED_SHARE_0_1
