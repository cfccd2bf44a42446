"""A payment or a refund arrives before its order, whose webhook was lost: nobody has to do anything.

The target takes nothing for an order that it does not have (424). The record waits, the shop is asked
for the order, the order overtakes it in their lane, and both arrive in order.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec
import pytest_asyncio

from app.connections.hooks import issue_hook
from connectors.catalog.http.emulator import Recorder
from connectors.catalog.http.emulator.target import Reply
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.orders import place_order, refund_order
from infra.database.unit import begin
from tests.app.api.served import Served
from tests.scenarios.erp import serve_shop
from tests.scenarios.patience import until
from tests.scenarios.told import KeepingTarget
from tests.stage import SECRET, Retailer, Stage

ORDER, CHANGED = "retail.order.placed.v1", "retail.order.changed.v1"
REFUNDED = "retail.order.refunded.v1"
NEEDS_ORDER = Reply(424, b'{"title":"I do not know this order."}')


class PickyTarget(KeepingTarget):
    """Takes nothing for an order that it does not have yet."""

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        told = msgspec.json.decode(body)
        known = {event["subject"] for event in self.events() if event["type"] == ORDER}
        if told["type"] != ORDER and told["subject"] not in known:
            return NEEDS_ORDER
        return KeepingTarget.take(self, headers, body)


@dataclass
class Shop:
    """A retailer with an emulated web shop and a target that wants the order first."""

    stage: Stage
    retailer: Retailer
    state: ShopState
    target: PickyTarget

    def order(self) -> dict[str, Any]:
        """Let a customer order; its webhook is on its way, unless it is lost."""
        placed = place_order(self.state)
        assert placed is not None
        return placed

    async def told(self, count: int) -> None:
        """Wait until so many of the shop's webhooks were taken."""

        async def are_taken() -> bool:
            taken = [each for each in self.state.log if each["kind"] == "webhook"]
            return len([each for each in taken if each["status"] == 202]) >= count

        await until(are_taken, f"{count} webhooks are taken")

    def tell(self, topic: str, content: dict[str, Any]) -> None:
        """Send one more webhook, as the shop would."""
        self.state.outbox.append((topic, json.dumps(content).encode(), f"hook-{uuid4()}"))

    def asked(self) -> int:
        """Count how often the shop was asked for an order."""
        return sum(each.get("operation") == "ReadOrder" for each in self.state.log)

    def arrived(self) -> list[str]:
        return [event["type"] for event in self.target.events()]

    async def holds(self) -> int:
        (row,) = await self.stage.rows(self.retailer, "select count(*) as n from hold")
        return int(row["n"])

    async def wanted(self) -> list[dict[str, Any]]:
        return await self.stage.rows(
            self.retailer, "select reference, state, words, tries from wanted_record"
        )

    async def fates(self) -> tuple[dict[str, int], int]:
        ledger = await self.stage.ledger(self.retailer)
        return ledger.total.fates, ledger.unaccounted


@pytest_asyncio.fixture
async def shop(stage: Stage, served: Served) -> AsyncIterator[Shop]:
    target = PickyTarget()
    state = ShopState(seed=5, access_token=SECRET, webhook_secret=SECRET, retry_s=0.05)
    retailer = await stage.retailer()
    async with Recorder(target) as recorder, serve_shop(state) as url:
        await stage.connect(
            retailer, "shop", "shopify", base_url=url, shop_domain=state.shop_domain, currency="USD"
        )
        await stage.connect(retailer, "erp", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "shop", ["access_token", "webhook_secret"])
        await stage.give_secret(retailer, "erp", ["signing_secret"])
        await stage.flow(retailer, "shop", "erp", types=[ORDER, CHANGED, REFUNDED])
        async with begin(retailer.scope, stage.database) as session:
            hook = await issue_hook(session, retailer.connections["shop"])
        state.hook_url = f"{served.url}/hooks/{hook}"
        yield Shop(stage, retailer, state, target)


async def test_a_refund_whose_orders_webhook_was_lost_arrives_after_the_order(shop: Shop) -> None:
    shop.state.faults.lost_webhooks = 1
    order = shop.order()
    refund_order(shop.state, order)
    await shop.told(1)

    # At the pace of real life the next look would be in a minute: the order itself wakes the lane.
    async with shop.stage.engine(retry_scale=1.0):
        await shop.stage.settled(shop.retailer)

    assert shop.arrived() == [ORDER, REFUNDED]
    assert [event["data"]["order_id"] for event in shop.target.events()] == [str(order["id"])] * 2
    assert shop.target.events()[0]["data"]["total"] == order["total_price"]
    assert (await shop.holds(), shop.asked()) == (0, 1)
    assert [(one["reference"], one["state"]) for one in await shop.wanted()] == [
        (str(order["id"]), "found")
    ]
    assert await shop.fates() == ({"delivered": 2}, 0)


async def test_a_payment_a_change_and_a_refund_before_their_order_keep_their_own_order(
    shop: Shop,
) -> None:
    shop.state.faults.lost_webhooks = 1
    order = shop.order()
    for topic, seconds in (("orders/paid", 1), ("orders/updated", 2)):
        shop.tell(topic, order | {"updated_at": f"2030-01-01T00:00:0{seconds}+00:00"})
    refund_order(shop.state, order)
    await shop.told(3)

    async with shop.stage.engine():
        await shop.stage.settled(shop.retailer)

    assert shop.arrived() == [ORDER, CHANGED, CHANGED, REFUNDED]
    versions = [event["objectversion"] for event in shop.target.events()][1:3]
    assert versions == ["2030-01-01T00:00:01Z", "2030-01-01T00:00:02Z"]
    assert (await shop.holds(), shop.asked()) == (0, 1)
    assert await shop.fates() == ({"delivered": 4}, 0)


async def test_the_lost_webhook_that_comes_after_all_changes_nothing(shop: Shop) -> None:
    shop.state.faults.lost_webhooks = 1
    order = shop.order()
    refund_order(shop.state, order)
    await shop.told(1)
    async with shop.stage.engine():
        await shop.stage.settled(shop.retailer)

        shop.tell("orders/create", order | {"email": "as.it.was@example.com"})
        await shop.told(2)
        await shop.stage.settled(shop.retailer)

    assert shop.arrived() == [ORDER, REFUNDED]
    assert await shop.holds() == 0
    assert await shop.fates() == ({"delivered": 2, "merged": 1}, 0)


async def test_an_order_that_is_only_late_overtakes_its_refund_without_the_shop_being_asked_twice(
    shop: Shop,
) -> None:
    shop.state.faults.lost_webhooks = 1
    shop.state.faults.server_errors = 1000
    order = shop.order()
    refund_order(shop.state, order)
    await shop.told(1)
    async with shop.stage.engine():
        await shop.stage.until(
            shop.retailer, "select code from delivery order by id limit 1", "target.not_yet"
        )

        shop.tell("orders/create", order)
        await shop.told(2)
        await shop.stage.settled(shop.retailer)

    assert shop.arrived() == [ORDER, REFUNDED]
    assert await shop.holds() == 0
    assert await shop.fates() == ({"delivered": 2}, 0)


async def test_a_refund_whose_order_exists_nowhere_is_held_when_its_clock_ends(shop: Shop) -> None:
    order = {"id": 5_000_004_711, "name": "#47", "currency": "USD", "total_price": "10.00"}
    refund_order(shop.state, order | {"admin_graphql_api_id": "gid://shopify/Order/1"})
    await shop.told(1)

    # A day passes in a second.
    async with shop.stage.engine(retry_scale=86_400.0):
        await shop.stage.rests(shop.retailer)

    (hold,) = await shop.stage.rows(
        shop.retailer,
        "select code, pointer, error_class, event_type, object_id, amount, state from hold",
    )
    assert shop.arrived() == []
    assert (hold["code"], hold["pointer"]) == ("target.predecessor_missing", "")
    assert (hold["error_class"], hold["event_type"]) == ("dependency", REFUNDED)
    assert (hold["object_id"], hold["state"]) == ("7000004711", "open")
    assert str(hold["amount"]) == "10.000000"
    (wanted,) = await shop.wanted()
    assert wanted["reference"] == "5000004711"
    assert wanted["words"].endswith("Shopify has no record 5000004711.")
