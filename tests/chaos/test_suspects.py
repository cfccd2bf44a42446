"""Workers are killed often, and only a record that was being sent alone each time is set aside.

Found by two hundred kills in four minutes: 172 innocent deliveries were held as killers of workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from app.deliveries.claim import CRASHES_BEFORE_HOLD, Claim, claim
from app.deliveries.handover import HandOver
from app.deliveries.suspect import acquit, blame_if_we_die
from app.pipeline.prepare import Preparer
from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage, order_event

Scene = tuple[Stage, Retailer, Recorder]
LEASE_S = 0.05


@pytest_asyncio.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    """A retailer with orders of three keys that wait to be sent to a recording target."""
    async with Recorder() as target, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=target.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        events = [order_event(n, version=str(v)) for v in range(3) for n in range(3)]
        await stage.accept(retailer, "source", *events)
        preparer = Preparer(
            stage.database, stage.vault, stage.connections, stage.routes, HandOver()
        )
        await preparer.prepare(retailer.tenant_id, 100)
        yield stage, retailer, target


async def test_workers_that_died_again_and_again_while_holding_deliveries_blame_none_of_them(
    scene: Scene,
) -> None:
    stage, retailer, target = scene

    for _ in range(6):
        await _claimed(stage, lanes=3)
    async with stage.engine():
        await stage.settled(retailer)

    assert await _states(stage, retailer) == {"delivered": 9}
    assert len(target.target.book.effects) == 9


async def test_a_record_that_was_being_sent_each_time_a_worker_died_is_set_aside_alone(
    scene: Scene,
) -> None:
    stage, retailer, _ = scene
    first = (await _claimed(stage, lanes=3)).lanes
    killer = first[0].deliveries[0]

    for _ in range(CRASHES_BEFORE_HOLD - 1):
        await _claimed(stage, lanes=3)
        await blame_if_we_die(killer, stage.database)
    async with stage.engine():
        await stage.rests(retailer)

    # Those behind it in its lane wait for a person's decision; the other lanes go on.
    states = await _states(stage, retailer)
    assert states["delivered"] == 6
    assert states["heldworker.crashed"] == 1
    held = await stage.rows(retailer, "select id from delivery where state = 'held'")
    assert [row["id"] for row in held] == [killer.id]


async def test_a_suspect_that_came_back_is_not_blamed_although_its_result_was_never_written(
    scene: Scene,
) -> None:
    """Found by a record that blocks its worker: the one sent before it was blamed each time."""
    stage, retailer, target = scene
    before_killer = (await _claimed(stage, lanes=3)).lanes[0].deliveries[0]

    for _ in range(CRASHES_BEFORE_HOLD + 1):
        taken = await _claimed(stage, lanes=3)
        suspect = next(
            delivery
            for lane in taken.lanes
            for delivery in lane.deliveries
            if delivery.id == before_killer.id
        )
        await blame_if_we_die(suspect, stage.database)
        await acquit(suspect, stage.database)
    async with stage.engine():
        await stage.settled(retailer)

    assert await _states(stage, retailer) == {"delivered": 9}
    assert len(target.target.book.effects) == 9


async def test_a_frozen_worker_that_comes_back_takes_back_its_own_blame_alone(scene: Scene) -> None:
    stage, retailer, _ = scene
    ours = (await _claimed(stage, lanes=3)).lanes[0].deliveries[0]
    await blame_if_we_die(ours, stage.database)
    await _claimed(stage, lanes=3)
    await blame_if_we_die(ours, stage.database)

    await acquit(ours, stage.database)

    counts = await stage.rows(retailer, "select crash_count from delivery where id = $1", ours.id)
    assert counts == [{"crash_count": 2}]  # one for being near, one by the other worker


async def _claimed(stage: Stage, lanes: int) -> Claim:
    """Claim as a worker would that dies right after, once the lease of the last one has ended."""
    async with asyncio.timeout(10):
        while True:
            taken = await claim(stage.database, worker="dies", lease_s=LEASE_S, lanes=lanes)
            if len(taken.lanes) == lanes:
                return taken
            await asyncio.sleep(LEASE_S)


async def _states(stage: Stage, retailer: Retailer) -> dict[str, int]:
    rows = await stage.rows(
        retailer, "select state || code as state, count(*) as count from delivery group by 1"
    )
    return {row["state"]: row["count"] for row in rows}
