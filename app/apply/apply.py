"""Make the platform as a configuration file says; a second time there is nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from app.apply.current import Current, read_current
from app.apply.document import ConnectionEntry, Document, PartnerEntry, RetailerEntry
from app.apply.plan import Change, SecretValues, brand_of, plan
from app.apply.read import read_document, read_secret
from app.connections.changes import Change as NotedChange
from app.connections.changes import note_change
from app.connections.configure import WantedConnection, ensure_connection
from app.connections.hooks import issue_hook
from app.connections.secrets import put_secret
from app.flows.install import WantedFlow, ensure_flow
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id
from infra.keys.vault import TenantKey, Vault
from tenants.partners import ensure_partner
from tenants.retailers import ensure_retailer

ACTOR = "platform.apply_file"
HOOK_PATH = "/hooks/"


@dataclass(frozen=True, slots=True)
class Applied:
    """What differed, and the hook paths made now: by connection, shown this once."""

    changes: tuple[Change, ...]
    hooks: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is left to do for one retailer: places of changed things, credentials to store."""

    place: str
    todo: frozenset[tuple[str, str]]
    secrets: SecretValues
    key: TenantKey

    def needs(self, kind: str, place: str) -> bool:
        """Say whether the plan names this thing."""
        return (kind, place) in self.todo

    def is_needed(self) -> bool:
        """Say whether the plan names anything of this retailer."""
        return any(place.startswith(f"{self.place}/") for _, place in self.todo)


async def apply_file(path: Path, database: Database, vault: Vault, *, only_plan: bool) -> Applied:
    """Read a file and make it so; with `only_plan` nothing is written.

    Each retailer is one transaction: a refusal leaves it as it was, and a repeat goes on from there.
    Raises PlatformError naming the thing and the way out.
    """
    document = read_document(path)
    secrets = dict(_secrets(document, path.parent))
    current = await read_current(document, database, vault)
    changes = plan(document, current, secrets)
    if only_plan or not changes:
        return Applied(changes, {})
    todo = frozenset((change.kind, change.place) for change in changes)
    hooks: dict[str, str] = {}
    for partner in document.partners:
        tenant_ids = await _directory(partner, current, database)
        for retailer in partner.retailers:
            tenant_id = tenant_ids[retailer.slug]
            key = await vault.current(tenant_id)
            work = _Work(f"{partner.slug}/{retailer.slug}", todo, secrets, key)
            if work.is_needed():
                async with begin(TenantScope(tenant_id, ACTOR), database) as session:
                    hooks |= await _configure(session, retailer, work)
    return Applied(changes, hooks)


def _secrets(document: Document, folder: Path) -> Iterator[tuple[str, SecretStr]]:
    for partner in document.partners:
        for retailer in partner.retailers:
            for connection in retailer.connections:
                place = f"{partner.slug}/{retailer.slug}/{connection.name}"
                for field, reference in connection.secrets.items():
                    yield f"{place}/{field}", read_secret(reference, folder, f"{place}/{field}")


async def _directory(partner: PartnerEntry, current: Current, database: Database) -> dict[str, Id]:
    brand = brand_of(partner, current.get(partner.slug))
    async with begin(OperatorScope(ACTOR), database) as session:
        made = await ensure_partner(session, partner.slug, partner.name, brand)
        return {
            each.slug: (
                await ensure_retailer(
                    session, made.id, each.slug, each.name, each.timezone, each.currency
                )
            ).id
            for each in partner.retailers
        }


async def _configure(session: Session, retailer: RetailerEntry, work: _Work) -> dict[str, str]:
    ids: dict[str, Id] = {}
    hooks: dict[str, str] = {}
    for entry in retailer.connections:
        place = f"{work.place}/{entry.name}"
        wanted = WantedConnection(
            name=entry.name,
            connector=entry.connector,
            title=entry.title,
            settings=dict(entry.settings),
            state=entry.state,
            new_credentials=frozenset(entry.secrets),
        )
        ids[entry.name], _ = await ensure_connection(session, wanted)
        for field in entry.secrets:
            if work.needs("credential", f"{place}/{field}"):
                value = work.secrets[f"{place}/{field}"]
                await put_secret(session, work.key, ids[entry.name], field, value)
                await note_change(session, _stored_credential(entry, ids[entry.name], field))
        if work.needs("hook", place):
            hooks[place] = HOOK_PATH + await issue_hook(session, ids[entry.name])
    await _install(session, retailer, ids)
    return hooks


def _stored_credential(entry: ConnectionEntry, connection_id: Id, field: str) -> NotedChange:
    words = f"A credential of {entry.title or entry.name} was stored: {field.replace('_', ' ')}."
    return NotedChange("credential", words, entry.connector, connection_id, detail={"field": field})


async def _install(session: Session, retailer: RetailerEntry, ids: dict[str, Id]) -> None:
    for entry in retailer.flows:
        wanted = WantedFlow(
            name=entry.name,
            blueprint=entry.blueprint,
            source=ids[entry.source],
            target=ids[entry.target],
            settings=dict(entry.settings),
            action=entry.action,
            is_enabled=entry.enabled,
            overrides=None if entry.overrides is None else tuple(map(dict, entry.overrides)),
        )
        await ensure_flow(session, wanted)
