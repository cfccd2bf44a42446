"""How fast one connection may be called: a token bucket for the vendor's rate, and a limit of
calls at one time that finds what the target can take (additive increase, multiplicative decrease).

Kept in process memory: each process gets its share of the vendor's quota.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from connectors.sdk.manifest import Quota
from connectors.sdk.transport import NotSent
from infra.clock import monotonic_s

# reliability: start low, grow slowly, shrink fast.
START_PARALLEL = 4
CLEAN_FOR_ONE_MORE = 20
# Calls in flight together tell of the same overload; it must not halve the limit once for each.
HALVE_AT_MOST_EVERY_S = 1.0
# Some vendors answer a quota with an hour; longer wishes and none at all are bounded.
PAUSE_MIN_S = 1.0
PAUSE_MAX_S = 3600.0
# A vendor may tell its rate in a header; what it says is believed within this factor.
RATE_BELIEVED = 10.0

Verdict = Literal["clean", "pushed_back", "unrated"]


class PaceState:
    """The numbers of one connection, without waiting; all times in seconds of a monotonic clock."""

    def __init__(self, quota: Quota, *, share_0_1: float, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._declared_per_s = quota.rate_per_s * share_0_1
        self.rate_per_s = self._declared_per_s
        self._burst = max(1.0, quota.burst * share_0_1)
        self._tokens = self._burst
        self._filled_at_s = clock_s()
        self._cap = max(1, math.floor(quota.parallel * share_0_1))
        self.parallel = min(START_PARALLEL, self._cap)
        self.in_flight = 0
        self._clean = 0
        self._halved_at_s = -math.inf
        self._paused_until_s = -math.inf

    def wait_s(self, cost: float) -> float:
        """Say how long budget and pause keep a call of this cost back; 0 when they do not."""
        self._fill()
        # A call dearer than the whole bucket goes when the bucket is full, and leaves a debt.
        missing = min(cost, self._burst) - self._tokens
        return max(0.0, missing / self.rate_per_s, self._paused_until_s - self._clock_s())

    def has_room(self) -> bool:
        """Say whether one more call at the same time is within the limit."""
        return self.in_flight < self.parallel

    def take(self, cost: float) -> None:
        """Count a call as begun and take its cost."""
        self._fill()
        self._tokens -= cost
        self.in_flight += 1

    def give_back(self, verdict: Verdict) -> None:
        """Count a call as ended and learn from how it went."""
        self.in_flight -= 1
        if verdict == "clean":
            self._grow()
        elif verdict == "pushed_back":
            self._shrink()

    def pause(self, after_s: float) -> None:
        """Send nothing for a time the target asked for, between one second and one hour."""
        bounded_s = min(max(after_s, PAUSE_MIN_S), PAUSE_MAX_S)
        self._paused_until_s = max(self._paused_until_s, self._clock_s() + bounded_s)

    def learn_rate(self, rate_per_s: float) -> None:
        """Take over the rate that the target states for this credential."""
        if not math.isfinite(rate_per_s) or rate_per_s <= 0:
            return
        self._fill()
        lowest, highest = self._declared_per_s / RATE_BELIEVED, self._declared_per_s * RATE_BELIEVED
        self.rate_per_s = min(max(rate_per_s, lowest), highest)

    def _fill(self) -> None:
        moment_s = self._clock_s()
        gained = (moment_s - self._filled_at_s) * self.rate_per_s
        self._tokens = min(self._burst, self._tokens + gained)
        self._filled_at_s = moment_s

    def _grow(self) -> None:
        self._clean += 1
        if self._clean >= CLEAN_FOR_ONE_MORE:
            self._clean = 0
            self.parallel = min(self._cap, self.parallel + 1)

    def _shrink(self) -> None:
        self._clean = 0
        if self._clock_s() - self._halved_at_s >= HALVE_AT_MOST_EVERY_S:
            self._halved_at_s = self._clock_s()
            self.parallel = max(1, self.parallel // 2)


class Slot:
    """One call on its way; tells the pace what the target said."""

    def __init__(self, state: PaceState) -> None:
        self._state = state
        self.verdict: Verdict = "unrated"

    def judge(self, verdict: Verdict, *, after_s: float | None = None) -> None:
        """Say how it went, and how long the target asked to be left alone (seconds)."""
        self.verdict = verdict
        if after_s is not None:
            self._state.pause(after_s)

    def learn_rate(self, rate_per_s: float) -> None:
        """Hand on the rate (calls per second) that the target stated."""
        self._state.learn_rate(rate_per_s)


class Pace:
    """Slots of one connection, handed out in the order in which they were asked for."""

    def __init__(
        self,
        quota: Quota,
        *,
        share_0_1: float = 1.0,
        clock_s: Callable[[], float] = monotonic_s,
    ) -> None:
        self.state = PaceState(quota, share_0_1=share_0_1, clock_s=clock_s)
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def slot(self, cost: float, wait_s: float) -> AsyncIterator[Slot]:
        """Hold one slot; raises NotSent `pace.exhausted` when none comes within `wait_s` seconds."""
        try:
            async with asyncio.timeout(wait_s), self._turn:
                await self._until_free(cost, wait_s)
                self.state.take(cost)
        except TimeoutError:
            raise self._exhausted(cost) from None
        slot = Slot(self.state)
        try:
            yield slot
        finally:
            self.state.give_back(slot.verdict)
            self._freed.set()

    async def _until_free(self, cost: float, wait_s: float) -> None:
        while True:
            delay_s = self.state.wait_s(cost)
            if delay_s > wait_s:
                raise self._exhausted(cost)
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            elif not self.state.has_room():
                self._freed.clear()
                await self._freed.wait()
            else:
                return

    def _exhausted(self, cost: float) -> NotSent:
        after_s = max(PAUSE_MIN_S, self.state.wait_s(cost))
        return NotSent(
            "pace.exhausted", "The budget for calls to this system is used up for now.", after_s
        )
