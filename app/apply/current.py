"""What is there now, as far as a configuration file speaks of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.apply.document import Document, PartnerEntry
from app.connections.directory import ConnectionConfig, read_connections
from app.connections.hooks import has_hook
from app.connections.secrets import Secrets, sealed_rows, with_keys
from app.connections.tenant import acting_tenant
from app.flows.install import FlowShape
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id
from infra.keys.vault import Vault


@dataclass(frozen=True, slots=True)
class CurrentConnection:
    """A stored connection, a handle on its credentials, and whether it has a hook address."""

    config: ConnectionConfig
    secrets: Secrets
    has_hook: bool = False


@dataclass(frozen=True, slots=True)
class CurrentFlow:
    """A stored flow; its source and target by the names of their connections."""

    shape: FlowShape
    source: str
    target: str
    settings: dict[str, Any]
    is_enabled: bool
    overrides: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class CurrentRetailer:
    """A stored retailer with its connections and flows by name."""

    id: Id
    name: str
    timezone: str
    currency: str
    connections: Mapping[str, CurrentConnection] = field(default_factory=dict)
    flows: Mapping[str, CurrentFlow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CurrentPartner:
    """A stored partner with the retailers that the file names, by slug."""

    id: Id
    name: str
    brand: dict[str, Any] = field(default_factory=dict)
    retailers: Mapping[str, CurrentRetailer] = field(default_factory=dict)


Current = Mapping[str, CurrentPartner]


async def read_current(document: Document, database: Database, vault: Vault) -> Current:
    """Read partners by slug; one directory transaction, then one for each retailer named."""
    found: dict[str, CurrentPartner] = {}
    for entry in document.partners:
        partner, retailers = await _directory(entry, database)
        if partner is not None:
            found[entry.slug] = CurrentPartner(
                partner["id"],
                partner["name"],
                json.loads(partner["brand"]),
                {row["slug"]: await _retailer(row, database, vault) for row in retailers},
            )
    return found


async def _directory(entry: PartnerEntry, database: Database) -> tuple[Row | None, list[Row]]:
    async with begin(OperatorScope(), database) as session:
        partner = await session.fetch_one(
            "select id, name, brand from partner where slug = $1", entry.slug
        )
        if partner is None:
            return None, []
        retailers = await session.fetch(
            "select id, slug, name, timezone, currency from tenant"
            " where partner_id = $1 and slug = any($2)",
            partner["id"],
            [each.slug for each in entry.retailers],
        )
    return partner, retailers


async def _retailer(row: Row, database: Database, vault: Vault) -> CurrentRetailer:
    tenant_id = row["id"]
    async with begin(TenantScope(tenant_id), database) as session:
        configs = await read_connections(session)
        sealed = {config.id: await sealed_rows(session, config.id) for config in configs}
        hooked = {config.id for config in configs if await has_hook(session, config.id)}
        flows = await _flows(session, {config.id: config.name for config in configs})
    connections = {
        config.name: CurrentConnection(
            config,
            await with_keys(sealed[config.id], vault, tenant_id, config.id, config.origin),
            config.id in hooked,
        )
        for config in configs
    }
    return CurrentRetailer(
        tenant_id, row["name"], row["timezone"], row["currency"], connections, flows
    )


async def _flows(session: Session, names: Mapping[Id, str]) -> dict[str, CurrentFlow]:
    rows = await session.fetch(
        "select name, blueprint, source_connection_id, target_connection_id, event_types, action,"
        " ordering, class, settings, is_enabled, overrides from flow"
        " where tenant_id = $1",
        acting_tenant(session),
    )
    return {
        row["name"]: CurrentFlow(
            FlowShape(
                row["blueprint"],
                tuple(row["event_types"]),
                row["action"],
                row["ordering"],
                row["class"],
            ),
            names[row["source_connection_id"]],
            names[row["target_connection_id"]],
            json.loads(row["settings"]),
            row["is_enabled"],
            tuple(json.loads(row["overrides"])),
        )
        for row in rows
    }
