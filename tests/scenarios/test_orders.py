"""Orders from the front door to the books of the ERP: each agreement once, an edit as its difference."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from app.retail.orders.acknowledge import acknowledge_due
from app.retail.orders.cancel import decide
from app.retail.orders.change import cancel_order
from app.retail.orders.post import post_due
from app.retail.orders.read import OrderFilter, list_orders, read_order
from app.retail.orders.watch import watch_clocks
from app.retail.voice import core_connection
from connectors.catalog.http.emulator import Faults, Recorder
from infra.database.unit import begin
from infra.errors import Conflict
from tests.scenarios.told import KeepingTarget
from tests.stage import Retailer, Stage, order_event

POSTED = "retail.order.posted.v1"
ACKNOWLEDGED = "retail.order.acknowledged.v1"
CANCELLED = "retail.order.cancelled.v1"


@dataclass
class Shop:
    """A retailer with a web shop, a marketplace and an ERP that takes postings."""

    stage: Stage
    retailer: Retailer
    erp: KeepingTarget

    async def tell(self, *events: dict[str, Any], by: str = "shop") -> None:
        """Accept events and work until nothing is under way."""
        await self.stage.accept(self.retailer, by, *events)
        await self.work()

    async def work(self) -> None:
        async with self.stage.engine():
            await self.stage.rests(self.retailer)

    async def post(self) -> int:
        """Do the duty of posting once, and deliver what it says."""
        said = await post_due(self.retailer.scope, self.stage.database, self.stage.vault)
        await self.work()
        return said

    def posted(self) -> list[tuple[str, int, str, str]]:
        """Give order, agreement, reason and total of what the ERP took, in order."""
        return [
            (d["order_id"], d["agreement"], d["reason"], d["total"])
            for d in (event["data"] for event in self.erp.events() if event["type"] == POSTED)
        ]

    async def kept_units(self) -> Decimal:
        """Give how many units are kept for orders, once all that was told is worked out."""
        async with self.stage.engine():
            await self.stage.until(self.retailer, "select count(*) from stock_due", 0)
        (row,) = await self.stage.rows(
            self.retailer,
            "select coalesce(sum(quantity), 0) as n from stock_position where state = 'committed'",
        )
        return Decimal(row["n"])

    async def cancel(self, number: int) -> str:
        """Let a person cancel an order; gives what that means."""
        (row,) = await self.stage.rows(
            self.retailer, "select id from sales_order where order_id = $1", f"o-{number}"
        )
        key = await self.stage.vault.current(self.retailer.tenant_id)
        async with begin(self.retailer.scope, self.stage.database) as session:
            decision = await cancel_order(session, key, row["id"], "The buyer asked.", "Ada")
        await self.work()
        return decision.meaning

    async def stuck(self, number: int) -> tuple[str, ...]:
        """Say where an order is stuck."""
        async with begin(self.retailer.scope, self.stage.database) as session:
            (found,) = await list_orders(session, OrderFilter(name=f"#{number}"), 10)
            return (await read_order(session, found.id)).stuck

    async def postings(self) -> list[tuple[str, str]]:
        """Give reason and posting of every agreement."""
        rows = await self.stage.rows(
            self.retailer, "select reason, posting from agreement order by order_key, number"
        )
        return [(row["reason"], row["posting"]) for row in rows]


@pytest_asyncio.fixture
async def shop(stage: Stage, target: KeepingTarget) -> AsyncIterator[Shop]:
    retailer = await stage.retailer()
    async with begin(retailer.scope, stage.database) as session:
        retailer.connections["core"] = await core_connection(session)
    await stage.connect(retailer, "shop", "http")
    await stage.connect(retailer, "market", "http")
    await stage.connect(retailer, "erp", "http", base_url=target.url)
    await stage.give_secret(retailer, "erp", ["signing_secret"])
    await stage.flow(retailer, "core", "erp", types=[POSTED])
    yield Shop(stage, retailer, target)


def told(number: int, version: int, total: str = "20.00", **changes: Any) -> dict[str, Any]:
    """A channel tells of an order in one of its versions."""
    event = order_event(number, version=str(version), total=total, **changes)
    kinds = {True: "retail.order.placed.v1", False: "retail.order.changed.v1"}
    return event | {"type": kinds[version == 1], "objectversion": str(version)}


def cancelled(number: int, version: int, total: str = "20.00") -> dict[str, Any]:
    """A channel tells that an order is cancelled."""
    return told(number, version, total) | {"type": "retail.order.cancelled.v1"}


def refunded(number: int, amount: str) -> dict[str, Any]:
    """A channel tells that money of an order went back."""
    return {
        "specversion": "1.0",
        "id": f"r-{number}",
        "source": "source",
        "type": "retail.order.refunded.v1",
        "time": "2026-11-21T10:00:00Z",
        "data": {
            "refund_id": f"r-{number}",
            "order_id": f"o-{number}",
            "currency": "USD",
            "happened_at": "2026-11-21T10:00:00+00:00",
            "amount": amount,
        },
    }


def shipment(number: int) -> dict[str, Any]:
    """A channel tells that all of an order left."""
    return {
        "specversion": "1.0",
        "id": f"f-{number}",
        "source": "source",
        "type": "retail.order.fulfilled.v1",
        "time": "2026-11-21T10:00:00Z",
        "data": {
            "fulfilment_id": f"f-{number}",
            "order_id": f"o-{number}",
            "status": "success",
            "shipped_at": "2026-11-21T10:00:00+00:00",
        },
    }


async def test_an_order_edited_after_it_was_posted_posts_only_its_difference(shop: Shop) -> None:
    await shop.tell(told(1, 1))
    assert await shop.post() == 1

    await shop.tell(told(1, 2, "25.00"))
    assert await shop.post() == 1
    # Nothing changed since: nothing is posted, however often it is looked.
    assert await shop.post() == 0

    assert shop.posted() == [("o-1", 1, "order", "20.00"), ("o-1", 2, "order_edit", "5.00")]
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_an_order_cancelled_before_it_was_posted_leaves_no_document(shop: Shop) -> None:
    """E-O02. No document in the ERP, and the goods that were kept for it are free again."""
    await shop.tell(told(1, 1))
    assert await shop.kept_units() == 1
    await shop.tell(cancelled(1, 2))

    assert await shop.post() == 0

    assert await shop.kept_units() == 0
    assert shop.posted() == []
    assert await shop.postings() == [("order", "not_needed"), ("cancellation", "not_needed")]


async def test_an_order_cancelled_after_it_was_posted_is_taken_back_to_nothing(shop: Shop) -> None:
    await shop.tell(told(1, 1))
    await shop.post()

    await shop.tell(cancelled(1, 2))
    await shop.post()

    assert shop.posted() == [("o-1", 1, "order", "20.00"), ("o-1", 2, "cancellation", "-20.00")]


async def test_a_refund_is_posted_after_its_order_whichever_came_first(shop: Shop) -> None:
    await shop.tell(refunded(1, "7.50"))
    assert await shop.post() == 0

    await shop.tell(told(1, 1))
    await shop.post()

    assert shop.posted() == [("o-1", 1, "order", "20.00"), ("o-1", 2, "refund", "-7.50")]


async def test_two_channels_with_the_same_order_number_are_two_orders_in_the_books(
    shop: Shop,
) -> None:
    await shop.tell(told(1, 1))
    await shop.tell(told(1, 1, "33.00", kind="marketplace"), by="market")
    await shop.post()

    assert sorted(shop.posted()) == [("o-1", 1, "order", "20.00"), ("o-1", 1, "order", "33.00")]


async def test_a_split_payment_with_a_gift_card_and_an_order_of_another_currency_are_posted_whole(
    shop: Shop,
) -> None:
    tenders = [
        {"kind": "gift_card", "name": "Gift card", "amount": "5.00"},
        {"kind": "card", "name": "Card", "amount": "15.00"},
    ]
    await shop.tell(told(1, 1, tenders=tenders), told(2, 1, "30.00", currency="EUR"))
    await shop.post()

    rows = await shop.stage.rows(
        shop.retailer, "select order_id, payment, paid, currency from sales_order order by order_id"
    )
    assert [tuple(map(str, row.values())) for row in rows] == [
        ("o-1", "paid", "20.000000", "USD"),
        ("o-2", "unpaid", "0.000000", "EUR"),
    ]
    assert [each[3] for each in sorted(shop.posted())] == ["20.00", "30.00"]


async def test_a_pending_order_goes_nowhere_until_its_channel_lets_it_go(shop: Shop) -> None:
    """E-O08. Its goods are kept for it, and no system hears of it before the channel lets it go."""
    await shop.stage.flow(shop.retailer, "market", "erp", types=["retail.order.placed.v1"])
    await shop.tell(told(1, 1, kind="marketplace", is_pending=True), by="market")
    assert (await shop.post(), shop.erp.events()) == (0, [])
    (kept,) = await shop.stage.rows(shop.retailer, "select status from sales_order")
    assert await shop.kept_units() == 1

    await shop.tell(told(1, 2, kind="marketplace"), by="market")
    await shop.post()

    assert kept["status"] == "pending"
    assert shop.posted() == [("o-1", 1, "order", "20.00")]


async def test_a_pending_order_that_its_channel_gives_up_was_never_posted(shop: Shop) -> None:
    """E-O08. Cancelled, it lets go of its goods by itself, and nothing of it went anywhere."""
    await shop.tell(told(1, 1, kind="marketplace", is_pending=True), by="market")
    await shop.tell(cancelled(1, 2), by="market")

    assert (await shop.post(), shop.posted()) == (0, [])
    assert await shop.kept_units() == 0
    (kept,) = await shop.stage.rows(shop.retailer, "select status, standing from sales_order")
    assert (kept["status"], str(kept["standing"])) == ("cancelled", "0.000000")


async def test_orders_from_before_postings_were_wanted_are_not_posted_a_second_time(
    shop: Shop,
) -> None:
    await shop.stage.write(shop.retailer, "update flow set event_types = '{}'")
    await shop.tell(told(1, 1))
    assert await shop.post() == 0

    later = "update flow set event_types = $1, created_at = now() + interval '1 second'"
    await shop.stage.write(shop.retailer, later, [POSTED])
    await shop.tell(told(1, 2, "25.00"))

    assert (await shop.post(), shop.posted()) == (0, [])


async def test_an_order_is_posted_when_goods_left_where_the_flow_wants_that(shop: Shop) -> None:
    wanted = """update flow set settings = '{"post_when": "shipped"}'"""
    await shop.stage.write(shop.retailer, wanted)
    await shop.tell(told(1, 1))
    assert await shop.post() == 0

    await shop.tell(shipment(1))

    assert await shop.post() == 1
    assert shop.posted() == [("o-1", 1, "order", "20.00")]


async def with_acknowledgements(shop: Shop, url: str, **settings: Any) -> None:
    """Let the marketplace hear that its orders were taken, four hours being its limit."""
    wanted = {"base_url": url, "acknowledge_within_h": 4, "ship_within_h": 48}
    await shop.stage.write(
        shop.retailer,
        "update connection set settings = $1 where name = 'market'",
        json.dumps(wanted),
    )
    await shop.stage.give_secret(shop.retailer, "market", ["signing_secret"])
    flow_id = await shop.stage.flow(shop.retailer, "core", "market", types=[ACKNOWLEDGED])
    await shop.stage.write(
        shop.retailer,
        "update flow set settings = $2 where id = $1",
        flow_id,
        json.dumps(settings),
    )


async def acknowledge(shop: Shop) -> int:
    """Do the duty of acknowledging once, and deliver what it says."""
    done = await acknowledge_due(shop.retailer.scope, shop.stage.database, shop.stage.vault)
    await shop.work()
    return done


def market_order(number: int) -> dict[str, Any]:
    """An order of the marketplace, placed at 10:00 UTC."""
    return told(number, 1, kind="marketplace")


async def test_a_marketplace_hears_once_that_its_order_was_taken_when_the_erp_has_it(
    shop: Shop,
) -> None:
    market = KeepingTarget()
    async with Recorder(market) as recorder:
        await with_acknowledgements(shop, recorder.url)
        await shop.tell(market_order(1), by="market")
        before = await acknowledge(shop)
        await shop.post()

        done = [await acknowledge(shop), await acknowledge(shop)]

    assert (before, done) == (0, [1, 0])
    (told_back,) = market.events()
    assert told_back["type"] == ACKNOWLEDGED
    assert told_back["data"]["order_id"] == "o-1"
    assert told_back["data"]["acknowledge_by"] == "2026-11-20T14:00:00Z"
    # It goes to the channel of the order alone, whatever other flows the core has.
    assert [event["type"] for event in shop.erp.events()] == [POSTED]


async def test_a_flow_may_acknowledge_what_we_took_while_the_erp_is_down(shop: Shop) -> None:
    market = KeepingTarget()
    shop.erp.faults = Faults(unavailable=1.0)
    async with Recorder(market) as recorder:
        await with_acknowledgements(shop, recorder.url, acknowledge_after="us")
        await shop.stage.accept(shop.retailer, "market", market_order(1))
        async with shop.stage.engine():
            await shop.stage.until(shop.retailer, "select count(*) from sales_order", 1)
            await post_due(shop.retailer.scope, shop.stage.database, shop.stage.vault)
            await acknowledge_due(shop.retailer.scope, shop.stage.database, shop.stage.vault)
            await shop.stage.until(
                shop.retailer,
                "select count(*) from delivery d join flow f on f.id = d.flow_id"
                " where d.state = 'delivered'",
                1,
            )

    assert [event["type"] for event in market.events()] == [ACKNOWLEDGED]
    assert shop.posted() == []


async def test_clocks_of_orders_are_told_at_half_at_four_fifths_and_when_they_ran_out(
    shop: Shop,
) -> None:
    await with_acknowledgements(shop, "http://127.0.0.1:9")
    await shop.tell(market_order(1), by="market")
    placed_at = datetime(2026, 11, 20, 10, tzinfo=UTC)

    async def at(hours: float) -> list[str]:
        now = placed_at + timedelta(hours=hours)
        await watch_clocks(shop.retailer.scope, shop.stage.database, now)
        rows = await shop.stage.rows(
            shop.retailer, "select words from break where state = 'open' order by key"
        )
        return [row["words"] for row in rows]

    assert await at(1.9) == []
    (half,) = await at(2.1)
    (late,) = await at(3.3)
    (gone,) = await at(4.1)
    assert half.startswith("Order #1 of market must be acknowledged by 2026-11-20 14:00 UTC. Half")
    assert "Four fifths of the time is gone" in late
    assert gone.startswith("Order #1 of market had to be acknowledged by 2026-11-20 14:00 UTC and")

    await shop.stage.write(shop.retailer, "update sales_order set acknowledged_at = now()")

    assert await at(4.2) == []


async def test_a_person_cancels_an_order_and_every_system_that_has_it_is_told(shop: Shop) -> None:
    await shop.stage.flow(shop.retailer, "core", "erp", types=[CANCELLED])
    await shop.tell(told(1, 1), told(2, 1))
    here = await shop.cancel(2)
    await shop.post()

    elsewhere = await shop.cancel(1)
    await shop.post()

    assert (here, elsewhere) == ("taken_back", "asked")
    assert shop.posted() == [("o-1", 1, "order", "20.00"), ("o-1", 2, "cancellation", "-20.00")]
    notices = [e["data"]["order_id"] for e in shop.erp.events() if e["type"] == CANCELLED]
    assert notices == ["o-2", "o-1"]
    # The channel's own word for it afterwards changes nothing more.
    await shop.tell(cancelled(1, 2))
    assert await shop.post() == 0


async def test_an_order_whose_goods_have_left_is_not_cancelled_by_anybody(shop: Shop) -> None:
    await shop.tell(told(1, 1), shipment(1))

    with pytest.raises(Conflict, match="Its goods have left") as refused:
        await shop.cancel(1)

    assert refused.value.code == "order.goods_left"
    rows = await shop.stage.rows(shop.retailer, "select reason from agreement")
    assert [row["reason"] for row in rows] == ["order"]


async def test_a_posting_that_the_erp_refuses_is_named_where_the_order_is_stuck(shop: Shop) -> None:
    shop.erp.refused.add("order:shop/o-1|#1")
    await shop.tell(told(1, 1))
    assert "agreement is not posted" in (await shop.stuck(1))[0]

    await shop.post()

    (words,) = await shop.stuck(1)
    assert words.startswith("Posting 1 of order #1 is held before erp: ")


@pytest.mark.parametrize("is_cancelled", [False, True])
@pytest.mark.parametrize("is_shipped", [False, True])
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_every_case_of_a_cancellation_has_one_meaning(
    is_cancelled: bool,
    is_shipped: bool,
    is_elsewhere: bool,
) -> None:
    decision = decide(is_cancelled=is_cancelled, is_shipped=is_shipped, is_elsewhere=is_elsewhere)

    assert decision.takes_back == (not is_cancelled and not is_shipped)
    assert (decision.meaning == "too_late") == is_shipped
