from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from infra.database.pool import Database
from tests.app.retail.orders.telling import Channel
from tests.stage import open_stage


@pytest_asyncio.fixture
async def channel(database: Database) -> AsyncIterator[Channel]:
    async with open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "shop", "http")
        await stage.connect(retailer, "warehouse", "http")
        await stage.connect(retailer, "store", "http")
        yield Channel(stage, retailer)
