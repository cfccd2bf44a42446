"""The tables of the portal can go and come back on a database that is in use."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import infra.migrations
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import new_id
from tenants.people import Place, ensure_person, give_role
from tenants.sign_in.hosts import add_host, front_of_host
from tenants.sign_in.links import enter_by_link, make_link
from tenants.sign_in.sessions import find_session
from tests.app.retailer import make_retailer

TABLES = (
    "select count(*) from pg_class where relkind = 'r' and relname in"
    " ('credential', 'entry_link', 'portal_session', 'sign_in_failure', 'portal_host')"
)


async def entered(database: Database) -> str:
    """Let somebody in by a link; gives the host of a partner with a portal."""
    host = f"{new_id().hex}.example"
    async with begin(OperatorScope("test"), database) as session:
        partner_id = await session.fetch_value("select id from partner limit 1")
        await add_host(session, partner_id, host)
        person = await ensure_person(session, f"{host}@shop.example", "Pat")
        await give_role(session, person.id, "operator", Place(), given_by="operator")
        link = await make_link(session, person.id, "sign_in", timedelta(minutes=5))
    cookie = await enter_by_link(link.path.rsplit("/", 1)[1], "Browser", database)
    assert await find_session(cookie, database) is not None
    return host


async def test_who_may_enter_is_forgotten_and_begun_anew_while_people_stay(
    database: Database, database_urls: tuple[str, str]
) -> None:
    config = Config()
    [location] = infra.migrations.__path__
    config.set_main_option("script_location", str(Path(location)))
    await make_retailer(database)
    host = await entered(database)
    engine = create_async_engine(
        database_urls[0].replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )

    def go(connection: Connection, *, target: str) -> None:
        config.attributes["connection"] = connection
        (command.upgrade if target == "head" else command.downgrade)(config, target)

    left = []
    for target in ("0011", "head"):
        async with engine.connect() as connection:
            await connection.run_sync(go, target=target)
            await connection.commit()
        async with begin(OperatorScope("test"), database) as session:
            people = await session.fetch_value("select count(*) from person")
            left.append((await session.fetch_value(TABLES), people))
    await engine.dispose()

    assert left == [(0, 1), (5, 1)]
    assert await front_of_host(host, database) is None
    assert await front_of_host(await entered(database), database) is not None
