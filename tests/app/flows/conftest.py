"""A shop whose orders go to one recording target, and what is sent through its flow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from app.flows.manual import ManualOverride, NewManual, add_manual
from app.flows.versions import FlowVersion, NewVersion, publish_version
from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from infra.database.unit import begin
from infra.ids import Id
from tests.app.exceptions.conftest import Shop
from tests.app.exceptions.picky import PickyTarget
from tests.stage import open_stage


class MappedShop(Shop):
    """The shop, with the verbs of its mapping."""

    @property
    def flow_id(self) -> Id:
        """Give its only flow."""
        return next(iter(self.retailer.flows.values()))

    async def publish(self, *rules: dict[str, Any], note: str = "", **more: Any) -> FlowVersion:
        """Publish rules, as the API does: in another process than the one that sends."""
        async with begin(self.retailer.scope, self.stage.database) as session:
            wanted = NewVersion(self.flow_id, note, overrides=list(rules), **more)
            return await publish_version(session, wanted)

    async def except_for(self, **wanted: Any) -> ManualOverride:
        """Make an exception by hand."""
        async with begin(self.retailer.scope, self.stage.database) as session:
            return await add_manual(session, NewManual(self.flow_id, **wanted))


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[MappedShop]:
    """A fresh retailer with its target running."""
    target = PickyTarget()
    async with Recorder(target) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        yield MappedShop(stage, retailer, target)
