"""What the retail core says travels like everything else: once, in the books, to whoever wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio

from app.retail.voice import core_connection, say
from connectors.canonical.event import ORDER_POSTED, Event
from connectors.canonical.posting import OrderPosting
from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from infra.database.unit import begin
from tests.app.exceptions.picky import PickyTarget
from tests.stage import Retailer, Stage, open_stage

AT = datetime(2026, 11, 27, 15, tzinfo=UTC)


@dataclass
class Books:
    """A retailer whose order postings go to an ERP that records them."""

    stage: Stage
    retailer: Retailer
    erp: PickyTarget

    async def say(self, *events: Event) -> int:
        key = await self.stage.vault.current(self.retailer.tenant_id)
        async with begin(self.retailer.scope, self.stage.database) as session:
            return await say(session, key, events)


@pytest_asyncio.fixture
async def books(database: Database) -> AsyncIterator[Books]:
    erp = PickyTarget()
    async with Recorder(erp) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        async with begin(retailer.scope, database) as session:
            retailer.connections["core"] = await core_connection(session)
        await stage.connect(retailer, "erp", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "erp", ["signing_secret"])
        await stage.flow(retailer, "core", "erp", types=[ORDER_POSTED])
        yield Books(stage, retailer, erp)


def posting(agreement: int, version: str = "1") -> Event:
    """One posting of an order."""
    return Event(
        type=ORDER_POSTED,
        key="order:1001",
        object_id=f"1001/{agreement}",
        version=version,
        label=f"Posting {agreement} of order 1001",
        occurred_at=AT,
        body=OrderPosting(
            order_id="1001",
            number="1001",
            agreement=agreement,
            reason="order",
            happened_at=AT,
            currency="USD",
            total=Decimal("10.00"),
            lines=(),
        ),
    )


async def test_what_the_core_says_arrives_in_order_and_is_in_the_books(books: Books) -> None:
    assert await books.say(posting(1), posting(2)) == 2

    async with books.stage.engine():
        await books.stage.settled(books.retailer)

    ledger = await books.stage.ledger(books.retailer)
    assert [each["agreement"] for each in books.erp.taken] == [1, 2]
    assert (ledger.total.accepted, ledger.unaccounted) == (2, 0)


async def test_what_was_said_already_is_said_once(books: Books) -> None:
    await books.say(posting(1))

    assert await books.say(posting(1), posting(1, version="2")) == 1


async def test_nothing_is_said_when_what_it_follows_from_is_not_written(books: Books) -> None:
    key = await books.stage.vault.current(books.retailer.tenant_id)
    with pytest.raises(RuntimeError, match="the rest failed"):
        async with begin(books.retailer.scope, books.stage.database) as session:
            await say(session, key, [posting(1)])
            raise RuntimeError("the rest failed")

    assert (await books.stage.ledger(books.retailer)).total.accepted == 0
