"""A shop with stores in four zones, an ERP that sends prices, and the loop that distributes them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.retail.prices.loop import PriceLoop
from app.retail.prices.targets import WantedTarget, ensure_target
from app.retail.voice import core_connection
from connectors.canonical.event import PRICE_SET, PRODUCT_SET, PROMOTION_SET
from infra import clock
from infra.database.unit import begin
from tests.scenarios.told import KeepingTarget
from tests.stage import Retailer, Stage

ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
_numbers = itertools.count(1)


@dataclass(slots=True)
class Shop:
    """A retailer whose stores stand behind one connection, unless a store has its own."""

    stage: Stage
    retailer: Retailer
    stores: dict[str, str] = field(default_factory=dict)

    async def store(
        self,
        number: str,
        zone: str,
        url: str,
        *,
        connection: str = "",
        has_flow: bool = True,
        **changes: Any,
    ) -> None:
        """Let a store take prices at an address."""
        name = connection or f"store-{number}"
        if name not in self.retailer.connections:
            await self.stage.connect(self.retailer, name, "http", base_url=url)
            await self.stage.give_secret(self.retailer, name, ["signing_secret"])
            if has_flow:
                await self._flow_to(name)
        self.stores[number] = zone
        wanted = WantedTarget(
            **{"connection": name, "place": number, "zone": zone, "currency": "USD", **changes}
        )
        async with begin(self.retailer.scope, self.stage.database) as session:
            await ensure_target(session, wanted)

    async def _flow_to(self, name: str) -> None:
        types = [PRICE_SET, PROMOTION_SET, PRODUCT_SET]
        await self.stage.flow(
            self.retailer, "core", name, types=types, ordering="latest_wins", class_=1
        )

    async def tells(self, kind: str, *objects: dict[str, Any], at: datetime | None = None) -> None:
        """Let the ERP send objects of one kind, each as a new version."""
        told_at = (at or clock.now()).isoformat()
        events = [
            {
                "specversion": "1.0",
                "id": f"evt-{next(_numbers)}",
                "source": "erp",
                "type": kind,
                "time": told_at,
                "data": each,
            }
            for each in objects
        ]
        await self.stage.accept(self.retailer, "erp", *events)

    async def prices(self, *prices: dict[str, Any], at: datetime | None = None) -> None:
        """Let the ERP send prices."""
        await self.tells(PRICE_SET, *prices, at=at)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run the engine and the loop of prices until the block ends."""
        loop = PriceLoop(self.stage.database, self.stage.vault, lambda: None)
        async with self.stage.engine(), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(loop.run())
            try:
                yield
            finally:
                running.cancel()

    async def until(self, sql: str, expected: object, at_most_s: float = 30) -> None:
        """Wait until a query gives the expected value."""
        await self.stage.until(self.retailer, sql, expected, at_most_s)

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Read rows of the retailer."""
        return await self.stage.rows(self.retailer, sql, *args)


async def open_shop(stage: Stage) -> Shop:
    """Make the retailer with its ERP and its core."""
    retailer = await stage.retailer()
    await stage.connect(retailer, "erp", "http")
    async with begin(retailer.scope, stage.database) as session:
        retailer.connections["core"] = await core_connection(session)
    return Shop(stage, retailer)


def price(
    price_id: str, amount: str, begins: str, *, sku: str = "MUG", **changes: Any
) -> dict[str, Any]:
    """Write a price as an ERP sends it; `begins` by the clock on the wall."""
    told = {"price_id": price_id, "sku": sku, "amount": amount, "currency": "USD"}
    return {**told, "effective_from": begins, **changes}


def wall(moment: datetime, zone: str) -> str:
    """Say what the clock on a wall shows at a moment."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()


def told_amounts(target: KeepingTarget) -> list[tuple[str, str]]:
    """Give store and amount of every price a target was told, in order."""
    return [
        (event["data"]["scope"]["name"], event["data"]["amount"])
        for event in target.events()
        if event["type"] == PRICE_SET
    ]


def states(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Give the state of each place."""
    return {row["place"]: row["state"] for row in rows}


OF_PLACES = """
select t.place, a.state, a.amount, a.words, a.begins_at, a.accepted_at, a.leakage
from price_activation a join price_target t on t.tenant_id = a.tenant_id and t.id = a.target_id
order by t.place, a.begins_at
"""
