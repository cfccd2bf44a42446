"""What webhooks lose is found by asking: the shop's own list is the proof that every order is here."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from app.connections.hooks import issue_hook
from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.intake.asking import Asker
from app.retail.orders.completeness import Proof, prove_day
from app.retail.orders.sweep import OrderSweeper
from connectors.catalog.http.emulator import Recorder
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.orders import place_order
from infra.database.unit import begin
from tests.app.api.served import Served
from tests.scenarios.erp import serve_shop
from tests.scenarios.patience import until
from tests.scenarios.told import KeepingTarget
from tests.stage import SECRET, Retailer, Stage

ORDER, CHANGED = "retail.order.placed.v1", "retail.order.changed.v1"
DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Shop:
    """A retailer with an emulated web shop, and an ERP that takes its orders."""

    stage: Stage
    retailer: Retailer
    state: ShopState
    erp: KeepingTarget

    def sell(self, *, is_told: bool = True) -> dict[str, Any]:
        """Let a customer order; its webhook may be lost on the way."""
        self.state.faults.lost_webhooks = 0 if is_told else 1
        placed = place_order(self.state)
        assert placed is not None
        return placed

    async def told(self) -> None:
        """Wait until every webhook that was not lost is taken."""

        async def is_empty() -> bool:
            taken = [each for each in self.state.log if each["kind"] == "webhook"]
            lost = [each for each in self.state.log if each["kind"] == "webhook_lost"]
            sold = [each for each in self.state.log if each["kind"] in {"sold", "refunded"}]
            return len(taken) + len(lost) == len(sold)

        await until(is_empty, "all webhooks are taken")

    async def work(self) -> None:
        async with self.stage.engine():
            await self.stage.settled(self.retailer, at_most_s=60)

    async def sweep(self) -> tuple[int, int]:
        """Sweep what changed since the day before, and let what was found arrive."""
        swept = await self.ask()
        await self.work()
        return swept

    async def ask(self) -> tuple[int, int]:
        """Give how many orders a sweep listed, and how many of them it fetched."""
        async with self.sweeper() as sweeper:
            swept = await sweeper.sweep(
                self.retailer.tenant_id, self.retailer.connections["shop"], DAY - timedelta(days=1)
            )
        return swept.listed, swept.fetched

    @asynccontextmanager
    async def sweeper(self) -> AsyncIterator[OrderSweeper]:
        """Give a sweeper as a worker has it."""
        watch = ConnectionWatch(self.stage.database)
        transports = Transports(self.stage.egress, self.stage.database, watch)
        asker = Asker(self.stage.connections, transports.of, watch)
        async with asyncio.TaskGroup() as tasks:
            lending = tasks.create_task(transports.run())
            yield OrderSweeper(self.stage.database, asker, self.stage.writer)
            lending.cancel()
        await transports.close()

    async def proof(self) -> Proof:
        async with begin(self.retailer.scope, self.stage.database) as session:
            (proof,) = await prove_day(session, DAY.date())
        return proof

    def arrived(self) -> list[str]:
        """Give the order of every new order that the ERP took."""
        return [e["data"]["order_id"] for e in self.erp.events() if e["type"] == ORDER]


@pytest_asyncio.fixture
async def shop(stage: Stage, served: Served) -> AsyncIterator[Shop]:
    erp = KeepingTarget()
    state = ShopState(
        seed=5,
        start_quantity=100_000,
        access_token=SECRET,
        webhook_secret=SECRET,
        retry_s=0.05,
        clock=lambda: DAY,
    )
    retailer = await stage.retailer()
    async with Recorder(erp) as recorder, serve_shop(state) as url:
        await stage.connect(
            retailer, "shop", "shopify", base_url=url, shop_domain=state.shop_domain, currency="USD"
        )
        await stage.connect(retailer, "erp", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "shop", ["access_token", "webhook_secret"])
        await stage.give_secret(retailer, "erp", ["signing_secret"])
        await stage.flow(retailer, "shop", "erp", types=[ORDER, CHANGED])
        await stage.write(
            retailer,
            "insert into order_sweep (tenant_id, connection_id, stretch) values ($1, $2, 'hours')",
            retailer.tenant_id,
            retailer.connections["shop"],
        )
        async with begin(retailer.scope, stage.database) as session:
            hook = await issue_hook(session, retailer.connections["shop"])
        state.hook_url = f"{served.url}/hooks/{hook}"
        yield Shop(stage, retailer, state, erp)


async def test_one_webhook_in_a_hundred_is_lost_and_every_order_is_there_after_the_sweep(
    shop: Shop,
) -> None:
    """DB3: 100 % complete after the sweep, nothing doubled."""
    lost = set(random.Random(3).sample(range(300), 3))  # noqa: S311 - repeatable, not secret
    sold = [shop.sell(is_told=number not in lost) for number in range(300)]
    await shop.told()
    await shop.work()
    assert len(shop.arrived()) == 297

    assert await shop.sweep() == (300, 3)

    assert sorted(shop.arrived()) == sorted(str(each["id"]) for each in sold)
    proof = await shop.proof()
    assert proof.is_complete
    assert proof.words == "2026-11-20: shop 300 = here 300 = erp 300"
    assert await shop.sweep() == (300, 0)
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_before_the_sweep_the_proof_names_what_is_not_here(shop: Shop) -> None:
    shop.sell()
    missing = shop.sell(is_told=False)
    await shop.told()
    await shop.work()
    await shop.stage.write(
        shop.retailer,
        "insert into order_listed (tenant_id, connection_id, order_id, number, placed_at, day,"
        " updated_at) values ($1, $2, $3, $4, $5, $6, $5)",
        shop.retailer.tenant_id,
        shop.retailer.connections["shop"],
        str(missing["id"]),
        missing["name"],
        DAY,
        DAY.date(),
    )

    proof = await shop.proof()

    assert (proof.is_complete, proof.missing_here) == (False, (missing["name"],))
    assert proof.words.endswith(" (1 of shop are not here yet)")


async def test_a_webhook_that_comes_after_its_order_was_fetched_is_merged(shop: Shop) -> None:
    order = shop.sell(is_told=False)
    await shop.told()
    await shop.sweep()

    shop.state.faults.lost_webhooks = 0
    shop.state.outbox.append(("orders/create", _body(order), "late-hook"))
    await until(_is_taken(shop, "late-hook"), "the late webhook is taken")
    await shop.work()

    ledger = await shop.stage.ledger(shop.retailer)
    assert shop.arrived() == [str(order["id"])]
    assert (ledger.total.fates, ledger.unaccounted) == ({"delivered": 1, "merged": 1}, 0)


async def test_a_change_whose_webhook_was_lost_is_fetched_too(shop: Shop) -> None:
    order = shop.sell()
    await shop.told()
    await shop.work()
    later = (DAY + timedelta(minutes=5)).isoformat(timespec="seconds")
    shop.state.remember_order(order | {"updated_at": later, "email": "new@example.com"})

    assert await shop.sweep() == (1, 1)

    assert [event["type"] for event in shop.erp.events()] == [ORDER, CHANGED]
    assert await shop.sweep() == (1, 0)


async def test_an_order_that_waits_for_a_person_is_explained_in_the_proof(shop: Shop) -> None:
    shop.sell()
    second = shop.sell()
    shop.erp.refused.add(f"order:{second['id']}|{second['name']}")
    await shop.told()
    async with shop.stage.engine():
        await shop.stage.rests(shop.retailer)
    await shop.ask()

    proof = await shop.proof()

    assert proof.is_complete
    assert proof.words == "2026-11-20: shop 2 = here 2 = erp 1 + 1 explained"
    assert proof.targets[0].explained == {"waits for a person": 1}


async def test_a_channel_that_can_be_asked_gets_its_sweeps_by_itself(shop: Shop) -> None:
    async with shop.sweeper() as sweeper:
        while await sweeper.sweep_due():
            pass

    rows = await shop.stage.rows(
        shop.retailer,
        "select stretch, problem, ended_at is not null as is_done, next_at > now() as is_later"
        " from order_sweep order by stretch",
    )
    assert [tuple(row.values()) for row in rows] == [
        (name, "", True, True) for name in ("days", "hours", "month")
    ]


async def test_a_shop_that_does_not_answer_is_asked_again_later(shop: Shop) -> None:
    shop.state.access_token = "another"

    async with shop.sweeper() as sweeper:
        while await sweeper.sweep_due():
            pass

    rows = await shop.stage.rows(
        shop.retailer, "select problem, next_at > now() as later from order_sweep"
    )
    # Whoever is refused first says so; the others leave the connection alone.
    told = {row["problem"].partition(":")[0] for row in rows}
    assert (len(rows), all(row["later"] for row in rows)) == (3, True)
    assert "auth.lost" in told
    assert told <= {"auth.lost", "breaker.open"}


def _body(order: dict[str, Any]) -> bytes:
    return json.dumps(order).encode()


def _is_taken(shop: Shop, webhook_id: str) -> Callable[[], Awaitable[bool]]:
    async def is_taken() -> bool:
        return any(each.get("webhook_id") == webhook_id for each in shop.state.log)

    return is_taken
