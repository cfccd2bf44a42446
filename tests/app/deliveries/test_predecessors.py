"""What waits for another record lets its lane go on, and no wake-up is lost between two workers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from app.deliveries.claim import ClaimedLane, claim
from app.deliveries.decide import Attempted, decide
from app.deliveries.handover import HandOver
from app.deliveries.settle import LaneResult, Priced, Tried, settle
from app.exceptions.recheck.own_causes import OwnCauses
from app.pipeline.prepare import Preparer
from connectors.sdk.outcome import Delivered, NotYet, Outcome
from infra import clock
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage, order_event

LANE = (
    "select greatest(0, round(extract(epoch from ready_at - now()))) as due_s, ready_at, open_count"
    " from lane"
)
QUEUE = (
    "select event.version, delivery.state, delivery.code from delivery"
    " join event on event.id = delivery.event_id where is_open order by seq"
)
RACES = 12


@dataclass
class Lane:
    """One strict lane of one retailer; each version of its order is one delivery."""

    stage: Stage
    retailer: Retailer
    preparer: Preparer

    async def arrive(self, *versions: str) -> None:
        """Let events arrive in their lane."""
        events = [order_event(1, version=version) for version in versions]
        await self.stage.accept(self.retailer, "source", *events)
        await self.preparer.prepare(self.retailer.tenant_id, 100)

    async def take(self) -> ClaimedLane:
        """Lease the lane, due or not."""
        await self.stage.write(self.retailer, "update lane set ready_at = now()")
        taken = await claim(self.stage.database, worker="w", lease_s=30, lanes=100)
        return next(lane for lane in taken.lanes if lane.key[0] == self.retailer.tenant_id)

    async def say(self, lane: ClaimedLane, outcome: Outcome, age_s: float = 1) -> None:
        """Settle an answer for the head of the lane; the rest was not begun."""
        head, rng = lane.deliveries[0], random.Random(1)  # noqa: S311 - repeatable, not secret
        decision = decide(outcome, Attempted(head.attempt, "native", age_s), rng=rng)
        tried = Tried(head, decision, type(outcome).__name__, None, clock.now(), 1, Priced())
        result = LaneResult(lane.key, lane.token, (tried,), lane.deliveries[1:], "w")
        assert await settle([result], self.stage.database) == {(lane.key, lane.token)}

    async def queue(self) -> list[str]:
        """Give the versions that are open, in the order of their lane."""
        rows = await self.stage.rows(self.retailer, QUEUE)
        return [row["version"].rpartition("-")[2] for row in rows]

    async def due_s(self) -> int:
        """Give the seconds until the lane is due."""
        (row,) = await self.stage.rows(self.retailer, LANE)
        return int(row["due_s"])


@pytest_asyncio.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def a_lane(stage: Stage, ordering: str = "strict") -> Lane:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    await stage.flow(retailer, "source", "target", ordering=ordering)
    preparer = Preparer(stage.database, stage.vault, stage.connections, stage.routes, HandOver())
    return Lane(stage, retailer, preparer)


async def test_alone_in_its_lane_it_waits_for_a_minute(stage: Stage) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund")

    await lane.say(await lane.take(), NotYet("o-1", "First the order."))

    assert (await lane.queue(), await lane.due_s()) == (["refund"], 60)
    (wanted,) = await stage.rows(lane.retailer, "select reference, state, tries from wanted_record")
    assert wanted == {"reference": "o-1", "state": "wanted", "tries": 0}


async def test_what_came_after_it_goes_first_at_once(stage: Stage) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund", "order")

    await lane.say(await lane.take(), NotYet("o-1", "First the order."))

    assert (await lane.queue(), await lane.due_s()) == (["order", "refund"], 0)


async def test_what_comes_while_it_waits_wakes_the_lane_and_goes_first(stage: Stage) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund")
    await lane.say(await lane.take(), NotYet("o-1", "First the order."))

    await lane.arrive("order")

    assert await lane.due_s() == 0
    await lane.say(await lane.take(), NotYet("o-1", "First the order."))
    assert (await lane.queue(), await lane.due_s()) == (["order", "refund"], 0)


async def test_what_comes_while_it_is_being_sent_goes_first_at_once(stage: Stage) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund")
    taken = await lane.take()

    await lane.arrive("order")
    await lane.say(taken, NotYet("o-1", "First the order."))

    assert (await lane.queue(), await lane.due_s()) == (["order", "refund"], 0)


async def test_several_that_wait_keep_their_order_and_do_not_overtake_each_other_for_ever(
    stage: Stage,
) -> None:
    lane = await a_lane(stage)
    await lane.arrive("paid", "changed", "refund")
    for _ in range(3):
        await lane.say(await lane.take(), NotYet("o-1", "First the order."))
    assert await lane.due_s() == 60

    await lane.arrive("order")
    await lane.say(await lane.take(), NotYet("o-1", "First the order."))

    assert (await lane.queue(), await lane.due_s()) == (["order", "paid", "changed", "refund"], 0)
    for _ in range(4):
        await lane.say(await lane.take(), Delivered("1"))
    (row,) = await stage.rows(lane.retailer, LANE)
    assert (row["ready_at"], row["open_count"]) == (None, 0)


async def test_one_whose_clock_has_ended_still_lets_others_go_before_it_is_held(
    stage: Stage,
) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund", "order")

    await lane.say(await lane.take(), NotYet("o-1", "First the order."), age_s=90_000)

    assert (await lane.queue(), await lane.due_s()) == (["order", "refund"], 0)
    await lane.say(await lane.take(), Delivered("1"))
    await lane.say(await lane.take(), NotYet("o-1", "First the order."), age_s=90_000)
    (hold,) = await stage.rows(lane.retailer, "select code, error_class from hold")
    assert hold == {"code": "target.predecessor_missing", "error_class": "dependency"}


async def test_what_was_held_for_a_day_goes_on_when_its_order_comes_after_all(stage: Stage) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund")
    await lane.say(await lane.take(), NotYet("o-1", "First the order."), age_s=90_000)
    causes = OwnCauses(stage.database, lambda: None)
    assert [await causes.look(), await causes.look()] == [0, 0]

    await lane.arrive("order")
    released = [await causes.look(), await causes.look()]
    await lane.say(await lane.take(), NotYet("o-1", "First the order."), age_s=90_000)

    assert released == [0, 1]
    assert (await lane.queue(), await lane.due_s()) == (["order", "refund"], 0)
    holds = await stage.rows(lane.retailer, "select state from hold")
    assert holds == [{"state": "released"}]


async def test_a_paused_lane_is_not_woken(stage: Stage) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund")
    await lane.say(await lane.take(), NotYet("o-1", "First the order."))
    await stage.write(lane.retailer, "update lane set ready_at = 'infinity'")

    await lane.arrive("order")

    (row,) = await stage.rows(lane.retailer, "select ready_at = 'infinity' as rests from lane")
    assert row == {"rests": True}


async def test_a_value_of_which_the_latest_wins_never_steps_behind_a_newer_one(
    stage: Stage,
) -> None:
    lane = await a_lane(stage, "latest_wins")
    await lane.arrive("old")
    taken = await lane.take()
    await lane.arrive("new")

    await lane.say(taken, NotYet("o-1", "First the article."))

    assert await lane.queue() == ["old", "new"]


async def test_no_wake_up_is_lost_when_two_workers_meet(stage: Stage) -> None:
    lanes = [await a_lane(stage) for _ in range(RACES)]
    for lane in lanes:
        await lane.arrive("refund")
    taken = [await lane.take() for lane in lanes]
    for lane in lanes:
        await stage.accept(lane.retailer, "source", order_event(1, version="order"))

    for lane, lease in zip(lanes, taken, strict=True):
        await asyncio.gather(
            lane.say(lease, NotYet("o-1", "First the order.")),
            lane.preparer.prepare(lane.retailer.tenant_id, 100),
        )

    assert {await lane.due_s() for lane in lanes} == {0}


@pytest.mark.parametrize(("age_s", "state"), [(10, "found"), (4000, "wanted")])
async def test_a_record_that_was_found_is_asked_for_again_only_after_an_hour(
    stage: Stage, age_s: int, state: str
) -> None:
    lane = await a_lane(stage)
    await lane.arrive("refund")
    await lane.say(await lane.take(), NotYet("o-1", "First the order."))
    await stage.write(
        lane.retailer,
        "update wanted_record set state = 'found', tries = 1,"
        " asked_at = now() - make_interval(secs => $1)",
        float(age_s),
    )

    await lane.say(await lane.take(), NotYet("o-1", "First the order."))

    (wanted,) = await stage.rows(lane.retailer, "select state from wanted_record")
    assert wanted == {"state": state}
