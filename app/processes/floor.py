"""What every process stands on: settings, pool, vault, books of connections and routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.connections.directory import ConnectionBook
from app.flows.routes import RouteBook
from infra.database.pool import Database, open_database
from infra.keys.master import masters_from_settings
from infra.keys.vault import Vault
from infra.settings import DatabaseSettings, KeySettings, load


@dataclass(frozen=True, slots=True)
class Floor:
    """The shared parts of one process."""

    database: Database
    vault: Vault
    connections: ConnectionBook
    routes: RouteBook


@asynccontextmanager
async def open_floor(
    application: str, *, statement_timeout_s: float, only_by_key: bool = False
) -> AsyncIterator[Floor]:
    """Open the shared parts and close them again; refuses to start under a powerful role."""
    settings = load(DatabaseSettings)
    masters = masters_from_settings(load(KeySettings))
    database = await open_database(
        settings.database_url.get_secret_value(),
        size=settings.pool_max_connections,
        application=application,
        statement_timeout_ms=int(statement_timeout_s * 1000),
        only_by_key=only_by_key,
    )
    vault = Vault(database, masters)
    try:
        yield Floor(database, vault, ConnectionBook(database, vault), RouteBook(database))
    finally:
        await database.close()
