"""Sources are asked for records that must come first: once at a time, patiently, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest_asyncio
from pydantic import SecretStr

from app.connections.secrets import put_secret
from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.intake.asking import Asker
from app.intake.parents import AGAIN_AFTER_S, ParentFetcher
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.orders import place_order
from infra.database.pool import Database
from infra.database.unit import begin
from infra.ids import Id
from tests.scenarios.erp import serve_shop
from tests.stage import FAST, SECRET, Retailer, Stage, open_stage

SLOW = FAST.model_copy(update={"retry_scale": 1.0})


@dataclass
class Shop:
    """A retailer with an emulated web shop, of which records are wanted."""

    stage: Stage
    retailer: Retailer
    state: ShopState
    transports: Transports
    watch: ConnectionWatch

    def fetcher(self) -> ParentFetcher:
        """Make the part of a worker that asks."""
        stage = self.stage
        asker = Asker(stage.connections, self.transports.of, self.watch)
        return ParentFetcher(stage.database, asker, stage.writer, SLOW)

    async def want(self, reference: str, connection: str = "shop") -> None:
        await self.stage.write(
            self.retailer,
            "insert into wanted_record (tenant_id, connection_id, reference) values ($1, $2, $3)",
            self.retailer.tenant_id,
            self.retailer.connections[connection],
            reference,
        )

    async def wanted(self) -> dict[str, Any]:
        (row,) = await self.stage.rows(
            self.retailer,
            "select state, words, tries, round(extract(epoch from due_at - now())) as due_s"
            " from wanted_record",
        )
        return row

    async def messages(self) -> list[tuple[str, str]]:
        rows = await self.stage.rows(
            self.retailer, "select topic, dedup_label from message order by accept_seq"
        )
        return [(row["topic"], row["dedup_label"]) for row in rows]

    def asked(self) -> int:
        return sum(each["kind"] == "request" for each in self.state.log)

    def order(self) -> Id:
        placed = place_order(self.state)
        assert placed is not None
        return placed["id"]  # type: ignore[no-any-return]


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    state = ShopState(seed=5, access_token=SECRET, webhook_secret=SECRET)
    async with open_stage(database) as stage, serve_shop(state) as url:
        retailer = await stage.retailer()
        await stage.connect(
            retailer, "shop", "shopify", base_url=url, shop_domain=state.shop_domain
        )
        await stage.connect(retailer, "api", "http")
        await stage.give_secret(retailer, "shop", ["access_token", "webhook_secret"])
        watch = ConnectionWatch(stage.database)
        transports = Transports(stage.egress, stage.database, watch)
        async with asyncio.TaskGroup() as tasks:
            leasing = tasks.create_task(transports.run())
            yield Shop(stage, retailer, state, transports, watch)
            leasing.cancel()


async def test_a_wanted_record_is_fetched_and_stored_like_any_message(shop: Shop) -> None:
    reference = shop.order()
    await shop.want(str(reference))

    assert await shop.fetcher().ask_due() == 1

    ((topic, label),) = await shop.messages()
    assert topic == "orders/create"
    assert label.startswith(f"fetched|gid://shopify/Order/{reference}|")
    found = await shop.wanted()
    assert (found["state"], found["tries"]) == ("found", 1)
    assert await shop.fetcher().ask_due() == 0


async def test_two_workers_ask_once(shop: Shop) -> None:
    await shop.want(str(shop.order()))

    counts = await asyncio.gather(*(shop.fetcher().ask_due() for _ in range(4)))

    assert sorted(counts) == [0, 0, 0, 1]
    assert (shop.asked(), len(await shop.messages())) == (1, 1)


async def test_the_same_record_wanted_again_is_not_stored_twice(shop: Shop) -> None:
    await shop.want(str(shop.order()))
    await shop.fetcher().ask_due()
    await shop.stage.write(
        shop.retailer, "update wanted_record set state = 'wanted', due_at = now()"
    )

    await shop.fetcher().ask_due()

    assert (shop.asked(), len(await shop.messages())) == (2, 1)


async def test_a_record_that_the_source_does_not_have_is_asked_for_less_and_less(
    shop: Shop,
) -> None:
    await shop.want("4711")

    waits = []
    for _ in range(len(AGAIN_AFTER_S) + 1):
        await shop.stage.write(shop.retailer, "update wanted_record set due_at = now()")
        await shop.fetcher().ask_due()
        waits.append(int((await shop.wanted())["due_s"]))

    assert waits == [*AGAIN_AFTER_S, AGAIN_AFTER_S[-1]]
    assert (await shop.wanted())["words"] == "Shopify has no record 4711."
    assert await shop.messages() == []


async def test_after_a_day_it_is_missing(shop: Shop) -> None:
    await shop.want("4711")
    await shop.stage.write(
        shop.retailer, "update wanted_record set asked_at = now() - interval '25 hours', tries = 9"
    )

    await shop.fetcher().ask_due()

    missing = await shop.wanted()
    assert (missing["state"], missing["words"]) == (
        "missing",
        "Asked 10 times. Shopify has no record 4711.",
    )


async def test_trouble_of_the_source_is_told_and_tried_again(shop: Shop) -> None:
    shop.state.faults.server_errors = 1
    reference = shop.order()
    await shop.want(str(reference))

    await shop.fetcher().ask_due()
    troubled = await shop.wanted()
    await shop.stage.write(shop.retailer, "update wanted_record set due_at = now()")
    await shop.fetcher().ask_due()

    assert (troubled["state"], troubled["due_s"]) == ("wanted", 5)
    assert troubled["words"] == "target.unavailable: Shopify has a passing trouble."
    assert (await shop.wanted())["state"] == "found"


async def test_a_source_that_cannot_be_asked_is_not(shop: Shop) -> None:
    await shop.want("o-1", "api")

    await shop.fetcher().ask_due()

    missing = await shop.wanted()
    assert (missing["state"], missing["words"]) == (
        "missing",
        "HTTP cannot be asked for one record; it has to come.",
    )


async def test_a_paused_source_is_asked_later(shop: Shop) -> None:
    await shop.want(str(shop.order()))
    await shop.stage.write(shop.retailer, "update connection set state = 'paused'")

    await shop.fetcher().ask_due()

    assert ((await shop.wanted())["state"], shop.asked()) == ("wanted", 0)


async def test_what_is_in_the_book_already_is_not_asked_for(shop: Shop) -> None:
    reference = shop.order()
    await shop.want(str(reference))
    await shop.stage.connect(shop.retailer, "erp", "http", base_url="http://127.0.0.1:9")
    await shop.stage.flow(shop.retailer, "shop", "erp")
    await shop.fetcher().ask_due()
    async with shop.stage.engine():
        await shop.stage.until(shop.retailer, "select count(*) from event", 1)
    await shop.stage.write(
        shop.retailer, "update wanted_record set state = 'wanted', due_at = now()"
    )

    await shop.fetcher().ask_due()

    assert (shop.asked(), (await shop.wanted())["words"]) == (
        1,
        "It is in the book already and on its way.",
    )


async def test_one_source_in_trouble_does_not_stop_the_others(shop: Shop) -> None:
    other = await shop.stage.retailer()
    await shop.stage.connect(other, "shop", "shopify", base_url="http://127.0.0.1:9")
    await shop.stage.give_secret(other, "shop", ["access_token"])
    await shop.want(str(shop.order()))
    unlucky = replace(shop, retailer=other)
    await unlucky.want("1")

    await shop.fetcher().ask_due()

    assert (await shop.wanted())["state"] == "found"
    assert (await unlucky.wanted())["state"] == "wanted"


async def test_a_source_that_refuses_the_credential_waits_for_its_owner(shop: Shop) -> None:
    await shop.want(str(shop.order()))
    shop.state.access_token = "another"
    fetcher = shop.fetcher()

    for _ in range(5):
        await shop.stage.write(shop.retailer, "update wanted_record set due_at = now()")
        await fetcher.ask_due()

    (health,) = await shop.stage.rows(shop.retailer, "select state from connection_health")
    outages = await shop.stage.rows(shop.retailer, "select kind from connection_outage")
    refused = sum(each["kind"] == "refused" for each in shop.state.log)
    assert (refused, health["state"]) == (1, "authorization_lost")
    assert [each["kind"] for each in outages] == ["authorization_lost"]


async def test_a_credential_that_was_just_renewed_is_used_before_anything_is_said(
    shop: Shop,
) -> None:
    await shop.want(str(shop.order()))
    fetcher = shop.fetcher()
    await shop.stage.connections.find(shop.retailer.tenant_id, shop.retailer.connections["shop"])
    shop.state.access_token = "renewed"
    await give(shop, "renewed")

    await fetcher.ask_due()

    assert (await shop.wanted())["state"] == "found"
    assert await shop.stage.rows(shop.retailer, "select from connection_outage") == []


async def give(shop: Shop, token: str) -> None:
    """Store another access token, as another process does."""
    stage, retailer = shop.stage, shop.retailer
    key = await stage.vault.current(retailer.tenant_id)
    async with begin(retailer.scope, stage.database) as session:
        await put_secret(
            session, key, retailer.connections["shop"], "access_token", SecretStr(token)
        )
