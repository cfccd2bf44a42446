"""A target connection that is incomplete, paused or switched off costs no attempt of any record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from pydantic import SecretStr

from app.connections.configure import WantedConnection, ensure_connection
from app.connections.secrets import put_secret
from app.deliveries.claim import claim
from app.deliveries.look import START
from app.deliveries.settle import LaneResult, settle
from connectors.catalog.http.emulator import Recorder, Target
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from tests.stage import SECRET, Retailer, Stage, open_stage, order_event

DELIVERY = "select state, code, attempt_count from delivery order by id"


@dataclass(slots=True)
class Shop:
    """A retailer whose orders go to one target."""

    stage: Stage
    retailer: Retailer
    target: Target
    url: str

    def effects(self) -> int:
        return sum(self.target.book.effects.values())

    async def connect(self, **settings: Any) -> None:
        await self.stage.connect(self.retailer, "source", "http")
        await self.stage.connect(self.retailer, "target", "http", **settings)
        await self.stage.flow(self.retailer, "source", "target")

    async def change(self, state: str = "active", **settings: Any) -> None:
        """Configure the target anew, as its owner does."""
        wanted = WantedConnection(
            "target",
            "http",
            settings=settings,
            state=state,  # type: ignore[arg-type]
            new_credentials=frozenset({"signing_secret"}),
        )
        key = await self.stage.vault.current(self.retailer.tenant_id)
        async with begin(self.retailer.scope, self.stage.database) as session:
            target, _ = await ensure_connection(session, wanted)
            await put_secret(session, key, target, "signing_secret", SecretStr(SECRET))

    async def is_delivered(self) -> None:
        """Wait for less time than the hourly look would take on this stage."""
        await self.stage.until(
            self.retailer, "select string_agg(state, ',') from delivery", "delivered", at_most_s=8
        )

    async def stops_with(self, code: str) -> None:
        """Wait until the connection is known to lack something, and the record to wait for it."""
        await self.stage.until(
            self.retailer,
            "select string_agg(d.code || '/' || h.state, ',') from delivery d"
            " join connection_health h using (connection_id) where d.state = 'waiting'",
            f"{code}/authorization_lost",
        )


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    target = Target()
    async with Recorder(target) as recorder, open_stage(database) as stage:
        yield Shop(stage, await stage.retailer(), target, recorder.url)


async def test_a_missing_credential_costs_no_attempt_and_is_used_as_soon_as_it_is_given(
    shop: Shop,
) -> None:
    await shop.connect(base_url=shop.url)
    await shop.stage.accept(shop.retailer, "source", order_event(1))

    async with shop.stage.engine():
        await shop.stops_with("connection.credentials_missing")
        (waiting,) = await shop.stage.rows(shop.retailer, DELIVERY)
        await shop.stage.give_secret(shop.retailer, "target", ["signing_secret"])
        await shop.is_delivered()

    assert waiting["attempt_count"] == 0
    assert shop.effects() == 1


async def test_a_missing_address_costs_no_attempt_and_is_used_as_soon_as_it_is_given(
    shop: Shop,
) -> None:
    await shop.connect()
    await shop.stage.accept(shop.retailer, "source", order_event(1))

    async with shop.stage.engine():
        await shop.stops_with("connection.base_url_missing")
        (waiting,) = await shop.stage.rows(shop.retailer, DELIVERY)
        await shop.change(base_url=shop.url)
        await shop.is_delivered()

    assert waiting["attempt_count"] == 0
    assert shop.effects() == 1


async def test_a_paused_connection_keeps_its_records_ready_and_sends_them_when_it_goes_on(
    shop: Shop,
) -> None:
    await shop.connect(base_url=shop.url)
    await shop.change("paused", base_url=shop.url)
    await shop.stage.accept(shop.retailer, "source", *(order_event(n) for n in range(3)))

    async with shop.stage.engine():
        await shop.stage.until(shop.retailer, "select count(*) from delivery", 3)
        taken = await claim(shop.stage.database, worker="test", lease_s=3, lanes=10, cursor=START)
        waiting = await shop.stage.rows(shop.retailer, DELIVERY)
        await shop.change("active", base_url=shop.url)
        await shop.stage.settled(shop.retailer)

    assert taken.lanes == ()
    assert waiting == [{"state": "ready", "code": "", "attempt_count": 0}] * 3
    assert shop.effects() == 3


async def test_a_connection_switched_off_holds_its_records_with_the_reason(shop: Shop) -> None:
    await shop.connect(base_url=shop.url)
    await shop.change("disabled", base_url=shop.url)
    await shop.stage.accept(shop.retailer, "source", order_event(1))

    async with shop.stage.engine():
        await shop.stage.rests(shop.retailer)

    holds = await shop.stage.rows(shop.retailer, "select code, words, state from hold")
    assert holds == [
        {
            "code": "connection.disabled",
            "words": "The target connection is switched off.",
            "state": "open",
        }
    ]
    assert shop.effects() == 0


async def test_a_record_that_must_be_asked_about_still_must_after_it_was_put_back(
    shop: Shop, database: Database
) -> None:
    await shop.connect(base_url=shop.url)
    await shop.change("paused", base_url=shop.url)
    await shop.stage.accept(shop.retailer, "source", order_event(1))
    async with shop.stage.engine():
        await shop.stage.until(shop.retailer, "select count(*) from delivery", 1)
    await shop.change("active", base_url=shop.url)
    async with begin(EngineScope(), database) as session:
        await session.execute("update delivery set state = 'delivering' where state = 'ready'")
        await session.execute("update delivery set state = 'checking' where state = 'delivering'")

    seen = []
    for _ in range(2):
        taken = await claim(database, worker="test", lease_s=30, lanes=10, cursor=START)
        (lane,) = taken.lanes
        await settle([LaneResult(lane.key, lane.token, (), lane.deliveries, "test")], database)
        seen += [(delivery.must_check, delivery.attempt) for delivery in lane.deliveries]

    assert seen == [(True, 1), (True, 1)]
