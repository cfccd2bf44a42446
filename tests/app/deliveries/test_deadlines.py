"""Money and clocks make a delivery more urgent than its flow, step by step and never less."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
import pytest_asyncio

from app.deliveries.deadlines import class_of, deadline_of, raise_by_clock
from app.deliveries.handover import HandOver
from app.pipeline.prepare import Preparer
from connectors import registry
from connectors.canonical.event import Event
from connectors.sdk.manifest import Clock
from connectors.sdk.message import RawMessage
from infra import clock
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage, order_event

ACCEPTED = datetime(2026, 11, 20, 10, tzinfo=UTC)
LANES = "select label, class, deadline_at is not null as has_deadline from lane order by label"


def order(total: str) -> Event:
    """Read one order as the pipeline does."""
    body = msgspec.json.encode(order_event(1, total=total))
    raw = RawMessage(topic="event", body=body, received_at=clock.now())
    return registry.load("http").read(raw).events[0]


@pytest.mark.parametrize(
    ("class_", "total", "limit", "becomes"),
    [
        (1, "499.99", {"amount": "500", "currency": "USD"}, 1),
        (1, "500.00", {"amount": "500", "currency": "USD"}, 0),
        (3, "900.00", {"amount": "500", "currency": "USD"}, 2),
        (0, "900.00", {"amount": "500", "currency": "USD"}, 0),
        (1, "900.00", {"amount": "500", "currency": "EUR"}, 1),
        (1, "900.00", {"amount": "much", "currency": "USD"}, 1),
        (1, "900.00", {}, 1),
        (1, "900.00", None, 1),
    ],
)
def test_an_event_above_the_flows_limit_counts_one_class_higher(
    class_: int, total: str, limit: object, becomes: int
) -> None:
    assert class_of(class_, order(total), {"high_value": limit}) == becomes


def test_the_first_of_the_clocks_of_an_event_is_its_deadline() -> None:
    def within(name: str, event: str, hours: float) -> Clock:
        return Clock(
            name=name,
            event=event,
            within_s=hours * 3600,
            counted_from="accepted",
            words="In time.",
            source="https://vendor.example/rules",
            read_on=date(2026, 11, 20),
        )

    placed = "retail.order.placed.v1"
    clocks = [
        within("ship", placed, 48),
        within("acknowledge", placed, 4),
        within("answer", "retail.return.requested.v1", 1),
    ]
    source = registry.load("http").manifest.model_copy(update={"clocks": clocks})

    assert deadline_of(source, order("20.00"), ACCEPTED) == ACCEPTED + timedelta(hours=4)
    assert deadline_of(registry.load("http").manifest, order("20.00"), ACCEPTED) is None


@dataclass(slots=True)
class Shop:
    """A retailer with orders of class 2, whose clocks the test sets."""

    stage: Stage
    retailer: Retailer

    async def order(self, *numbers: int) -> None:
        stage = self.stage
        await stage.accept(self.retailer, "source", *map(order_event, numbers))
        preparer = Preparer(
            stage.database, stage.vault, stage.connections, stage.routes, HandOver()
        )
        await preparer.prepare(self.retailer.tenant_id, 100)

    async def runs(self, number: int, accepted: str, deadline: str) -> None:
        """Let the clock of an order run from one moment to another (SQL intervals from now)."""
        await self.stage.write(
            self.retailer,
            "update delivery set accepted_at = now() + $2::text::interval,"
            " deadline_at = now() + $3::text::interval from lane"
            " where lane.lane_hash = delivery.lane_hash and label = $1",
            f"order:o-{number}",
            accepted,
            deadline,
        )
        await self.stage.write(
            self.retailer,
            "update lane set deadline_at = now() + $2::text::interval where label = $1",
            f"order:o-{number}",
            deadline,
        )

    async def classes(self) -> dict[str, tuple[int, bool]]:
        rows = await self.stage.rows(self.retailer, LANES)
        return {row["label"][-3:]: (row["class"], row["has_deadline"]) for row in rows}


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    async with open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
        await stage.flow(retailer, "source", "target", class_=2)
        yield Shop(stage, retailer)


async def test_the_duty_raises_lanes_as_the_rule_says_and_twice_is_once(shop: Shop) -> None:
    await shop.order(1, 2, 3, 4)
    await shop.runs(1, "-4.9 hours", "5.1 hours")
    await shop.runs(2, "-5 hours", "5 hours")
    await shop.runs(3, "-8 hours", "2 hours")

    raised = [await raise_by_clock(shop.stage.database) for _ in range(2)]

    assert raised == [2, 0]
    assert await shop.classes() == {
        "o-1": (2, True),
        "o-2": (1, True),
        "o-3": (0, True),
        "o-4": (2, False),
    }


async def test_a_lane_whose_urgent_delivery_is_gone_is_not_raised_for_it(shop: Shop) -> None:
    await shop.order(1)
    await shop.runs(1, "-9 hours", "1 hour")
    await shop.stage.write(shop.retailer, "update delivery set deadline_at = null")

    assert await raise_by_clock(shop.stage.database) == 0
    assert await shop.classes() == {"o-1": (2, False)}


async def test_an_empty_lane_forgets_that_it_was_urgent(shop: Shop) -> None:
    await shop.order(1)
    await shop.stage.write(
        shop.retailer, "update lane set class = 0, deadline_at = now(), open_count = 0"
    )
    await shop.stage.accept(shop.retailer, "source", order_event(1, version="2"))

    await shop.order()

    assert await shop.classes() == {"o-1": (2, False)}


async def test_an_order_of_high_value_is_written_one_class_higher_than_its_flow(
    shop: Shop,
) -> None:
    await shop.stage.write(
        shop.retailer,
        """update flow set settings = '{"high_value": {"amount": "500", "currency": "USD"}}'""",
    )
    shop.stage.routes.forget(shop.retailer.tenant_id)
    await shop.stage.accept(shop.retailer, "source", order_event(2, total="900.00"))

    await shop.order(1)

    assert await shop.classes() == {"o-1": (2, False), "o-2": (1, False)}
    written = await shop.stage.rows(shop.retailer, "select class from delivery order by class")
    assert [row["class"] for row in written] == [1, 2]
