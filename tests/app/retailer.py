"""A retailer to test with: made in the real directory, with a vault of its own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pydantic import SecretStr

from app.connections.configure import WantedConnection, ensure_connection
from app.connections.secrets import put_secret
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from infra.ids import Id, new_id
from infra.keys.master import MasterKey, MasterKeys
from infra.keys.vault import Vault
from tenants.partners import ensure_partner
from tenants.retailers import ensure_retailer


@dataclass(frozen=True, slots=True)
class Retailer:
    """One retailer and what is needed to configure it."""

    database: Database
    vault: Vault
    id: Id

    @property
    def scope(self) -> TenantScope:
        return TenantScope(self.id, "person.tester")

    async def connect(
        self, name: str, connector: str = "tryton", *, base_url: str = "https://erp.example"
    ) -> Id:
        wanted = WantedConnection(name, connector, settings={"base_url": base_url})
        async with begin(self.scope, self.database) as session:
            connection_id, _ = await ensure_connection(session, wanted)
        return connection_id

    async def store(self, connection_id: Id, field: str, value: str) -> None:
        key = await self.vault.current(self.id)
        async with begin(self.scope, self.database) as session:
            await put_secret(session, key, connection_id, field, SecretStr(value))


def new_vault(database: Database) -> Vault:
    return Vault(database, MasterKeys(MasterKey(secrets.token_bytes(32))))


async def make_retailer(database: Database, vault: Vault | None = None) -> Retailer:
    slug = f"p-{new_id().hex}"
    async with begin(OperatorScope("person.tester"), database) as session:
        partner = await ensure_partner(session, slug, "Harborline", {})
        made = await ensure_retailer(
            session, partner.id, "maple-main", "Maple & Main", "America/New_York", "USD"
        )
    return Retailer(database, vault or new_vault(database), made.id)
