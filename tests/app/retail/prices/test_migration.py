"""The tables of prices can go and come back on a database in use; other tables keep their rows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import infra.migrations
from infra.database.pool import Database
from tests.scenarios.prices import ZONES, open_shop, price
from tests.stage import open_stage

_TABLES = """
select count(*) as count from pg_class where relname in ('price_target', 'price_version',
    'priced_article', 'stopped_sale', 'price_due', 'price_activation', 'price_proof')
"""
SENT = "select count(*) from price_activation where sent_at is not null"


async def test_prices_are_taken_and_planned_anew_after_their_tables_came_back(
    database: Database, database_urls: tuple[str, str]
) -> None:
    config = Config()
    [location] = infra.migrations.__path__
    config.set_main_option("script_location", str(Path(location)))
    before = ScriptDirectory.from_config(config).get_revision("0009").down_revision
    assert isinstance(before, str)

    def go(connection: Connection, *, target: str) -> None:
        config.attributes["connection"] = connection
        (command.upgrade if target == "head" else command.downgrade)(config, target)

    engine = create_async_engine(
        database_urls[0].replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )
    left = []
    async with open_stage(database) as stage:
        shop = await open_shop(stage)
        for target in ("", before, "head"):
            if target:
                async with engine.connect() as connection:
                    await connection.run_sync(go, target=target)
                    await connection.commit()
            left.append((await shop.rows(_TABLES))[0]["count"])
            if target != before:
                await shop.store("1", ZONES[0], "http://127.0.0.1:9")
                async with shop.open():
                    await shop.prices(price("P-1", "9.99", "2026-01-01T00:00"))
                    await shop.until(SENT, 1)
        messages = await shop.rows("select count(*) as count from message")
    await engine.dispose()

    assert left == [7, 0, 7]
    assert messages[0]["count"] == 4
