"""Vendors' limits as their emulators judge: few refusals, nearly all of the rate; patience as asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from connectors.catalog.http.emulator import Recorder, Target
from connectors.catalog.http.emulator.limits import RULES, Limit
from connectors.catalog.http.emulator.target import Reply
from connectors.sdk.budget import BudgetReport, report_in
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage, order_event

BUDGET = "select rate_per_s, burst, refused, calls, parallel, paused_until from budget"


@pytest_asyncio.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def a_shop(stage: Stage, url: str, **settings: object) -> Retailer:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url=url, **settings)
    await stage.give_secret(retailer, "target", ["signing_secret"])
    await stage.flow(retailer, "source", "target")
    return retailer


async def test_a_rate_that_the_vendor_states_is_learned_from_its_first_answers(
    stage: Stage,
) -> None:
    rule = replace(RULES["amazon"], rate_per_s=50.0, burst=40.0)
    target = Target(limit=Limit(rule))
    async with Recorder(target) as recorder, stage.engine():
        shop = await a_shop(stage, recorder.url)
        await stage.accept(shop, "source", *[order_event(each) for each in range(200)])
        await stage.settled(shop)
        (row,) = await stage.rows(shop, BUDGET)

    assert row["rate_per_s"] == 50
    assert len(target.book.effects) == 200
    # The rate is told, the size of the bucket is not: that one is found by being refused.
    assert target.book.counts["429"] <= 50


async def test_a_plan_that_is_entered_is_kept_by_two_workers_together(stage: Stage) -> None:
    rule = replace(RULES["shopify"], rate_per_s=40.0, burst=40.0)
    target = Target(limit=Limit(rule))
    budget = {"rate_per_s": 40, "burst": 40}
    async with Recorder(target) as recorder, stage.engine(), stage.engine():
        shop = await a_shop(stage, recorder.url, budget=budget)
        await stage.accept(shop, "source", *[order_event(each) for each in range(200)])
        await stage.settled(shop)
        (row,) = await stage.rows(shop, BUDGET)
    took_s = (target.book.entries[-1].at_ns - target.book.entries[0].at_ns) / 1e9

    assert len(target.book.effects) == 200
    assert target.book.counts["429"] <= 2
    # Never more than rate and burst; the slowest allowed is generous, for a busy machine.
    assert 40 + 40 * took_s + 1 >= 200
    assert took_s < 30
    assert row["refused"] == target.book.counts["429"]


@pytest.mark.parametrize(
    ("said", "least_s", "most_s"),
    [
        ("0", 0, 3), ("7", 5, 8), ("soon", 0, 3), ("-1", 0, 3), ("1e9", 0, 3),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3500, 3601), ("315360000", 3500, 3601),
        ("Fri, 01 Jan 1999 00:00:00 GMT", 0, 3),
    ],
)  # fmt: skip
async def test_a_target_is_left_alone_as_long_as_it_asks_between_a_second_and_an_hour(
    stage: Stage, said: str, least_s: float, most_s: float
) -> None:
    class Busy(Target):
        __slots__ = ()

        def take(self, headers: dict[str, str], body: bytes) -> Reply:
            self.book.counts["429"] += 1
            return Reply(429, b"{}", headers=(("Retry-After", said),))

    async with Recorder(Busy()) as recorder, stage.engine(retry_scale=1.0):
        shop = await a_shop(stage, recorder.url)
        await stage.accept(shop, "source", order_event(1))
        await stage.until(shop, "select count(*) from attempt", 1)
        await stage.until(shop, "select coalesce(sum(refused), 0)::int from budget", 1)
        (row,) = await stage.rows(
            shop,
            "select greatest(0, coalesce(extract(epoch from paused_until - clock_timestamp()), 0))"
            " ::float8 as paused_s from budget",
        )

    assert least_s <= row["paused_s"] <= most_s


@pytest.mark.parametrize(
    ("headers", "report"),
    [
        ({"x-amzn-ratelimit-limit": "0.5"}, BudgetReport(rate_per_s=0.5)),
        ({"x-amzn-ratelimit-limit": "lots"}, BudgetReport()),
        (
            {
                "ratelimit-policy": '"day";q=1000;w=86400, "m";q=60;w=60',
                "ratelimit": '"m";r=3;t=20',
            },
            BudgetReport(rate_per_s=1.0, burst=60, remaining=3),
        ),
        (
            {"ratelimit-policy": '"m";q=60;w=60', "ratelimit": '"m";r=0;t=20'},
            BudgetReport(rate_per_s=1.0, burst=60, remaining=0, empty_for_s=20),
        ),
        ({"ratelimit": "nonsense"}, BudgetReport()),
        ({"x-current-token-count": "12"}, BudgetReport(remaining=12)),
        (
            {
                "x-current-token-count": "0",
                "x-next-replenishment-time": "1795176005000",
                "date": "Fri, 20 Nov 2026 12:00:00 GMT",
            },
            BudgetReport(remaining=0, empty_for_s=5),
        ),
        ({"x-shopify-shop-api-call-limit": "32/40"}, BudgetReport(burst=40, remaining=8)),
        ({"x-shopify-shop-api-call-limit": "32/x"}, None),
        ({}, None),
    ],
)
def test_limits_are_read_as_each_vendor_writes_them(
    headers: dict[str, str], report: BudgetReport | None
) -> None:
    assert report_in(headers) == report


async def test_two_connections_with_one_credential_share_one_budget(stage: Stage) -> None:
    target = Target()
    async with Recorder(target) as recorder, stage.engine():
        shop = await a_shop(stage, recorder.url)
        await stage.connect(shop, "second", "http", base_url=recorder.url)
        await stage.give_secret(shop, "second", ["signing_secret"])
        await stage.flow(shop, "source", "second")
        await stage.accept(shop, "source", order_event(1))
        await stage.settled(shop)
        await asyncio.sleep(0)
        rows = await stage.rows(shop, BUDGET)

    assert len(target.book.effects) == 2
    assert len(rows) == 1
