"""A target goes down and comes back: few calls are lost on it, and its backlog goes out by itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest_asyncio

from connectors.catalog.http.emulator import Faults, Recorder, Target
from connectors.catalog.http.emulator.target import Reply
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage, order_event

CYCLES = 3
# What is asked: the breaker opens within so many attempts.
ATTEMPTS_TO_OPEN = 20
STATE = "select coalesce(max(state), 'closed') from connection_health"
PROBE_NOW = "update connection_health set closed_until = now()"
OUTAGES = "select count(*) from connection_outage where kind = 'open' and ended_at is {} null"


@pytest_asyncio.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


@dataclass(slots=True)
class ForOne(Target):
    """A target that is down for the orders of one shop, and works for all others."""

    down: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        if self.down and self.down.encode() in body:
            self.book.counts["down"] += 1
            return Reply(503, b"{}")
        return Target.take(self, headers, body)


@asynccontextmanager
async def a_shop(stage: Stage, target: Recorder) -> AsyncIterator[Retailer]:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url=target.url)
    await stage.give_secret(retailer, "target", ["signing_secret"])
    await stage.flow(retailer, "source", "target")
    yield retailer


async def test_a_flapping_target_is_left_alone_at_once_and_drained_when_it_is_back(
    stage: Stage,
) -> None:
    number = 0
    async with Recorder() as target, a_shop(stage, target) as shop, stage.engine():
        book = target.target.book
        for cycle in range(1, CYCLES + 1):
            orders = [order_event(number + each) for each in range(40)]
            number += 40
            await stage.accept(shop, "source", *orders)
            await stage.settled(shop)

            target.target.faults = Faults(unavailable=1.0)
            before = book.request_count
            await stage.accept(shop, "source", *[order_event(number + each) for each in range(60)])
            number += 60
            await stage.until(shop, STATE, "open")
            await stage.until(shop, "select count(*) from delivery where state = 'delivering'", 0)
            to_open = book.request_count - before

            before = book.request_count
            await stage.write(shop, PROBE_NOW)
            await stage.until(shop, "select max(probe_s) from connection_health", 30.0)
            to_probe = book.request_count - before

            target.target.faults = Faults()
            await stage.write(shop, PROBE_NOW)
            await stage.until(shop, STATE, "closed")
            await stage.settled(shop)

            assert (to_open <= ATTEMPTS_TO_OPEN, to_probe) == (True, 1), to_open
            assert len(book.effects) == number
            await stage.until(shop, OUTAGES.format("not"), cycle)
            await stage.until(shop, OUTAGES.format(""), 0)
        (most,) = await stage.rows(shop, "select max(attempt_count) as tries from delivery")

    assert set(book.effects.values()) == {1}
    assert most["tries"] <= 1 + CYCLES


async def test_a_shop_whose_account_is_down_does_not_stop_another_on_the_same_host(
    stage: Stage,
) -> None:
    target = ForOne(down="o-1")
    async with (
        Recorder(target) as recorder,
        stage.engine(),
        a_shop(stage, recorder) as down,
        a_shop(stage, recorder) as works,
    ):
        await stage.accept(down, "source", *[order_event(1000 + each) for each in range(40)])
        await stage.until(down, STATE, "open")
        await stage.accept(works, "source", *[order_event(2000 + each) for each in range(40)])
        await stage.settled(works)

        (health,) = await stage.rows(down, "select state from connection_health")
        others = await stage.rows(works, "select state from connection_health")

    assert health["state"] == "open"
    assert [row["state"] for row in others] in ([], ["closed"])
    assert target.book.counts["down"] <= ATTEMPTS_TO_OPEN


async def test_what_waited_goes_out_in_the_order_of_its_age(stage: Stage) -> None:
    down = Target(faults=Faults(unavailable=1.0))
    async with (
        Recorder(down) as target,
        a_shop(stage, target) as shop,
        stage.engine(max_in_flight=4),
    ):
        for each in range(30):
            await stage.accept(shop, "source", order_event(each))
        await stage.until(shop, STATE, "open")
        down.faults = Faults()
        await stage.write(shop, PROBE_NOW)
        await stage.settled(shop)
    done = [int(e.lane.rpartition("-")[2]) for e in down.book.entries if e.is_effect]

    assert len(done) == 30
    # All but those in hand when it came back (four, and four of the claim before them that a busy
    # machine puts back late): waiting for their own last retries would leave chance, about ten.
    assert len(longest_rise(done)) >= 30 - 12


def longest_rise(numbers: list[int]) -> list[int]:
    """Give the lasts of the longest rising runs by length (patience sorting)."""
    lasts: list[int] = []
    for number in numbers:
        place = bisect_left(lasts, number)
        lasts[place : place + 1] = [number]
    return lasts
