"""The tables of returns go and come again on a database that holds returns."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool
from sqlalchemy.ext.asyncio import create_async_engine

import infra.migrations
from app.retail.returns.observe import observe_facts
from infra.database.pool import Database, driver_url
from infra.database.scope import TenantScope
from tests.app.retail.returns.shapes import ALL_IN, known, opened, sale
from tests.app.retail.returns.test_kill import a_retailer

TABLES = "select count(*) from pg_class where relname like 'return\\_%' and relkind = 'r'"


def _go(connection: Connection, *, is_up: bool, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(infra.migrations.__file__).parent))
    config.attributes["connection"] = connection
    (command.upgrade if is_up else command.downgrade)(config, to)


async def test_returns_can_be_removed_and_made_again_with_data_in_them(
    database: Database, database_urls: tuple[str, str]
) -> None:
    scope = TenantScope(await a_retailer(database), "Ada")
    await observe_facts(scope, database, "shop/R-1", [opened(), known(sale()), *ALL_IN])
    owner = await asyncpg.connect(database_urls[0])
    before = await owner.fetchval(TABLES)
    url = driver_url(database_urls[0]).replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)

    async with engine.connect() as connection:
        await connection.run_sync(lambda each: _go(each, is_up=False, to="0003-1"))
        await connection.commit()
        between = await owner.fetchval(TABLES)
        await connection.run_sync(lambda each: _go(each, is_up=True, to="head"))
        await connection.commit()
    after = await owner.fetchval(TABLES)
    await engine.dispose()
    await owner.close()

    assert (before, between, after) == (6, 0, 6)
