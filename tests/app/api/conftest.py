"""A shop with orders in every state, served to a key of its administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest_asyncio

from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from tenants.roles import Role
from tests.app.api.served import Served, key_of, serve
from tests.app.exceptions.conftest import Shop, broken_order
from tests.app.exceptions.picky import PickyTarget
from tests.stage import open_stage, order_event


@dataclass(slots=True)
class Api:
    """A shop, its running API and the key of its administrator."""

    shop: Shop
    served: Served
    key: str

    async def call(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Send one request as the administrator."""
        return await self.served.call(method, path, self.key, **request)

    async def json(self, path: str) -> Any:
        """Read something that is there."""
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def one(self, path: str) -> Any:
        """Read the only entry of a list."""
        (only,) = (await self.json(path))["items"]
        return only


@pytest_asyncio.fixture
async def api(database: Database) -> AsyncIterator[Api]:
    """A retailer whose orders go to a picky target: o-1 is refused, o-3 cannot be read."""
    target = PickyTarget(refused={"o-1"})
    async with (
        Recorder(target) as recorder,
        open_stage(database) as stage,
        serve(stage) as served,
    ):
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.connect(retailer, "till", "pos_files", dialect="poslog_ncr", timezone="UTC")
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        shop = Shop(stage, retailer, target)
        await shop.sell(order_event(1), order_event(2), broken_order(3))
        key = await key_of(stage, Role.RETAILER_ADMIN, tenant_id=retailer.tenant_id)
        yield Api(shop, served, key)
