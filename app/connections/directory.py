"""Look up a retailer's connections: what is configured, and a handle on its credentials."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from app.connections.freshness import FreshMemory
from app.connections.origin import origin_of
from app.connections.secrets import Secrets, sealed_rows, with_keys
from app.connections.tenant import acting_tenant
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id
from infra.keys.vault import Vault

ConnectionState = Literal["active", "paused", "disabled"]

_COLUMNS = "tenant_id, id, name, connector, title, settings, state"


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One system of a retailer as configured, without credentials."""

    tenant_id: Id
    id: Id
    name: str
    connector: str
    settings: dict[str, Any] = field(default_factory=dict)
    state: ConnectionState = "active"
    title: str = ""

    @property
    def origin(self) -> str:
        """Give scheme, host and port to which its credentials are bound."""
        return origin_of(self.settings)


@dataclass(frozen=True, slots=True)
class BookedConnection:
    """A connection with the handle on its credentials."""

    config: ConnectionConfig
    secrets: Secrets

    def is_same(self, other: BookedConnection) -> bool:
        """Say whether both are set up alike, credentials included."""
        return self.config == other.config and self.secrets.is_same(other.secrets)


async def load_connection(
    scope: TenantScope, database: Database, connection_id: Id
) -> ConnectionConfig | None:
    """Read one connection; None when it does not exist or is another retailer's."""
    async with begin(scope, database) as session:
        return await read_connection(session, connection_id)


async def list_connections(scope: TenantScope, database: Database) -> list[ConnectionConfig]:
    """Read all connections of a retailer by name."""
    async with begin(scope, database) as session:
        return await read_connections(session)


async def read_connections(session: Session) -> list[ConnectionConfig]:
    """Read all connections of a retailer within a transaction that is already open."""
    rows = await session.fetch(
        f"select {_COLUMNS} from connection where tenant_id = $1 order by name",  # noqa: S608
        acting_tenant(session),
    )
    return [_config(row) for row in rows]


async def read_connection(session: Session, connection_id: Id) -> ConnectionConfig | None:
    """Read one connection within a transaction that is already open."""
    row = await session.fetch_one(
        f"select {_COLUMNS} from connection where tenant_id = $1 and id = $2",  # noqa: S608
        acting_tenant(session),
        connection_id,
    )
    return _config(row) if row else None


class ConnectionBook:
    """Connections with their credentials in process memory, at most two seconds old.

    Nothing is kept opened: credentials stay sealed until the moment they are revealed.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._held: FreshMemory[tuple[Id, Id], BookedConnection | None] = FreshMemory(self._read)

    async def find(self, tenant_id: Id, connection_id: Id) -> BookedConnection | None:
        """Give a connection; None when it does not exist or is another retailer's."""
        return await self._held.get((tenant_id, connection_id))

    def forget(self, tenant_id: Id, connection_id: Id) -> None:
        """Drop one connection after a change made by this process."""
        self._held.forget((tenant_id, connection_id))

    async def renewed(self, booked: BookedConnection) -> BookedConnection | None:
        """Read a connection anew; None when it is as it was known."""
        key = (booked.config.tenant_id, booked.config.id)
        self._held.forget(key)
        found = await self._held.get(key)
        return None if found is None or found.is_same(booked) else found

    async def _read(self, key: tuple[Id, Id]) -> BookedConnection | None:
        tenant_id, connection_id = key
        async with begin(TenantScope(tenant_id), self._database) as session:
            config = await read_connection(session, connection_id)
            rows = await sealed_rows(session, connection_id)
        if config is None:
            return None
        secrets = await with_keys(rows, self._vault, tenant_id, connection_id, config.origin)
        return BookedConnection(config, secrets)


def _config(row: Row) -> ConnectionConfig:
    return ConnectionConfig(
        tenant_id=row["tenant_id"],
        id=row["id"],
        name=row["name"],
        connector=row["connector"],
        settings=json.loads(row["settings"]),
        state=row["state"],
        title=row["title"],
    )
