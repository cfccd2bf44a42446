"""What every scenario stands on: a stage on a fresh book, and a target that keeps what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from infra.database.pool import Database
from tests.app.api.served import Served, serve
from tests.connectors.tryton.conftest import tryton
from tests.scenarios.told import KeepingTarget, recorder
from tests.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(stage: Stage) -> AsyncIterator[Served]:
    async with serve(stage) as running:
        yield running


@pytest_asyncio.fixture
async def target() -> AsyncIterator[KeepingTarget]:
    keeping, server = recorder()
    async with server:
        keeping.url = server.url
        yield keeping


__all__ = ["served", "stage", "target", "tryton"]
