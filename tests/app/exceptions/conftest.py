"""A shop whose orders go to a target that refuses some of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from app.exceptions.hold import Hold, HoldFilter, list_holds
from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from tests.app.exceptions.picky import PickyTarget
from tests.stage import Retailer, Stage, open_stage, order_event


@dataclass(slots=True)
class Shop:
    """A retailer with one source and one picky target."""

    stage: Stage
    retailer: Retailer
    target: PickyTarget

    async def sell(self, *events: dict[str, Any]) -> None:
        """Accept orders and let the engine work until nothing is under way."""
        await self.stage.accept(self.retailer, "source", *events)
        await self.work()

    async def work(self) -> None:
        """Let the engine work until every lane is empty or waits for a person."""
        async with self.stage.engine():
            await self.stage.until(
                self.retailer,
                "select (select count(*) from message where state = 'received')"
                " + (select count(*) from lane where ready_at is not null)",
                0,
            )

    async def holds(self) -> list[Hold]:
        """Give what waits for a person, newest first."""
        return await list_holds(self.retailer.scope, self.stage.database, HoldFilter(), 50)

    async def one_hold(self) -> Hold:
        """Give the only thing that waits."""
        (hold,) = await self.holds()
        return hold

    async def states(self, table: str) -> dict[str, int]:
        """Count messages or deliveries by state."""
        rows = await self.stage.rows(
            self.retailer, f"select state, count(*) as count from {table} group by state"
        )
        return {row["state"]: row["count"] for row in rows}

    async def audited(self) -> list[tuple[str, str]]:
        """Give actions and subjects of the audit log, oldest first."""
        rows = await self.stage.rows(
            self.retailer, "select action, subject from audit order by seq"
        )
        return [(row["action"], row["subject"]) for row in rows]


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """A fresh retailer with its target running."""
    target = PickyTarget()
    async with Recorder(target) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        yield Shop(stage, retailer, target)


def broken_order(number: int) -> dict[str, Any]:
    """Write an order whose lines do not make its total."""
    event = order_event(number)
    event["data"]["total"] = "25.00"
    return event
