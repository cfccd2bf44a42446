"""The one path to one channel while its turn lasts: read, send the riskiest, write the answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from app.connections.directory import BookedConnection, ConnectionBook
from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.retail.publishing.acks import write_acks
from app.retail.publishing.hold import find_hold, note_hold
from app.retail.publishing.judge import Ack, judge, judge_answer
from app.retail.publishing.lineup import Lineup
from app.retail.publishing.take import Taken, take
from app.retail.publishing.tell import CALL_DEADLINE_S, ask, can_ask, tell
from app.retail.publishing.turns import Turn
from app.retail.publishing.waiting import WINDOW, Waiting, again_in_s, read_waiting, thaw
from connectors.sdk.outcome import Outcome
from connectors.sdk.transport import NotSent
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.telemetry.events import log_event

# A turn ends after this, so that others have theirs; it is taken again when nobody else waits.
TURN_MOST_S = 15.0
# A quiet channel is given back after this.
QUIET_S = 1.0
MOST_AT_ONCE = 16
READY_WAIT_S = 1.0
# Longer than any transaction that brings news lasts between its clock and its commit.
OVERLAP_S = 5.0
GATHER_S = 0.003
BOOK_AWAY_S = 0.2
LOOK_S = 0.05
# A rule that is no longer frozen comes as news, too; looking for that reads every article.
THAW_EVERY_S = 2.0
ALL_S = 1e9


@dataclass(frozen=True, slots=True)
class PublishingParts:
    """What publishing works with."""

    database: Database
    connections: ConnectionBook
    transports: Transports
    watch: ConnectionWatch


class ChannelPath:
    """Publishes to one channel; `tell_news` says that the book has something new for it."""

    def __init__(self, parts: PublishingParts, turn: Turn) -> None:
        self.turn = turn
        self.told = 0
        self._parts = parts
        self._scope = TenantScope(turn.tenant_id, "publisher")
        self._lineup = Lineup()
        self._later: list[tuple[float, str, Waiting]] = []
        self._in_flight: set[str] = set()
        self._acks: list[Ack] = []
        self._acked, self._stirred = asyncio.Event(), asyncio.Event()
        self._has_news, self._has_all, self._owes_thaw = True, True, False
        self._looked_s = self._thawed_s = float("-inf")
        self._rests_until_s = float("-inf")

    def tell_news(self) -> None:
        """Let new values be read before the next one is sent."""
        self._has_news = True
        self._stirred.set()

    async def run(self) -> float | None:
        """Publish until nothing waits, the turn is over or the channel has to rest.

        Gives in how many seconds the channel is due again; None: with the next news.
        """
        began_s = clock.monotonic_s()
        booked = await self._parts.connections.find(*self.turn.channel)
        async with begin(self._scope, self._parts.database) as session:
            held = await find_hold(session, self.turn, booked)
            await note_hold(session, self.turn, held)
        if held is not None or booked is None:
            return held.again_s if held else None
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write())
            is_quiet = await self._publish(booked, tasks, began_s + TURN_MOST_S)
            while self._in_flight and self.turn.lasts(0):
                await self._moment(LOOK_S)
            writing.cancel()
        return await self._again_s(is_quiet=is_quiet)

    async def _publish(
        self, booked: BookedConnection, tasks: asyncio.TaskGroup, until_s: float
    ) -> bool:
        """Send what waits; True when nothing did for a while."""
        quiet_since_s = clock.monotonic_s()
        while self.turn.lasts(CALL_DEADLINE_S) and clock.monotonic_s() < until_s:
            # The turn is kept: news would only bring it back, and nobody would remember the rest.
            if self._rest_s() > 0:
                await self._moment(min(self._rest_s(), LOOK_S))
                continue
            await self._look()
            if self._lineup and len(self._in_flight) < MOST_AT_ONCE:
                await self._send_some(booked, tasks)
                quiet_since_s = clock.monotonic_s()
            elif not self._in_flight and clock.monotonic_s() - quiet_since_s > QUIET_S:
                return True
            else:
                await self._moment(LOOK_S)
        return False

    async def _look(self) -> None:
        """Take over what is new, and what waited for its time; read on when little is left."""
        now_s = clock.monotonic_s()
        while self._later and self._later[0][0] <= now_s:
            self._line_up(heappop(self._later)[2])
        is_short = not self._has_all and len(self._lineup) < WINDOW // 10
        self._owes_thaw |= self._has_news
        is_thawing = self._owes_thaw and now_s - self._thawed_s >= THAW_EVERY_S
        if not self._has_news and not is_short and not is_thawing:
            return
        since_s = min(ALL_S, now_s - self._looked_s + OVERLAP_S)
        within_s = ALL_S if is_short or is_thawing else since_s
        self._has_news, self._looked_s = False, now_s
        async with begin(self._scope, self._parts.database) as session:
            if is_thawing:
                self._thawed_s, self._owes_thaw = now_s, False
                await thaw(session, self.turn)
            found = await read_waiting(session, self.turn, within_s)
        self._has_all = len(found) < WINDOW and (self._has_all or within_s == ALL_S)
        for waiting in found:
            self._line_up(waiting)

    def _line_up(self, waiting: Waiting) -> None:
        # What is on its way comes back with its answer.
        if waiting.sku not in self._in_flight:
            self._lineup.put(waiting)

    async def _send_some(self, booked: BookedConnection, tasks: asyncio.TaskGroup) -> None:
        """Wait for the pace first and read the values then: what is sent is what is true now."""
        pace = self._parts.transports.pace(booked)
        try:
            await pace.ready(1.0, READY_WAIT_S)
        except NotSent as away:
            self._rest(away.after_s or LOOK_S)
            return
        await self._look()
        most = max(1, min(pace.room(), MOST_AT_ONCE - len(self._in_flight)))
        skus = list(self._drawn(most))
        async with begin(self._scope, self._parts.database) as session:
            taken = await take(session, self.turn, skus, can_ask=can_ask(booked))
        for each in taken:
            self._in_flight.add(each.known.sku)
            tasks.create_task(self._deal(booked, each))
        # Each takes its slot of the pace before the next ones are counted.
        await asyncio.sleep(0)

    def _drawn(self, most: int) -> Iterator[str]:
        for _ in range(most):
            sku = self._lineup.take()
            if sku is None:
                return
            yield sku

    async def _deal(self, booked: BookedConnection, taken: Taken) -> None:
        transport = self._parts.transports.of(booked)
        if taken.step == "ask":
            ack = judge_answer(taken, await ask(booked, taken.known, transport))
        else:
            outcome = await tell(booked, taken.known, transport)
            await self._learn(outcome)
            ack = judge(taken, outcome)
        if ack.rest_s:
            self._tell_rest(ack)
            self._rest(ack.rest_s)
        self._acks.append(ack)
        self._acked.set()

    async def _learn(self, outcome: Outcome) -> None:
        # Without the book the next outcome tells the same.
        with contextlib.suppress(PlatformError):
            await self._parts.watch.learn(*self.turn.channel, outcome)

    async def _write(self) -> None:
        """Write answers, those of some milliseconds in one commit, until cancelled."""
        while True:
            await self._acked.wait()
            await asyncio.sleep(GATHER_S)
            self._acked.clear()
            acks, self._acks = self._acks, []
            try:
                async with begin(self._scope, self._parts.database) as session:
                    still = await write_acks(session, self.turn, acks)
            except PlatformError:
                # They are told again; what is never told is compared by whoever comes next.
                self._acks += acks
                self._acked.set()
                await asyncio.sleep(BOOK_AWAY_S)
                continue
            self._take_back(acks, still)

    def _take_back(self, acks: Sequence[Ack], still: Sequence[tuple[Waiting, float]]) -> None:
        """Let articles wait again that the channel does not show rightly yet."""
        self._in_flight.difference_update(ack.taken.known.sku for ack in acks)
        self.told += sum(ack.shown is not None for ack in acks)
        now_s = clock.monotonic_s()
        for waiting, wait_s in still:
            if wait_s > 0:
                heappush(self._later, (now_s + wait_s, waiting.sku, waiting))
            else:
                self._lineup.put(waiting)
        self._stirred.set()

    async def _moment(self, at_most_s: float) -> None:
        """Wait until something happens, or a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._stirred.wait()
        self._stirred.clear()

    async def _again_s(self, *, is_quiet: bool) -> float | None:
        if self._rest_s() > 0:
            return self._rest_s()
        if not is_quiet or self._owes_thaw:
            return 0.0
        async with begin(self._scope, self._parts.database) as session:
            return await again_in_s(session, self.turn)

    def _tell_rest(self, ack: Ack) -> None:
        if self._rest_s() <= 0:
            log_event(
                "channel.rested",
                tenant=str(self.turn.tenant_id),
                connection=str(self.turn.connection_id),
                code=ack.code,
                next_s=ack.rest_s,
            )

    def _rest(self, rest_s: float) -> None:
        self._rests_until_s = max(self._rests_until_s, clock.monotonic_s() + rest_s)

    def _rest_s(self) -> float:
        return self._rests_until_s - clock.monotonic_s()
