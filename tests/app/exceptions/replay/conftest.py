"""A shop with replays: everything real, the loop driven step by step by the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest_asyncio

from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.deliveries.send import Sender
from app.exceptions.replay.create import create_replay
from app.exceptions.replay.loop import ReplayLoop
from app.exceptions.replay.parts import ReplayParts
from app.exceptions.replay.promise import Mapping
from app.exceptions.replay.read import ItemFilter, Replay, ReplayItem, list_items, read_replay
from app.exceptions.replay.selection import Selection
from app.exceptions.replay.start import start_replay
from app.flows.adjust import Adjuster
from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.ids import Id
from tests.app.exceptions.conftest import Shop
from tests.app.exceptions.picky import PickyTarget
from tests.stage import open_stage


@dataclass(slots=True)
class Replays:
    """A shop and the loop that previews and runs its replays, one step at a time."""

    shop: Shop
    loop: ReplayLoop
    target_url: str

    def person(self, name: str) -> TenantScope:
        """Give the scope of one person of the shop."""
        return TenantScope(self.shop.retailer.tenant_id, f"person:{name}")

    async def preview(self, mapping: Mapping = "now", **chosen: Any) -> Replay:
        """Ask for a replay as Ada and let it be previewed."""
        replay = await create_replay(
            self.person("ada"),
            self.shop.stage.database,
            Selection(**chosen),
            mapping,
            "The ERP is back.",
        )
        await self.rest()
        return await self.read(replay.id)

    async def rest(self) -> None:
        """Let the loop take steps until there is none to take."""
        while await self.loop.round():
            pass

    async def start(self, replay_id: Id) -> Replay:
        """Start as Ada."""
        return await start_replay(self.person("ada"), self.shop.stage.database, replay_id)

    async def done(self, replay_id: Id) -> Replay:
        """Let loop and engine work until the replay is over."""
        async with self.shop.stage.engine():
            for _ in range(2_000):
                await self.rest()
                replay = await self.read(replay_id)
                if replay.finished_at is not None:
                    return replay
                await self.shop.stage.rests(self.shop.retailer, 120)
        raise AssertionError("the replay did not end")

    async def replayed(self, **chosen: Any) -> Replay:
        """Preview, start and finish."""
        replay = await self.preview(**chosen)
        await self.start(replay.id)
        return await self.done(replay.id)

    async def read(self, replay_id: Id) -> Replay:
        """Read a replay."""
        return await read_replay(self.person("ada"), self.shop.stage.database, replay_id)

    async def items(self, replay_id: Id) -> list[ReplayItem]:
        """Read all its items."""
        return await list_items(
            self.person("ada"), self.shop.stage.database, replay_id, ItemFilter(), 10_000
        )

    async def deliveries(self, state: str) -> list[UUID]:
        """Give the deliveries in a state, oldest first."""
        rows = await self.shop.stage.rows(
            self.shop.retailer, "select id from delivery where state = $1 order by id", state
        )
        return [row["id"] for row in rows]


@pytest_asyncio.fixture
async def replays(database: Database) -> AsyncIterator[Replays]:
    """A fresh retailer, its target running, and a loop at rest."""
    target = PickyTarget()
    async with Recorder(target) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        transports = Transports(stage.egress, database, ConnectionWatch(database))
        sender = Sender(stage.connections, Adjuster(database), transports.of, 2.0)
        parts = ReplayParts(database, stage.vault, stage.routes, sender, lambda: None)
        yield Replays(Shop(stage, retailer, target), ReplayLoop(parts, 0.05), recorder.url)
