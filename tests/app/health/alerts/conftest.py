"""A desk for each test; the database is the module's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from infra.database.pool import Database
from tests.app.health.alerts.desk import Desk, open_desk


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """Mail server, webhook receiver, planner and sender."""
    async with open_desk(database) as opened:
        yield opened
