"""How fast one credential may be called by this process: tokens of the shared budget, calls at one
time, and who has to come again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.connections.budget import Allowance, Ask, BudgetKey, Lease, Told
from app.connections.call_limit import CallLimit, Verdict
from app.connections.directory import ConnectionConfig
from app.connections.lessor import Lessor
from connectors.sdk.budget import BudgetReport
from connectors.sdk.transport import NotSent
from infra.clock import monotonic_s

# Some vendors answer a quota with an hour; longer wishes and none at all are bounded.
PAUSE_MIN_S = 1.0
PAUSE_MAX_S = 3600.0
# What other workers found is looked at this often.
LOOK_EVERY_S = 1.0
# For how long a lane may be sent away: it comes back about when it is its turn.
AWAY_MIN_S, AWAY_FOR_ROOM_S, AWAY_MAX_S = 0.1, 2.0, 120.0
# So many more lanes come back as there is room for: the target must not wait for lanes.
CROWDING = 1.25
FIRST_GRANT_S = 0.1
RENEW_BELOW_0_1 = 0.25
_DUST = 1e-9  # tokens; sums of fractions are not exact


class Slot:
    """One call on its way; tells the pace what the target said."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.verdict: Verdict = "unrated"

    def judge(self, verdict: Verdict, *, after_s: float | None = None) -> None:
        """Say how it went, and how long the target asked to be left alone (seconds)."""
        self.verdict = verdict
        if after_s is not None:
            self._pace.pause(after_s)

    def learn(self, report: BudgetReport) -> None:
        """Hand on what the vendor said of the budget."""
        self._pace.learn(report)


class Pace:
    """Slots of one credential and bucket, handed out in the order in which they were asked for."""

    def __init__(
        self,
        lessor: Lessor,
        key: BudgetKey,
        config: ConnectionConfig,
        allowance: Allowance,
        *,
        clock_s: Callable[[], float] = monotonic_s,
    ) -> None:
        self.allowance = allowance
        self.config = config
        self.in_flight = 0
        self._lessor = lessor
        self._key = key
        self._clock_s = clock_s
        self._told = Told()
        self._tokens = 0.0
        self._rate_per_s = allowance.rate_per_s
        self._workers = 1
        self._known_left = 0.0
        self._burst = allowance.burst
        self._lasts_s = 0.0
        self._granted = 0.0
        self._stated = BudgetReport()
        self._expires_s = -math.inf
        self._leased_s = -math.inf
        self._wait_until_s = -math.inf
        self._paused_until_s = -math.inf
        self._spent = 0.0
        self._queued = 0.0
        self._away_until_s = -math.inf
        self._limit = CallLimit(allowance.parallel, clock_s)
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None

    @property
    def parallel(self) -> int:
        """Say how many calls this process may have under way."""
        return self._limit.parallel

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is under way and nothing is held."""
        return self.in_flight == 0 and not self._queued and self._tokens <= 0

    def room(self, cost: float = 1.0) -> int:
        """Say how many calls of this cost could begin at this very moment."""
        if not self._may_go(cost):
            return 0
        return min(int((self._tokens + _DUST) / cost), self._limit.room() - self.in_flight)

    async def ready(self, cost: float, wait_s: float) -> None:
        """Wait until a call could begin, and take nothing: what it will say is read after this.

        Raises NotSent `pace.exhausted` when none could begin within `wait_s` seconds.
        """
        if self._turn.locked() or not self._may_go(cost):
            await self._wait(cost, wait_s)

    @asynccontextmanager
    async def slot(self, cost: float, wait_s: float) -> AsyncIterator[Slot]:
        """Hold one slot; raises NotSent `pace.exhausted` when none comes within `wait_s` seconds."""
        if self._turn.locked() or not self._may_go(cost):
            await self._wait(cost, wait_s)
        self._take(cost)
        slot, began_s = Slot(self), self._clock_s()
        try:
            yield slot
        finally:
            self.in_flight -= 1
            if slot.verdict == "throttled":
                self._told.refused += 1
                # Whatever we believed: there was nothing left.
                self.learn(BudgetReport(remaining=0))
            if self._limit.judge(slot.verdict, self._clock_s() - began_s, self._told):
                self._ask_soon()
            self._freed.set()

    def pause(self, after_s: float) -> None:
        """Send nothing for a time the target asked for, between one second and one hour."""
        bounded_s = min(max(after_s, PAUSE_MIN_S), PAUSE_MAX_S)
        self._paused_until_s = max(self._paused_until_s, self._clock_s() + bounded_s)
        self._told.pause_s = max(self._told.pause_s or 0.0, bounded_s)
        self._ask_soon()

    def learn(self, report: BudgetReport) -> None:
        """Take over what the vendor states; told to all workers when it is news."""
        told = self._told
        # A call that cost less than it was charged for gives the rest back.
        self._tokens += max(0.0, report.overpaid)
        self._told.used -= max(0.0, report.overpaid)
        if report.rate_per_s and report.rate_per_s != self._stated.rate_per_s:
            told.rate_per_s = report.rate_per_s
            if report.rate_per_s < self._rate_per_s:
                # What is in hand was granted in a false belief.
                self._put_back()
        if report.burst and report.burst != self._stated.burst:
            told.burst = report.burst
        if report.rate_per_s or report.burst:
            self._stated = report
        if report.remaining is not None and report.remaining + 1 < self._guess_left():
            told.remaining = report.remaining
            self._tokens = min(self._tokens, report.remaining + 1)
        if report.empty_for_s:
            self.pause(report.empty_for_s)
        if told.rate_per_s or told.burst or told.remaining is not None:
            self._ask_soon()

    def leave(self) -> None:
        """Give back all tokens and be counted no more: this process ends."""
        if self._leased_s > -math.inf:
            self._lessor.ask(self._key, lambda: self._compose(0, stays=False), self._received)

    # ------------------------------------------------------------ waiting

    async def _wait(self, cost: float, wait_s: float) -> None:
        if self._turn.locked() and self._queue_s(cost) > wait_s:
            # Its turn would not come: no slot of the worker waits for it.
            raise self._sent_away(cost)
        self._queued += cost
        try:
            async with asyncio.timeout(wait_s), self._turn:
                await self._until_free(cost, self._clock_s() + wait_s)
        except TimeoutError:
            raise self._sent_away(cost) from None
        finally:
            self._queued -= cost

    async def _until_free(self, cost: float, until_s: float) -> None:
        while not self._may_go(cost):
            now_s = self._clock_s()
            delay_s = self._silent_until_s() - now_s
            if now_s + delay_s > until_s:
                raise self._sent_away(cost)
            if now_s - self._leased_s >= LOOK_EVERY_S:
                await self._lease(cost)
            elif delay_s > 0:
                await asyncio.sleep(delay_s)
            elif self.in_flight >= self._limit.room():
                self._freed.clear()
                await self._freed.wait()
            else:
                await self._lease(cost)

    async def _lease(self, cost: float) -> None:
        before_s = self._leased_s
        asked = self._lessor.ask(self._key, lambda: self._compose(cost), self._received)
        await asyncio.shield(asked)
        if self._leased_s == before_s:
            raise NotSent(
                "pace.book_away", "The shared budget for this system cannot be read now.", 1.0
            )

    def _may_go(self, cost: float) -> bool:
        now_s = self._clock_s()
        if now_s >= self._expires_s:
            self._put_back()
        return (
            self._tokens >= cost - _DUST
            and now_s >= max(self._paused_until_s, self._limit.doubt_until_s)
            and self.in_flight < self._limit.room()
        )

    def _silent_until_s(self) -> float:
        return max(self._paused_until_s, self._wait_until_s, self._limit.doubt_until_s)

    def _take(self, cost: float) -> None:
        self._tokens -= cost
        self._spent += cost
        self._told.used += cost
        self._told.calls += 1
        self.in_flight += 1
        is_low = self._tokens < RENEW_BELOW_0_1 * self._granted
        is_old = self._clock_s() > self._expires_s - RENEW_BELOW_0_1 * self._lasts_s
        if self._lasts_s and (is_low or is_old):
            self._ask_soon(cost)  # so that nobody has to wait for the next grant

    # ------------------------------------------------------------ the shared book

    def _ask_soon(self, cost: float = 0.0) -> None:
        self._lessor.ask(self._key, lambda: self._compose(cost), self._received)

    def _compose(self, cost: float, *, stays: bool = True) -> Ask:
        """Say what is needed and what happened; what is told is told once."""
        if not stays:
            self._put_back()
        told, self._told = self._told, Told()
        short = max(0.0, cost - max(0.0, self._tokens))
        return Ask(
            self._key,
            self.config.id,
            self.allowance,
            # A grant that lasts is renewed before it is spent; nobody waits for that.
            need=short or (1.0 if cost and self._lasts_s else 0.0),
            want=self._wanted() if cost else 0.0,
            told=told,
            stays=stays,
        )

    def _wanted(self) -> float:
        """Say how many tokens are spent in the time for which a grant lasts."""
        now_s = self._clock_s()
        if self._leased_s == -math.inf:
            return self.allowance.rate_per_s * FIRST_GRANT_S
        passed_s = max(now_s - self._leased_s, 0.001)
        wanted = max(self._granted / 2, self._spent / passed_s * self._lasts_s)
        return wanted - max(0.0, self._tokens)

    def _received(self, ask: Ask, lease: Lease | None) -> None:
        if lease is None:
            self._untold(ask.told)
            return
        now_s = self._clock_s()
        self._leased_s, self._spent = now_s, 0.0
        self._tokens += lease.granted
        self._granted = lease.granted or self._granted
        self._lasts_s = lease.lasts_s
        # A grant for one call is for the call that waits for it.
        self._expires_s = now_s + (lease.lasts_s or LOOK_EVERY_S)
        self._rate_per_s, self._burst = lease.rate_per_s, lease.burst
        self._known_left = lease.left
        self._workers = lease.workers
        self._limit.take_over(lease, self.allowance.parallel, self._told)
        self._freed.set()
        self._paused_until_s = max(self._paused_until_s, now_s + lease.paused_s)
        is_short = ask.need > 0 and lease.granted <= 0
        self._wait_until_s = now_s + max(lease.wait_s, 0.001) if is_short else -math.inf
        self._rest_later()

    def _untold(self, told: Told) -> None:
        """The book is away: remember what it has not heard."""
        mine = self._told
        mine.back += told.back
        mine.calls += told.calls
        mine.used += told.used
        mine.refused += told.refused
        mine.pause_s = max(mine.pause_s or 0.0, told.pause_s or 0.0) or None
        mine.rate_per_s = mine.rate_per_s or told.rate_per_s
        mine.burst = mine.burst or told.burst

    def _rest_later(self) -> None:
        """Give back what is left when its time is over and nobody came for it."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._tokens > 0:
            wait_s = max(0.0, self._expires_s - self._clock_s())
            self._idle = asyncio.get_running_loop().call_later(wait_s, self._rest)

    def _rest(self) -> None:
        self._idle = None
        self._put_back()
        if self._told.back:
            self._ask_soon()

    def _put_back(self) -> None:
        self._told.back += max(0.0, self._tokens)
        self._tokens = 0.0

    def _guess_left(self) -> float:
        if self._leased_s == -math.inf:
            return self.allowance.burst
        passed_s = self._clock_s() - self._leased_s
        return min(self._known_left + passed_s * self._rate_per_s, self._burst)

    # ------------------------------------------------------------ who has to come again

    def _queue_s(self, cost: float) -> float:
        """Guess how long it takes until those before, and this one, had their turn."""
        ahead = self._queued + cost
        short = ahead - self._tokens - max(0.0, self._guess_left())
        by_budget = short * self._workers / self._rate_per_s
        by_room = (self._queued + 1) * self._limit.one_takes_s
        rest_s = self._silent_until_s() - self._clock_s()
        return max(by_budget, by_room, rest_s)

    def _sent_away(self, cost: float) -> NotSent:
        """Refuse, and say when to come again: one after the other, as fast as they can be served."""
        now_s = self._clock_s()
        by_budget_s = cost * self._workers / self._rate_per_s
        by_room_s = self._limit.one_takes_s
        # A rate is known; how long calls take may be over in a moment.
        most_s = AWAY_MAX_S if by_budget_s >= by_room_s else AWAY_FOR_ROOM_S
        # What the target itself asked for is not cut short, nor the wait for one rare token.
        asked_s = max(self._paused_until_s, self._wait_until_s) - now_s
        begin_s = max(now_s + self._queue_s(0), self._away_until_s)
        until_s = begin_s + max(by_budget_s, by_room_s) / CROWDING
        self._away_until_s = min(until_s, now_s + max(most_s, min(asked_s, PAUSE_MAX_S)))
        return NotSent(
            "pace.exhausted",
            "The budget for calls to this system is used up for now.",
            max(AWAY_MIN_S, self._away_until_s - now_s),
        )
