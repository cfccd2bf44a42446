"""Many retailers on one running engine: who is told first, and what a loud one cannot take away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio

from connectors.catalog.http.emulator import Faults, Recorder, Target
from infra.database.pool import Database
from infra.ids import Id
from tests.stage import Retailer, Stage, open_stage, order_event

SLOTS = 16


@dataclass(slots=True)
class Street:
    """Retailers by name, each with a target of its own."""

    stage: Stage
    exits: AsyncExitStack
    retailers: dict[str, Retailer] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)

    async def open(self, name: str, *, class_: int = 0, delay_s: float = 0) -> Id:
        target = Target(faults=Faults(delay_ms=delay_s * 1000))
        recorder = await self.exits.enter_async_context(Recorder(target))
        retailer = await self.stage.retailer()
        await self.stage.connect(retailer, "source", "http")
        await self.stage.connect(retailer, "target", "http", base_url=recorder.url)
        await self.stage.give_secret(retailer, "target", ["signing_secret"])
        self.retailers[name], self.targets[name] = retailer, target
        return await self.stage.flow(retailer, "source", "target", class_=class_)

    async def order(self, name: str, *events: dict[str, Any]) -> None:
        await self.stage.accept(self.retailers[name], "source", *events)

    def told(self, name: str) -> list[str]:
        return [entry.lane for entry in self.targets[name].book.entries]


@pytest_asyncio.fixture
async def street(database: Database) -> AsyncIterator[Street]:
    async with AsyncExitStack() as exits, open_stage(database) as stage:
        yield Street(stage, exits)


async def test_quiet_retailers_are_served_while_a_loud_ones_slow_target_keeps_its_lanes(
    street: Street,
) -> None:
    await street.open("loud", delay_s=1.0)
    await street.open("quiet")
    await street.order("loud", *(order_event(n) for n in range(100)))

    async with street.stage.engine(max_in_flight=SLOTS):
        await street.stage.until(
            street.retailers["loud"], "select count(*) > 0 from lane where holder is not null", True
        )
        for number in range(3):
            await street.order("quiet", order_event(number))
            await street.stage.settled(street.retailers["quiet"])
        waiting = await street.stage.rows(
            street.retailers["loud"],
            "select count(*) filter (where open_count > 0) as open from lane",
        )

    assert street.told("quiet") == ["order:o-0", "order:o-1", "order:o-2"]
    assert waiting[0]["open"] > SLOTS


async def test_orders_are_told_before_the_bulk_that_waited_before_them(street: Street) -> None:
    """The same retailer, the same system: 400 of bulk wait, one of them in each lane."""
    await street.open("shop", class_=3)
    retailer = street.retailers["shop"]
    await street.order("shop", *(order_event(n) for n in range(400)))
    async with street.stage.engine(max_in_flight=SLOTS):
        await street.stage.until(
            retailer, "select count(*) >= 20 from delivery where state = 'delivered'", True
        )
        await street.stage.write(retailer, "update flow set class = 0")
        street.stage.routes.forget(retailer.tenant_id)
        await street.order("shop", *(order_event(n) for n in range(1000, 1010)))
        await street.stage.settled(retailer)

    told = street.told("shop")
    orders = {f"order:o-{number}" for number in range(1000, 1010)}
    last_order = max(place for place, lane in enumerate(told) if lane in orders)
    assert len(told) == 410
    assert len(told) - 1 - last_order > 40


async def test_a_flood_on_one_key_keeps_its_order_and_lets_other_keys_pass(
    street: Street,
) -> None:
    await street.open("shop")
    flood = [order_event(1, version=str(n)) for n in range(200)]
    await street.order("shop", *flood, order_event(2))

    async with street.stage.engine(max_in_flight=SLOTS):
        await street.stage.settled(street.retailers["shop"])

    entries = street.targets["shop"].book.entries
    told = [entry.version for entry in entries if entry.lane == "order:o-1"]
    assert told == [each["id"] for each in flood]
    assert [entry.lane for entry in entries].index("order:o-2") < 100
