"""One round of a worker: claim lanes as the fair plan says, put paused ones aside, find their events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.deliveries.claim import Claim, ClaimedLane, Fairness, claim
from app.deliveries.holdings import Hand
from app.deliveries.load import Loader, Loading
from app.deliveries.look import START
from app.deliveries.park import park
from app.deliveries.strain import Strain
from app.deliveries.weights import READ_EVERY_S, read_weights
from app.flows.routes import RouteBook
from infra import clock
from infra.database.pool import Database
from infra.settings import EngineSettings

LANES_PER_CLAIM = 200
FREE_SHARE_TO_CLAIM = 0.25
# With fewer slots free than that share, or too few for what is due, claims come no closer than this.
CLAIM_EVERY_S = 0.02
# Looks one after the other that find nothing before the worker waits: enough for 2,000 connections.
MOST_EMPTY_LOOKS = 8


@dataclass(frozen=True, slots=True)
class Round:
    """Lanes to work on and their events; `looks_on` says that there was more to look at."""

    lanes: tuple[ClaimedLane, ...]
    events: Loading
    looks_on: bool


class Rounds:
    """Takes work for one worker, never more than it has slots for."""

    def __init__(
        self,
        database: Database,
        routes: RouteBook,
        loader: Loader,
        settings: EngineSettings,
        worker: str,
    ) -> None:
        self._database = database
        self._routes = routes
        self._loader = loader
        self._settings = settings
        self._worker = worker
        self._cursor = START
        self._fairness = Fairness(settings.max_in_flight)
        self._holdings = self._fairness.holdings
        self._strain = Strain(settings.max_in_flight)
        self._claimed_at_s = float("-inf")
        self._weighed_at_s = float("-inf")
        self._empty_looks = 0
        # Whether due lanes found no slot: then lanes give theirs back sooner.
        self.is_pressed = False

    def pause_s(self) -> float:
        """Say how long to leave the book alone; 0 when the next round may begin."""
        slots = self._settings.max_in_flight
        free = slots - self._holdings.taken
        if free <= 0:
            return self._settings.poll_s
        # One large claim costs little more than one small one: while more is due than there are slots
        # for, a few that came free are not worth one.
        if free >= slots * FREE_SHARE_TO_CLAIM and not self.is_pressed:
            return 0.0
        return max(0.0, self._claimed_at_s + CLAIM_EVERY_S - clock.monotonic_s())

    async def take(self) -> Round:
        """Take lanes for the free slots; raises PlatformError when the book is away.

        Leases that were taken before a failure end by themselves.
        """
        self._claimed_at_s = clock.monotonic_s()
        self._holdings.quick_slots = self._strain.lanes
        await self._weigh()
        claimed = await claim(
            self._database,
            worker=self._worker,
            lease_s=self._settings.lease_s,
            lanes=min(self._settings.max_in_flight - self._holdings.taken, LANES_PER_CLAIM),
            cursor=self._cursor,
            fairness=self._fairness,
        )
        self._cursor = claimed.cursor
        self._note(claimed)
        parked = await park(await self._paused(claimed.lanes), self._database)
        lanes = tuple(lane for lane in claimed.lanes if lane.key not in parked)
        looks_on = not claimed.is_whole and self._empty_looks < MOST_EMPTY_LOOKS
        return Round(lanes, self._loader.load(lanes), bool(parked) or looks_on)

    async def watch(self) -> None:
        """Find out how much the process keeps up with, until cancelled."""
        await self._strain.watch(lambda: self._holdings.taken)

    def begin(self, lane: ClaimedLane) -> Hand:
        """Take a slot for a lane."""
        return self._holdings.begin((lane.key[0], lane.key[1]), lane.class_)

    def calls(self, hand: Hand) -> None:
        """Note that the first call of a lane begins."""
        self._holdings.calls(hand)

    def called(self, hand: Hand) -> None:
        """Note that a call of a lane ended."""
        self._holdings.called(hand)

    def end(self, hand: Hand) -> None:
        """Give a slot back."""
        self._holdings.end(hand)

    def _note(self, claimed: Claim) -> None:
        self._empty_looks = 0 if claimed.lanes or claimed.is_whole else self._empty_looks + 1
        self.is_pressed = claimed.is_pressed

    async def _weigh(self) -> None:
        if clock.monotonic_s() - self._weighed_at_s >= READ_EVERY_S:
            self._weighed_at_s = clock.monotonic_s()
            self._fairness.weights = await read_weights(self._database)
            self._holdings.forget_the_absent()

    async def _paused(self, lanes: Sequence[ClaimedLane]) -> list[ClaimedLane]:
        """Choose the lanes whose next delivery belongs to a flow that is known to be paused."""
        paused: dict[UUID, frozenset[UUID]] = {}
        for tenant_id in {lane.key[0] for lane in lanes}:
            found = await self._routes.routes(tenant_id)
            paused[tenant_id] = frozenset(
                route.flow_id
                for of_source in found.values()
                for route in of_source
                if route.is_paused
            )
        return [
            lane
            for lane in lanes
            if lane.deliveries and lane.deliveries[0].flow_id in paused[lane.key[0]]
        ]
