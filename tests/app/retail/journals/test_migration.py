"""The tables of finance can go and come back on a database in use; sale records are taken anew."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import infra.migrations
from app.retail.journals.close import close_day
from tests.app.retail.journals.conftest import DAY, Shop, expected, poslog, tickets


async def test_finance_comes_back_from_the_events(
    shop: Shop, database_urls: tuple[str, str]
) -> None:
    sold = tickets(40)
    await shop.arrive("day.xml", poslog(sold))
    await _close(shop)
    config = Config()
    [location] = infra.migrations.__path__
    config.set_main_option("script_location", str(Path(location)))
    before = ScriptDirectory.from_config(config).get_revision("0004").down_revision
    assert isinstance(before, str)

    def go(connection: Connection, *, target: str) -> None:
        config.attributes["connection"] = connection
        (command.upgrade if target == "head" else command.downgrade)(config, target)

    engine = create_async_engine(
        database_urls[0].replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )
    left = []
    for target in (before, "head"):
        async with engine.connect() as connection:
            await connection.run_sync(go, target=target)
            await connection.commit()
        tables = await shop.stage.rows(
            shop.retailer,
            "select count(*) as count from pg_class where relname in"
            " ('sale_record', 'store_day', 'journal', 'journal_line', 'settlement', 'break')",
        )
        left.append(tables[0]["count"])
    await engine.dispose()
    await _close(shop)

    assert left == [0, 6]
    assert await shop.booked() == expected(sold)
    assert [each.revision for each in await shop.journals()] == [1]


async def _close(shop: Shop) -> None:
    await close_day(shop.retailer.scope, shop.stage.database, shop.stage.vault, "12", DAY)
