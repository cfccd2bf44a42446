"""The book goes away while work is in hand: workers live on, nothing is set aside, nothing sent twice.

Each of these was found by killing PostgreSQL under load.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from connectors.catalog.http.emulator import Faults, Recorder
from infra.database.pool import open_database
from tests.chaos.severed import Line
from tests.stage import Retailer, Stage, open_stage, order_event

Set = tuple[Stage, Retailer, Line, Recorder]


@pytest_asyncio.fixture
async def scene(database_urls: tuple[str, str]) -> AsyncIterator[Set]:
    """A retailer whose orders go to a recording target, and a line to the book that can be cut."""
    async with Line(database_urls[1]) as line, Recorder() as target:
        database = await open_database(line.url, size=6)
        async with open_stage(database) as stage:
            retailer = await stage.retailer()
            await stage.connect(retailer, "source", "http")
            await stage.connect(retailer, "target", "http", base_url=target.url)
            await stage.give_secret(retailer, "target", ["signing_secret"])
            await stage.flow(retailer, "source", "target")
            yield stage, retailer, line, target
        await database.close()


async def test_what_was_sent_while_the_book_was_away_is_settled_and_not_sent_again(
    scene: Set,
) -> None:
    stage, retailer, line, target = scene
    target.target.faults = Faults(delay_ms=400)
    await stage.accept(retailer, "source", *[order_event(number) for number in range(4)])

    async with stage.engine():
        await _until(lambda: target.target.book.request_count == 4)
        line.cut()
        await _until(lambda: sum(target.target.book.effects.values()) == 4)
        await asyncio.sleep(0.8)
        await line.mend()
        await stage.settled(retailer)

    assert target.target.book.request_count == 4
    assert await _states(stage, retailer) == {"delivered": 4}


async def test_orders_that_wait_while_the_book_is_away_are_not_set_aside(scene: Set) -> None:
    stage, retailer, line, target = scene
    target.target.faults = Faults(delay_ms=1_200)
    versions = [order_event(1, version=str(number)) for number in range(4)]
    await stage.accept(retailer, "source", *versions)

    # Longer than configuration is remembered: the second order of the lane meets a book that is away.
    async with stage.engine(lease_s=30.0, call_deadline_s=5.0):
        await _until(lambda: target.target.book.request_count == 1)
        line.cut()
        await asyncio.sleep(3.0)
        await line.mend()
        await stage.settled(retailer, at_most_s=60)

    assert await _states(stage, retailer) == {"delivered": 4}
    assert [entry.version for entry in target.target.book.entries if entry.is_effect] == [
        f"o-1-{number}" for number in range(4)
    ]


async def _until(is_reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_reached():  # noqa: ASYNC110 - the target answers in its own time
            await asyncio.sleep(0.01)


async def _states(stage: Stage, retailer: Retailer) -> dict[str, int]:
    rows = await stage.rows(
        retailer, "select state || code as state, count(*) as count from delivery group by 1"
    )
    return {row["state"]: row["count"] for row in rows}
