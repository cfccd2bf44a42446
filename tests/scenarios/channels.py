"""Channels of a retailer for publishing tests: positions as the keeper writes them, and publishers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.retail.publishing.loop import Publisher
from app.retail.publishing.path import PublishingParts
from connectors.catalog.http.emulator import Recorder
from infra.ids import Id, new_id
from infra.wake import Wake
from tests.benchmarks.oversell.real.channel import Channel
from tests.stage import Retailer, Stage

_PUT = """
insert into channel_position (tenant_id, connection_id, sku, target, shown, shown_at, unit_price,
    currency, occurred_at)
values ($1, $2, $3, $4, $5, case when $5::int is null then null else now() end, 10, 'USD', now())
on conflict (tenant_id, connection_id, sku) do update set target = excluded.target,
    target_at = clock_timestamp(), seq = channel_position.seq + 1, state = 'due',
    occurred_at = coalesce(channel_position.occurred_at, now())
"""
_NEWS = """
insert into channel_turn (tenant_id, connection_id, due_at) values ($1, $2, clock_timestamp())
on conflict (tenant_id, connection_id) do update set due_at = least(channel_turn.due_at,
    clock_timestamp())
"""
_LEFT = (
    "select count(*) from channel_position where state in ('due') or (state = 'shown'"
    " and shown is distinct from target)"
)


@dataclass(slots=True)
class Shelf:
    """One retailer with channels; `told` is what the keeper would write."""

    stage: Stage
    retailer: Retailer
    channels: dict[str, Channel] = field(default_factory=dict)

    def id_of(self, name: str) -> Id:
        """Give the id of a channel's connection."""
        return self.retailer.connections[name]

    async def told(self, name: str, sku: str, target: int, shown: int | None = None) -> None:
        """Set what a channel may show; `shown` only counts for an article that is new."""
        args = (self.retailer.tenant_id, self.id_of(name))
        await self.stage.write(self.retailer, _PUT, *args, sku, target, shown)
        await self.stage.write(self.retailer, _NEWS, *args)

    async def row(self, name: str, sku: str) -> dict[str, Any]:
        """Read one position."""
        (row,) = await self.stage.rows(
            self.retailer,
            "select * from channel_position where connection_id = $1 and sku = $2",
            self.id_of(name),
            sku,
        )
        return row

    async def rule(self, name: str, sku: str = "", **changes: Any) -> None:
        """Write a channel's rule."""
        names = ", ".join(["tenant_id", "connection_id", "sku", *changes])
        places = ", ".join(f"${number}" for number in range(1, 4 + len(changes)))
        await self.stage.write(
            self.retailer,
            f"insert into channel_rule ({names}) values ({places})",
            self.retailer.tenant_id,
            self.id_of(name),
            sku,
            *changes.values(),
        )

    async def converged(self, at_most_s: float = 30) -> None:
        """Wait until every channel shows what it may show."""
        await self.stage.until(self.retailer, _LEFT, 0, at_most_s)


@asynccontextmanager
async def open_shelf(stage: Stage, **channels: dict[str, Any]) -> AsyncIterator[Shelf]:
    """Set up a retailer with one emulated channel for each name; values are connection settings."""
    shelf = Shelf(stage, await stage.retailer())
    async with contextlib.AsyncExitStack() as stack:
        for name, settings in channels.items():
            channel = shelf.channels[name] = Channel(limit=settings.pop("limit", None))
            server = await stack.enter_async_context(Recorder(channel))
            await stage.connect(shelf.retailer, name, "http", base_url=server.url, **settings)
            await stage.give_secret(shelf.retailer, name, ["signing_secret"])
        yield shelf


@asynccontextmanager
async def publishing(stage: Stage) -> AsyncIterator[None]:
    """Run one publisher, as a worker process runs it, until the block ends."""
    watch = ConnectionWatch(stage.database)
    transports = Transports(stage.egress, stage.database, watch)
    parts = PublishingParts(stage.database, stage.connections, transports, watch)
    publisher = Publisher(parts, f"test:{new_id()}", Wake())
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(run) for run in (publisher.run(), transports.run())]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
    await transports.close()
