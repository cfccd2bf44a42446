"""The tables of orders go and come again on a database that holds orders."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool
from sqlalchemy.ext.asyncio import create_async_engine

import infra.migrations
from infra.database.pool import driver_url
from tests.app.retail.orders.telling import Channel, order, placed

TABLES = """
select count(*) from pg_class where relkind = 'r' and relname in ('sales_order', 'agreement',
    'agreement_line', 'order_refund', 'order_shipment', 'order_listed', 'order_sweep')
"""


def _go(connection: Connection, *, is_up: bool, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(infra.migrations.__file__).parent))
    config.attributes["connection"] = connection
    (command.upgrade if is_up else command.downgrade)(config, to)


async def test_orders_can_be_removed_and_made_again_with_data_in_them(
    channel: Channel, database_urls: tuple[str, str]
) -> None:
    await channel.tell(placed(order(("1", 1, "10.00"))))
    owner = await asyncpg.connect(database_urls[0])
    before = await owner.fetchval(TABLES)
    url = driver_url(database_urls[0]).replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)

    async with engine.connect() as connection:
        await connection.run_sync(lambda each: _go(each, is_up=False, to="0006"))
        await connection.commit()
        between = await owner.fetchval(TABLES)
        await connection.run_sync(lambda each: _go(each, is_up=True, to="head"))
        await connection.commit()
    after = await owner.fetchval(TABLES)
    await engine.dispose()
    await owner.close()

    assert (before, between, after) == (7, 0, 7)
