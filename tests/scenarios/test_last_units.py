"""Many buy the same few articles at tills and on channels with quotas; nobody buys what is gone."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from app.retail.inventory.keeper import Keeper
from connectors.catalog.http.emulator.limits import RULES, Limit
from infra.wake import Wake
from tests.benchmarks.oversell.real.told import order, ticket
from tests.scenarios.channels import Shelf, open_shelf, publishing
from tests.scenarios.patience import until
from tests.stage import Stage

SKUS = tuple(f"SKU-{number:02}" for number in range(12))
CHANNELS = ("web", "amazon", "walmart")


async def test_after_each_rush_every_channel_shows_the_promise_and_sells_no_more_than_it(
    stage: Stage,
) -> None:
    """Tills and channels sell to the last unit, within the quotas, in any order."""
    drawn = random.Random(20261127)  # noqa: S311 - repeatable
    left = {sku: drawn.randrange(1, 9) for sku in SKUS}
    limits: dict[str, dict[str, Any]] = {
        name: {"limit": Limit(RULES["amazon"]), "budget": _QUOTA} for name in CHANNELS[1:]
    }
    oversold: list[str] = []
    number = 0
    async with open_shelf(stage, web={}, **limits) as shelf, _working(shelf):
        for name in CHANNELS:
            await shelf.rule(name, pool=["1"], location="1")
        await stage.connect(shelf.retailer, "till", "http")
        await stage.accept(shelf.retailer, "till", *[_count(sku, left[sku]) for sku in SKUS])
        await _in_step(shelf, left)
        for _ in range(5):
            # Tills first: what they take must be gone everywhere before the next customers come.
            for sku in drawn.choices(SKUS, k=8):
                number += 1
                if left[sku] > 0:
                    left[sku] -= 1
                    told = ticket(number, sku, time.time_ns())
                    await stage.accept(shelf.retailer, "till", told)
            await _in_step(shelf, left)
            for name, sku in zip(CHANNELS, drawn.sample(SKUS, 3), strict=True):
                number += 1
                if shelf.channels[name].buy(sku, f"{name}-{number}"):
                    left[sku] -= 1
                    oversold += [sku] if left[sku] < 0 else []
                    told = order(name, number, sku, time.time_ns())
                    await stage.accept(shelf.retailer, name, told)
            await _in_step(shelf, left)

    kinds = Counter(line.kind for each in shelf.channels.values() for line in each.log.lines)
    assert oversold == []
    assert [each.shown for each in shelf.channels.values()] == [left, left, left]
    assert 0 in left.values()
    assert (kinds["throttled"], kinds["old"]) == (0, 0)
    assert all(max(each.book.effects.values()) == 1 for each in shelf.channels.values())


@asynccontextmanager
async def _working(shelf: Shelf) -> AsyncIterator[None]:
    """Do everything that a worker does about stock, in this process, until the block ends."""
    stage = shelf.stage
    keeper = Keeper(stage.database, Wake(), Wake(), 0.02)
    async with stage.engine(), publishing(stage), asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(keeper.run())
        try:
            yield
        finally:
            keeping.cancel()


async def _in_step(shelf: Shelf, left: dict[str, int]) -> None:
    """Wait until every channel itself shows what is left, and the book says so."""

    async def shows() -> bool:
        return all(each.shown == left for each in shelf.channels.values())

    await until(shows, "every channel shows what is left")
    await shelf.stage.settled(shelf.retailer)
    await shelf.converged()


def _count(sku: str, units: int) -> dict[str, Any]:
    moment = datetime.now(UTC).isoformat()
    data = {
        "count_id": "opening",
        "sku": sku,
        "location": "1",
        "quantity": str(units),
        "as_of": moment,
    }
    return {
        "specversion": "1.0",
        "id": f"opening-{sku}",
        "source": "till",
        "type": "retail.stock.count.v1",
        "time": moment,
        "data": data,
    }


_QUOTA = {"rate_per_s": 5, "burst": 10}
