"""What all tests stand on: real PostgreSQL and Redis, a fresh migrated database for each module."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from infra.database.migrate import migrate
from infra.database.pool import Database, open_database
from infra.embedded.servers import Servers, start, stop
from infra.ids import new_id
from infra.numbers import keep_numbers_exact

# As every process does at its start.
keep_numbers_exact()

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The vendors' files and samples beside the project; tests that judge by them skip without."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside this clone: vendors' samples are judged where they are")
    return SHARED


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Real servers for this test process, or those that the environment names."""
    if "DATABASE_OWNER_URL" in os.environ:
        yield Servers(
            os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
        )
        return
    data_dir = tmp_path_factory.mktemp("servers")
    try:
        yield start(data_dir, report=lambda _: None)
    finally:
        stop(data_dir)


def named(url: str, name: str) -> str:
    """Give the same address with another database name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def end_sessions(login_url: str, name: str) -> None:
    """Wait until the login role's sessions are gone; the owner may not end them by force."""
    login = await asyncpg.connect(login_url)
    await login.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = $1 and usename = current_user",
        name,
    )
    await login.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def schema(servers: Servers) -> AsyncIterator[str]:
    """The name of a migrated, empty database; copying it takes a tenth of the time of migrating."""
    name = f"schema_{new_id().hex}"
    owner = await asyncpg.connect(servers.owner_url)
    await owner.execute(f'create database "{name}"')
    await migrate(named(servers.owner_url, name), named(servers.app_url, name))
    yield name
    await owner.execute(f'drop database "{name}"')
    await owner.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database_urls(servers: Servers, schema: str) -> AsyncIterator[tuple[str, str]]:
    """A fresh migrated database: the owner's address and the login role's."""
    name = f"t_{new_id().hex}"
    owner = await asyncpg.connect(servers.owner_url)
    await owner.execute(f'create database "{name}" template "{schema}"')
    urls = (named(servers.owner_url, name), named(servers.app_url, name))
    yield urls
    await end_sessions(servers.app_url, name)
    # Not by force: that fails on an autovacuum worker, which a plain drop asks to leave.
    await owner.execute(f'drop database "{name}"')
    await owner.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(database_urls: tuple[str, str]) -> AsyncIterator[Database]:
    """The pool of a fresh migrated database, under the login role."""
    opened = await open_database(database_urls[1], size=8)
    yield opened
    await opened.close()
