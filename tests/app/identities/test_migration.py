"""The tables of names can go and come back on a database that is in use."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import infra.migrations
from app.identities.bind import bind_name, make_identity
from app.identities.bindings import Name
from app.identities.store import Grounds
from infra.database.pool import Database
from infra.database.unit import begin
from tests.app.retailer import Retailer, make_retailer

TABLES = "select count(*) from pg_class where relname in ('identity', 'binding', 'identity_match')"


async def _named(retailer: Retailer) -> None:
    connection_id = await retailer.connect("shop", "http")
    async with begin(retailer.scope, retailer.database) as session:
        shirt = await make_identity(session, "variant", "Shirt")
        name = Name(connection_id, "variant", "TS-1")
        await bind_name(session, name, shirt, Grounds("The list of the retailer."))


async def test_names_are_forgotten_and_begun_anew_while_retailers_stay(
    database: Database, database_urls: tuple[str, str]
) -> None:
    config = Config()
    [location] = infra.migrations.__path__
    config.set_main_option("script_location", str(Path(location)))
    before = ScriptDirectory.from_config(config).get_revision("0005").down_revision
    assert isinstance(before, str)
    retailer = await make_retailer(database)
    await _named(retailer)
    engine = create_async_engine(
        database_urls[0].replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )

    def go(connection: Connection, *, target: str) -> None:
        config.attributes["connection"] = connection
        (command.upgrade if target == "head" else command.downgrade)(config, target)

    left = []
    for target in (before, "head"):
        async with engine.connect() as connection:
            await connection.run_sync(go, target=target)
            await connection.commit()
        async with begin(retailer.scope, database) as session:
            left.append(
                (
                    await session.fetch_value(TABLES),
                    await session.fetch_value("select count(*) from connection"),
                )
            )
    await engine.dispose()

    assert left == [(0, 1), (3, 1)]
    await _named(await make_retailer(database))
