"""The ERP's database on PostgreSQL: known by its mark, wherever its server listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from connectors.catalog.tryton.local.database import Place
from connectors.catalog.tryton.local.failure import LocalTrytonError
from infra.embedded.servers import Servers


@pytest.fixture
async def server_uri(servers: Servers) -> AsyncIterator[str]:
    parts = urlsplit(servers.owner_url)
    yield urlunsplit(parts._replace(path="/"))
    owner = await asyncpg.connect(servers.owner_url)
    await owner.execute("drop database if exists tryton with (force)")
    await owner.close()


async def test_finished_database_is_known_when_its_server_has_another_address(
    server_uri: str, tmp_path: Path
) -> None:
    place = Place(tmp_path, server_uri)
    await asyncio.to_thread(place.create_empty)
    place.finish()
    moved = Place(tmp_path, server_uri.replace("127.0.0.1", "localhost"))

    assert await asyncio.to_thread(moved.is_finished)


async def test_database_with_another_mark_is_not_touched(server_uri: str, tmp_path: Path) -> None:
    theirs, ours = Place(tmp_path / "theirs", server_uri), Place(tmp_path / "ours", server_uri)
    for place in (theirs, ours):
        place.folder.mkdir()
    await asyncio.to_thread(theirs.create_empty)
    theirs.finish()

    with pytest.raises(LocalTrytonError, match="knows nothing of"):
        await asyncio.to_thread(ours.create_empty)

    assert await asyncio.to_thread(theirs.is_finished)
