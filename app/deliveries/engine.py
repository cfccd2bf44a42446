"""The delivery engine: one task per leased lane, no batch barrier, settled by group commit."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from uuid import UUID

from app.connections.watch import ConnectionWatch
from app.deliveries.claim import CRASHES_BEFORE_HOLD, Claimed, ClaimedLane
from app.deliveries.decide import Attempted, Decision, decide
from app.deliveries.handover import HandOver
from app.deliveries.holdings import Hand
from app.deliveries.load import LoadedEvents, Loader, Loading
from app.deliveries.pricing import priced
from app.deliveries.reports import Reports
from app.deliveries.rounds import Rounds
from app.deliveries.send import Sender, Sent
from app.deliveries.settle import LaneResult, Priced, Tried
from app.deliveries.settler import Settler
from app.deliveries.states import FINAL
from app.deliveries.suspect import acquit, blame_if_we_die
from app.flows.routes import Route, RouteBook, by_flow
from connectors.sdk.outcome import Outcome, Rejected
from infra import clock
from infra.database.pool import Database
from infra.errors import PlatformError
from infra.settings import EngineSettings
from infra.wake import Wake

# A lane task starts no further call when this share of its lease is gone.
LEASE_SHARE_TO_START = 0.4
# A lane gives its slot back after this while others wait for one: it goes on where it stopped.
SLICE_S = 0.5
# A lane whose connection rests is looked at again after this; the breaker says when it may go.
REST_S = 5.0
EMPTY_LANE_REST_S = 60.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What the engine works with."""

    database: Database
    routes: RouteBook
    loader: Loader
    sender: Sender
    settler: Settler
    watch: ConnectionWatch
    hand_over: HandOver
    reports: Reports


class DeliveryEngine:
    """Claims due lanes, sends their deliveries in order, hands the results to the settler.

    `wake` is set by the bell, by prepare and by the settler; without any of them the engine looks
    every `poll_s` seconds.
    """

    def __init__(self, parts: Parts, settings: EngineSettings, worker: str, wake: Wake) -> None:
        self._parts = parts
        self._settings = settings
        self._worker = worker
        self._wake = wake
        self._rounds = Rounds(parts.database, parts.routes, parts.loader, settings, worker)
        self._one_suspect = asyncio.Lock()
        self._rng = random.Random()  # noqa: S311 - jitter, not secrecy

    async def run(self) -> None:
        """Work until cancelled; lanes in hand are finished or left to their leases."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._rounds.watch())
            while True:
                goes_on = await self._round(tasks)
                if not goes_on:
                    await self._wake.wait(self._rounds.pause_s() or self._settings.poll_s)

    async def _round(self, tasks: asyncio.TaskGroup) -> bool:
        """Begin what can be begun; says whether to look again at once."""
        if self._rounds.pause_s() > 0:
            return False
        try:
            taken = await self._rounds.take()
        except PlatformError:
            return False  # the book is away; leases that were taken end by themselves
        except Exception as fault:  # noqa: BLE001 - a round that fails must not end the worker
            self._parts.reports.round_failed(fault)
            return False
        leased_at_s = clock.monotonic_s()
        for lane in taken.lanes:
            hand = self._rounds.begin(lane)
            tasks.create_task(self._work(lane, hand, taken.events, leased_at_s))
        return bool(taken.lanes) or taken.looks_on

    async def _work(
        self, lane: ClaimedLane, hand: Hand, loading: Loading, leased_at_s: float
    ) -> None:
        try:
            result = await self._lane(lane, hand, loading, leased_at_s)
            await self._parts.settler.settle(result)
        except Exception as fault:  # noqa: BLE001 - one lane's fault must not end the worker
            self._parts.reports.lane_failed(lane.key, fault)  # its lease ends by itself
        finally:
            self._rounds.end(hand)
            self._wake.set()

    async def _lane(
        self, lane: ClaimedLane, hand: Hand, loading: Loading, leased_at_s: float
    ) -> LaneResult:
        """Send a lane's deliveries in order until one does not go through.

        What is done is settled while the next is sent, and no more than that: a worker that dies, or a
        book that is away, leaves at most two of a lane to be repeated.
        """
        tried: list[Tried] = []
        left = list(lane.deliveries)
        settling: asyncio.Future[None] | None = None
        # A due lane with nothing in it has lost a delivery: the books tell; it must not spin.
        rest_s = 0.0 if left else EMPTY_LANE_REST_S
        is_first = True
        try:
            routes = await self._routes(lane, leased_at_s)
            events = await loading.of(lane)
            self._rounds.calls(hand)
            while left and (is_first or self._may_go_on(left[0], routes, leased_at_s)):
                is_first = False
                done = await self._next(left, events, routes, leased_at_s)
                if done is None:
                    rest_s = REST_S / self._settings.retry_scale
                    break
                tried.append(done)
                self._rounds.called(hand)
                if done.decision.state not in FINAL:
                    break
                if left and done.decision.state == "delivered":
                    if settling is not None:
                        await settling  # the book is slow or away: run no further ahead of it
                    part = LaneResult(
                        lane.key, lane.token, tuple(tried), (), self._worker, goes_on=True
                    )
                    settling = self._parts.settler.hand_over(part)
                    tried = []
        except PlatformError:
            # The book is away and what comes next was not begun: it goes back as it is.
            rest_s = REST_S / self._settings.retry_scale
        if settling is not None:
            await settling
        return LaneResult(lane.key, lane.token, tuple(tried), tuple(left), self._worker, rest_s)

    async def _next(
        self,
        left: list[Claimed],
        events: LoadedEvents,
        routes: dict[UUID, Route],
        leased_at_s: float,
    ) -> Tried | None:
        """Take the next delivery off a lane and try it; None when it has to rest."""
        delivery = left[0]
        route = routes.get(delivery.flow_id)
        if len(left) > 1 and route is not None and route.ordering == "latest_wins":
            return _overtaken(left.pop(0))
        if not await self._parts.watch.may_call(delivery.tenant_id, delivery.connection_id):
            return None
        if not delivery.crashes:
            done = await self._attempt(delivery, events, route)
            left.pop(0)
            return done
        async with self._one_suspect:
            if not self._has_time(leased_at_s):
                return None
            await blame_if_we_die(delivery, self._parts.database)
            done = await self._attempt(delivery, events, route)
            await acquit(delivery, self._parts.database)
            left.pop(0)
            return done

    async def _learn(self, delivery: Claimed, outcome: Outcome) -> None:
        try:
            await self._parts.watch.learn(delivery.tenant_id, delivery.connection_id, outcome)
        except PlatformError:
            return  # the next outcome tells the same; the book is away for a moment

    def _may_go_on(self, delivery: Claimed, routes: dict[UUID, Route], leased_at_s: float) -> bool:
        """Say whether a lane may go on: in time, not longer than its slice, and not into a pause."""
        route = routes.get(delivery.flow_id)
        if route is not None and route.is_paused:
            return False
        spent_s = clock.monotonic_s() - leased_at_s
        return self._has_time(leased_at_s) and not (self._rounds.is_pressed and spent_s > SLICE_S)

    def _has_time(self, leased_at_s: float) -> bool:
        spent_s = clock.monotonic_s() - leased_at_s
        return spent_s < self._settings.lease_s * LEASE_SHARE_TO_START

    async def _routes(self, lane: ClaimedLane, leased_at_s: float) -> dict[UUID, Route]:
        """Give open routes by flow; raises PlatformError: without them nothing may be judged.

        Whoever corrects a mapping releases right afterwards what it had held back: that must not go out
        by the mapping in memory, so no route is older than the deliveries that were taken.
        """
        tenant_id = lane.key[0]
        routes = by_flow(await self._parts.routes.routes(tenant_id))
        if any(_is_newer(delivery, routes) for delivery in lane.deliveries):
            routes = by_flow(await self._parts.routes.routes(tenant_id, not_before_s=leased_at_s))
        return {flow_id: route for flow_id, route in routes.items() if route.is_enabled}

    async def _attempt(self, delivery: Claimed, events: LoadedEvents, route: Route | None) -> Tried:
        started_at, started_s = clock.now(), clock.monotonic_s()
        loaded = events.get(delivery.event_id)
        if delivery.crashes >= CRASHES_BEFORE_HOLD:
            sent = Sent(_crashed(delivery.crashes), is_asked=False)
        else:
            sent = await self._parts.sender.send(delivery, loaded, route)
        outcome = sent.outcome
        if sent.is_asked:
            await self._learn(delivery, outcome)
        took_ms = round((clock.monotonic_s() - started_s) * 1000)
        decision = sent.decided or self._decide(sent, delivery, route)
        self._parts.reports.attempted(delivery, outcome, decision, took_ms)
        if decision.state == "delivered":
            self._parts.hand_over.drop(delivery.tenant_id, delivery.event_id)
        return Tried(
            delivery=delivery,
            decision=decision,
            outcome=type(outcome).__name__,
            status=getattr(outcome, "status", None),
            started_at=started_at,
            took_ms=took_ms,
            priced=priced(loaded.event) if loaded else Priced(),
            flow_version=sent.version,
            connector=sent.connector,
        )

    def _decide(self, sent: Sent, delivery: Claimed, route: Route | None) -> Decision:
        age_s = (clock.now() - delivery.accepted_at).total_seconds()
        tried = Attempted(delivery.attempt, sent.keys, age_s, sent.connector)
        if route is not None:
            tried = replace(tried, flow_class=route.class_, ordering=route.ordering)
        return decide(
            sent.outcome,
            tried,
            scale=self._settings.retry_scale,
            rng=self._rng,
        )


def _is_newer(delivery: Claimed, routes: dict[UUID, Route]) -> bool:
    route = routes.get(delivery.flow_id)
    return delivery.flow_version > (route.version if route else 0)


def _crashed(crashes: int) -> Rejected:
    return Rejected(
        "worker.crashed",
        "",
        f"Sending this record ended the worker {crashes} times, so it is set aside. Others go on."
        " Tell the connector's maintainer, then release it.",
    )


def _overtaken(delivery: Claimed) -> Tried:
    """A newer value of the same thing follows in this lane: this one need not be sent."""
    return Tried(delivery, Decision("superseded"), "Superseded", None, clock.now(), 0, Priced())
