"""`tillwire migrate` on servers that the environment names: nothing else starts, twice is harmless."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import pytest_asyncio

from infra.database.pool import open_database
from infra.embedded.servers import Servers
from infra.ids import new_id
from tests.app.cli.conftest import Run
from tests.conftest import end_sessions, named


@pytest_asyncio.fixture
async def empty(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Servers]:
    """An external database without a schema, named by the environment as an operator does it."""
    name = f"t_{new_id().hex}"
    owner = await asyncpg.connect(servers.owner_url)
    await owner.execute(f'create database "{name}"')
    urls = Servers(named(servers.owner_url, name), named(servers.app_url, name), servers.redis_url)
    yield urls
    await end_sessions(servers.app_url, name)
    await owner.execute(f'drop database "{name}"')
    await owner.close()


def use(urls: Servers, monkeypatch: pytest.MonkeyPatch, login_url: str = "") -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", urls.owner_url)
    monkeypatch.setenv("DATABASE_URL", login_url or urls.app_url)
    monkeypatch.setenv("REDIS_URL", urls.redis_url)


async def tables(urls: Servers) -> int:
    owner = await asyncpg.connect(urls.owner_url)
    count: int = await owner.fetchval("select count(*) from pg_tables where schemaname = 'public'")
    await owner.close()
    return count


async def test_external_servers_are_used_and_none_is_started(
    empty: Servers, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(empty, monkeypatch)
    monkeypatch.chdir(tmp_path)
    children = psutil.Process().children(recursive=True)

    first = await run("migrate", "--json")
    made = await tables(empty)
    second = await run("migrate")
    keys = await run("keys", "list", "--json")

    assert (first.exit_code, second.exit_code, keys.exit_code) == (0, 0, 0)
    assert json.loads(first.stdout) == [{"schema": "newest"}]
    assert json.loads(keys.stdout) == []
    assert made > 0
    assert await tables(empty) == made
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    started = set(psutil.Process().children(recursive=True)) - set(children)
    assert [each.name() for each in started if each.name() in {"postgres", "redis-server"}] == []
    database = await open_database(empty.app_url, size=1)
    await database.close()


async def test_a_superuser_is_refused_as_login_before_anything_changes(
    empty: Servers, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await asyncpg.connect(empty.owner_url)
    login = await owner.fetchval("select rolname from pg_roles where rolsuper order by oid limit 1")
    await owner.close()
    use(empty, monkeypatch, f"postgresql://{login}:confidential@127.0.0.1:1/x")

    told = await run("migrate")

    assert told.exit_code == 2
    assert f"DATABASE_URL names the role '{login}', which is a superuser." in told.stderr
    assert "create role tillwire_login login noinherit" in told.stderr
    assert "confidential" not in told.stderr
    assert await tables(empty) == 0


@pytest.mark.parametrize("login", ["nobody_like_this", ""])
async def test_a_login_that_is_not_there_is_refused_in_words(
    login: str, empty: Servers, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(empty, monkeypatch, f"postgresql://{login}@127.0.0.1:1/x")

    told = await run("migrate")

    assert told.exit_code == 2
    assert f"DATABASE_URL names the role '{login}', which does not exist." in told.stderr
    assert await tables(empty) == 0


async def test_the_owner_of_the_schema_is_refused_as_login(
    empty: Servers, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(empty, monkeypatch, empty.owner_url)

    told = await run("migrate")

    assert told.exit_code == 2
    assert "DATABASE_URL names the role" in told.stderr
    assert await tables(empty) == 0
