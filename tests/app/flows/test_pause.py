"""A paused flow accepts and sends nothing, costs nothing, burns nothing, and goes on in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from app.connections.pause import pause_connection, resume_connection
from app.deliveries.claim import ClaimedLane, claim
from app.deliveries.handover import HandOver
from app.deliveries.park import park
from app.deliveries.sweep import sweep_lanes
from app.flows.pause import pause_flow, resume_flow
from app.pipeline.prepare import Preparer
from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from infra.database.unit import begin
from infra.errors import Conflict, NotFound
from infra.ids import Id, new_id
from tests.stage import Retailer, Stage, open_stage, order_event

PARKED = "select count(*) from lane where ready_at = 'infinity'"
DELIVERIES = "select state, attempt_count, crash_count from delivery order by accepted_at, seq"


@dataclass(slots=True)
class Shop:
    """A retailer whose orders go to one target, and a worker that can be led by the hand."""

    stage: Stage
    retailer: Retailer
    flow: Id
    recorder: Recorder

    async def pause(self) -> None:
        async with begin(self.retailer.scope, self.stage.database) as session:
            assert await pause_flow(session, self.flow, "Stock count until Monday.")
        self.stage.routes.forget(self.retailer.tenant_id)

    async def resume(self) -> None:
        async with begin(self.retailer.scope, self.stage.database) as session:
            assert await resume_flow(session, self.flow, "Counted.")
        self.stage.routes.forget(self.retailer.tenant_id)

    async def order(self, *numbers: int) -> None:
        """Accept and prepare orders, one key each."""
        await self.stage.accept(self.retailer, "source", *map(order_event, numbers))
        stage = self.stage
        preparer = Preparer(
            stage.database, stage.vault, stage.connections, stage.routes, HandOver()
        )
        await preparer.prepare(self.retailer.tenant_id, 100)

    async def claimed(self) -> tuple[ClaimedLane, ...]:
        return (await claim(self.stage.database, worker="w", lease_s=30, lanes=100)).lanes

    async def value(self, sql: str) -> object:
        (row,) = await self.stage.rows(self.retailer, sql)
        return next(iter(row.values()))

    def told(self) -> list[str]:
        return [entry.lane for entry in self.recorder.target.book.entries]


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    async with Recorder() as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        flow = await stage.flow(retailer, "source", "target")
        yield Shop(stage, retailer, flow, recorder)


async def test_a_paused_flow_keeps_what_comes_and_sends_it_in_order_when_it_goes_on(
    shop: Shop,
) -> None:
    await shop.pause()
    async with shop.stage.engine():
        for number in range(5):
            await shop.stage.accept(shop.retailer, "source", order_event(number))
        await shop.stage.until(shop.retailer, PARKED, 5)
        while_paused = await shop.stage.rows(shop.retailer, DELIVERIES)
        told_while_paused = shop.told()
    await shop.resume()
    order = await shop.stage.rows(shop.retailer, "select label from lane order by ready_at")
    async with shop.stage.engine():
        await shop.stage.settled(shop.retailer)

    assert while_paused == [{"state": "ready", "attempt_count": 0, "crash_count": 0}] * 5
    assert told_while_paused == []
    assert [row["label"] for row in order] == [f"order:o-{number}" for number in range(5)]
    assert sorted(shop.told()) == [f"order:o-{number}" for number in range(5)]
    done = await shop.stage.rows(shop.retailer, DELIVERIES)
    assert {(row["state"], row["attempt_count"]) for row in done} == {("delivered", 1)}
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_parked_lanes_are_not_claimed_not_stranded_and_not_late(shop: Shop) -> None:
    await shop.pause()
    await shop.order(1, 2, 3)
    await park(await shop.claimed(), shop.stage.database)

    again = await shop.claimed()
    stranded = await sweep_lanes(shop.stage.database)

    assert again == ()
    assert stranded == 0
    assert await shop.value(PARKED) == 3


async def test_other_flows_to_the_same_target_go_on(shop: Shop) -> None:
    await shop.stage.flow(shop.retailer, "source", "target", types=("retail.order.cancelled.v1",))
    await shop.pause()
    await shop.order(1)
    await park(await shop.claimed(), shop.stage.database)

    async with begin(shop.retailer.scope, shop.stage.database) as session:
        other = next(each for each in shop.retailer.flows.values() if each != shop.flow)
        assert await pause_flow(session, other, "Both.")
        assert await resume_flow(session, other, "Only this one.")

    assert await shop.value(PARKED) == 1


async def test_a_worker_that_knows_of_a_pause_that_is_over_parks_nothing(shop: Shop) -> None:
    await shop.pause()
    await shop.order(1)
    lanes = await shop.claimed()
    await shop.resume()

    parked = await park(lanes, shop.stage.database)

    assert parked == frozenset()
    assert await shop.value(PARKED) == 0


async def test_resuming_waits_for_a_worker_that_is_parking_and_wakes_what_it_parked(
    shop: Shop, database: Database
) -> None:
    """Two real connections in the worst order: the worker reads the pause before it ends."""
    await shop.pause()
    await shop.order(1, 2)
    lanes = await shop.claimed()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(20):
            await shop.stage.write(
                shop.retailer, "update lane set ready_at = now() where ready_at = 'infinity'"
            )
            lanes = await shop.claimed() or lanes
            parking = tasks.create_task(park(lanes, database))
            resuming = tasks.create_task(shop.resume())
            await asyncio.wait({parking, resuming})
            assert await shop.value(PARKED) == 0
            await shop.pause()


async def test_a_lane_that_another_worker_took_over_is_not_parked(shop: Shop) -> None:
    await shop.pause()
    await shop.order(1)
    old = await shop.claimed()
    await shop.stage.write(shop.retailer, "update lane set ready_at = now()")
    new = await shop.claimed()

    await park(old, shop.stage.database)

    assert len(new) == 1
    assert await shop.value(PARKED) == 0
    assert await shop.value("select state from delivery") == "delivering"


async def test_the_sweep_wakes_lanes_that_are_parked_although_nothing_is_paused(
    shop: Shop,
) -> None:
    await shop.order(1)
    await shop.stage.write(shop.retailer, "update lane set ready_at = 'infinity'")

    found = await sweep_lanes(shop.stage.database)

    assert found == 1
    assert len(await shop.claimed()) == 1


async def test_a_pause_is_audited_noted_as_a_change_and_harmless_twice(shop: Shop) -> None:
    await shop.pause()
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        again = await pause_flow(session, shop.flow, "Again.")
    await shop.resume()

    assert again is False
    audit = await shop.stage.rows(
        shop.retailer, "select action from audit where action like 'flows.%' order by seq"
    )
    changes = await shop.stage.rows(shop.retailer, "select words from change order by id")
    assert [row["action"] for row in audit] == ["flows.pause_flow", "flows.resume_flow"]
    assert [row["words"] for row in changes] == [
        "The flow source to target 0 was paused: Stock count until Monday.",
        "The flow source to target 0 was resumed: Counted.",
    ]


async def test_a_flow_of_nobody_cannot_be_paused(shop: Shop) -> None:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        with pytest.raises(NotFound):
            await pause_flow(session, new_id(), "No.")


async def test_a_paused_connection_is_not_called_and_its_pause_is_an_outage(shop: Shop) -> None:
    target = shop.retailer.connections["target"]
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        changed = await pause_connection(session, target, "The ERP moves.")
        twice = await pause_connection(session, target, "The ERP moves.")
    await shop.order(1, 2)
    taken_while_paused = await shop.claimed()
    stranded = await sweep_lanes(shop.stage.database)
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        assert await resume_connection(session, target, "It has moved.")
    async with shop.stage.engine():
        await shop.stage.settled(shop.retailer)

    assert (changed, twice, taken_while_paused, stranded) == (True, False, (), 0)
    assert sorted(shop.told()) == ["order:o-1", "order:o-2"]
    outages = await shop.stage.rows(
        shop.retailer,
        "select kind, reason, ended_at > began_at as has_ended from connection_outage",
    )
    assert outages == [{"kind": "paused", "reason": "The ERP moves.", "has_ended": True}]


async def test_a_connection_that_is_switched_off_can_be_neither_paused_nor_resumed(
    shop: Shop,
) -> None:
    target = shop.retailer.connections["target"]
    await shop.stage.write(shop.retailer, "update connection set state = 'disabled'")

    for act in (pause_connection, resume_connection):
        async with begin(shop.retailer.scope, shop.stage.database) as session:
            with pytest.raises(Conflict) as refused:
                await act(session, target, "No.")
        assert refused.value.code == "connection.disabled"
