"""How exactly prices begin: stores in four zones, each a target of its own with its own log.

Real clocks, one worker as it is run in production. What is measured is the time between the moment
at which a price begins on a store's wall and the moment at which that store wrote down that it was
told; all stores are told at the moment, which is the harder way.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.catalog.http.emulator import Recorder, Target
from infra import clock
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Scene, open_scene
from tests.chaos.judge import percentile
from tests.chaos.world import World
from tests.scenarios.prices import ZONES, Shop, open_shop, price, wall
from tests.stage import MASTER_KEY, Stage, open_stage

# Time for 300 stores to be planned; then zone after zone begins.
BEGINS_AFTER = timedelta(seconds=30)
BETWEEN_ZONES = timedelta(seconds=5)
AT_MOST_S = 300.0
LOOK_EVERY_S = 0.05
NANOSECONDS = 1_000_000_000
LONG_AGO = "2026-01-01T00:00"


@dataclass(slots=True)
class _Chain:
    """All stores: the shop's side, and what each of them writes down."""

    shop: Shop
    logs: list[Target]

    async def until_told(self, count: int) -> None:
        """Wait until every store was told so many prices."""
        async with asyncio.timeout(AT_MOST_S):
            while any(len(log.book.effects) < count for log in self.logs):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)

    def skews_s(self, begins: list[datetime], number: int) -> list[float]:
        """Give for each store how long after its moment it was told its nth price."""
        told = [[each for each in log.book.entries if each.is_effect] for log in self.logs]
        return [
            entries[number - 1].at_ns / NANOSECONDS - begins[store % len(begins)].timestamp()
            for store, entries in enumerate(told)
        ]


async def measure_prices(world: World, stores: int) -> list[Figure]:
    """Measure planned prices zone by zone, and one emergency price for all."""
    mine = replace(world, master_key=MASTER_KEY)
    async with (
        open_scene(mine, "prices") as scene,
        open_stage(scene.database) as stage,
        AsyncExitStack() as servers,
    ):
        chain = await _open_chain(stage, servers, stores)
        await _start_worker(scene)
        planned = await _planned(chain)
        emergency = await _emergency(chain)
        lost = (await stage.ledger(chain.shop.retailer)).unaccounted
    assert lost == 0, "the books do not add up"
    words = f"s after it begins on the wall, {stores} stores in {len(ZONES)} zones"
    return [
        Figure("prices.activation.p50_s", percentile(planned, 0.5), words),
        Figure("prices.activation.worst_s", max(planned), words),
        Figure("prices.activation.earliest_s", min(planned), words),
        Figure(
            "prices.emergency.worst_s", max(emergency), f"s, sent by the ERP to {stores} stores"
        ),
    ]


async def _open_chain(stage: Stage, servers: AsyncExitStack, stores: int) -> _Chain:
    shop, logs = await open_shop(stage), []
    for number in range(stores):
        recorder = await servers.enter_async_context(Recorder(Target()))
        zone = number % len(ZONES)
        await shop.store(str(number), ZONES[zone], recorder.url, scopes=(f"region:{zone}",))
        logs.append(recorder.target)
    return _Chain(shop, logs)


async def _start_worker(scene: Scene) -> None:
    scene.fleet.environment = {**scene.fleet.environment, "EGRESS_ALLOW": "127.0.0.1"}
    await scene.start_worker()


async def _planned(chain: _Chain) -> list[float]:
    first = clock.now() + BEGINS_AFTER
    begins = [first + place * BETWEEN_ZONES for place in range(len(ZONES))]
    regions = [{"kind": "region", "name": str(place)} for place in range(len(ZONES))]
    await chain.shop.prices(
        *(
            price(f"P-{place}", f"{place + 5}.99", wall(begins[place], zone), scope=regions[place])
            for place, zone in enumerate(ZONES)
        )
    )
    await chain.until_told(1)
    return chain.skews_s(begins, 1)


async def _emergency(chain: _Chain) -> list[float]:
    sent_at = clock.now()
    await chain.shop.prices(price("NOW", "4.99", LONG_AGO, priority=9), at=sent_at)
    await chain.until_told(2)
    return chain.skews_s([sent_at], 2)
