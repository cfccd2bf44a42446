"""What settling writes beside the state: classes of errors, versions, when to look again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest_asyncio

from app.deliveries.handover import HandOver
from app.pipeline.prepare import Preparer
from connectors.catalog.http.emulator import Faults, Recorder, Target
from connectors.catalog.http.emulator.target import Reply
from infra.database.pool import Database
from tests.scenarios.wholesaler import stock_event
from tests.stage import Stage, open_stage, order_event

HOLD = (
    "select code, error_class, event_type, object_id, deadline_at,"
    " round(extract(epoch from recheck_at - created_at)) as recheck_s from hold"
)
ATTEMPTS = "select outcome, error_class, flow_version from attempt order by id"


class RefusingTarget(Target):
    """Takes no record."""

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        return Reply(422, b'{"errors":[{"pointer":"/data/number"}]}')


@pytest_asyncio.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def test_a_refused_record_is_held_with_its_class_and_what_it_is_about(stage: Stage) -> None:
    retailer = await stage.retailer()
    async with Recorder(RefusingTarget()) as recorder:
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        await stage.write(retailer, "update flow set version = 7")
        await stage.accept(retailer, "source", order_event(1))

        async with stage.engine():
            await stage.rests(retailer)

    (hold,) = await stage.rows(retailer, HOLD)
    (delivery,) = await stage.rows(retailer, "select state, error_class from delivery")
    assert hold == {
        "code": "target.refused",
        "error_class": "data",
        "event_type": "retail.order.placed.v1",
        "object_id": "o-1",
        "deadline_at": None,
        "recheck_s": hold["recheck_s"],
    }
    assert delivery == {"state": "held", "error_class": "data"}
    assert await stage.rows(retailer, ATTEMPTS) == [
        {"outcome": "Rejected", "error_class": "data", "flow_version": 7}
    ]


async def test_a_hold_has_the_deadline_of_its_delivery(stage: Stage) -> None:
    retailer = await stage.retailer()
    async with Recorder(RefusingTarget()) as recorder:
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        await stage.accept(retailer, "source", order_event(1))
        books = (stage.connections, stage.routes, HandOver())
        await Preparer(stage.database, stage.vault, *books).prepare(retailer.tenant_id, 10)
        await stage.write(retailer, "update delivery set deadline_at = '2026-11-27T19:00:00Z'")

        async with stage.engine():
            await stage.rests(retailer)

    (hold,) = await stage.rows(retailer, HOLD)
    assert hold["deadline_at"] == datetime(2026, 11, 27, 19, tzinfo=UTC)


async def test_a_held_record_is_looked_at_again_where_its_target_can_be_asked(
    stage: Stage,
) -> None:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "erp", "tryton", base_url="http://127.0.0.1:9")
    await stage.give_secret(retailer, "erp", ["key"])
    await stage.flow(retailer, "source", "erp", action="create_order")
    await stage.accept(retailer, "source", order_event(1))

    async with stage.engine():
        await stage.rests(retailer)

    (hold,) = await stage.rows(retailer, HOLD)
    assert (hold["code"], hold["error_class"]) == ("settings.invalid", "contract")
    assert hold["recheck_s"] == 20


async def test_a_held_record_waits_for_people_where_its_target_cannot_be_asked(
    stage: Stage,
) -> None:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "shop", "shopify", base_url="http://127.0.0.1:9")
    await stage.give_secret(retailer, "shop", ["access_token"])
    await stage.flow(
        retailer,
        "source",
        "shop",
        types=["retail.stock.position.v1"],
        action="set_stock",
        ordering="latest_wins",
    )
    await stage.accept(retailer, "source", stock_event(3))

    async with stage.engine():
        await stage.rests(retailer)

    (hold,) = await stage.rows(retailer, HOLD)
    assert (hold["code"], hold["error_class"]) == ("location.unmapped", "contract")
    assert hold["recheck_s"] is None


async def test_a_record_that_went_through_after_trouble_has_no_class_any_more(
    stage: Stage,
) -> None:
    retailer = await stage.retailer()
    target = Target(faults=Faults(throttled=1.0))
    async with Recorder(target) as recorder:
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        await stage.accept(retailer, "source", order_event(1))
        async with stage.engine():
            await stage.until(
                retailer, "select error_class || '/' || code from delivery", "rate/target.throttled"
            )

            target.faults = Faults()
            await stage.settled(retailer)

    (delivery,) = await stage.rows(retailer, "select state, error_class, code from delivery")
    outcomes = {
        (each["outcome"], each["error_class"]) for each in await stage.rows(retailer, ATTEMPTS)
    }
    assert delivery == {"state": "delivered", "error_class": "", "code": ""}
    assert outcomes == {("RetryLater", "rate"), ("Delivered", "")}


async def test_a_message_that_cannot_be_read_is_held_with_its_class(stage: Stage) -> None:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    await stage.flow(retailer, "source", "target")
    nameless = order_event(2)
    del nameless["data"]["number"]
    await stage.accept(retailer, "source", order_event(1, total="19.999"), nameless)

    async with stage.engine():
        await stage.until(retailer, "select count(*) from hold", 2)

    rows = await stage.rows(retailer, "select code, error_class, event_type from hold order by id")
    assert [tuple(row.values()) for row in rows] == [
        ("amount.scale", "data", ""),
        ("contract.missing_field", "contract", ""),
    ]
