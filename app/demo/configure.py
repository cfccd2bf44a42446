"""The configuration of the demo: applied from a file, so that a second start finds nothing to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from app.apply.apply import HOOK_PATH, apply_file
from app.apply.hooks_file import write_hooks
from app.connections.hooks import issue_hook
from app.demo.place import Options, write_private
from app.demo.world import PARTNER, RETAILER, TILLS, WEB_SHOP, Addresses, document, shop_state
from app.processes.floor import Floor
from connectors.catalog.tryton.local.launch import Running
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from tenants.keys import create_key

ACTOR = "operator.demo"
HOOKS_FILE = "hooks.json"


@dataclass(frozen=True, slots=True)
class Configured:
    """The retailer, the path of the web shop's hook, and the folder in which tills leave files."""

    tenant_id: UUID
    hook: str
    watched: Path
    changes: int


async def configure(
    floor: Floor, options: Options, addresses: Addresses, erp: Running
) -> Configured:
    """Make partner, retailer, connections, flows and API key; safe to repeat after any interruption."""
    file = _write_document(options.data, addresses, erp)
    applied = await apply_file(file, floor.database, floor.vault, only_plan=False)
    hooks_file = options.data / HOOKS_FILE
    if applied.hooks:
        write_hooks(hooks_file, applied.hooks)
    async with begin(OperatorScope(ACTOR), floor.database) as session:
        tenant_id: UUID = await session.fetch_value(
            "select id from tenant where slug = $1", RETAILER
        )
    await _make_key(floor, tenant_id, options)
    hook = known_hook(options) or await _new_hook(floor, tenant_id, hooks_file)
    watched = options.inbox / str(tenant_id) / str(await _connection(floor, tenant_id, TILLS))
    watched.mkdir(parents=True, exist_ok=True)
    return Configured(tenant_id, hook, watched, len(applied.changes))


def _write_document(data: Path, addresses: Addresses, erp: Running) -> Path:
    state = shop_state()
    write_private(data / "shop-access-token", state.access_token)
    write_private(data / "shop-webhook-secret", state.webhook_secret)
    file = data / "demo.yaml"
    file.write_text(document(addresses, erp.settings, erp.key_file.resolve()), encoding="utf-8")
    return file


async def _make_key(floor: Floor, tenant_id: UUID, options: Options) -> None:
    """Make a key for the retailer's API once; it stands only in files of the owner's."""
    if not options.api_key.exists():
        async with begin(OperatorScope(ACTOR), floor.database) as session:
            key = await create_key(
                session,
                given_by="operator",
                label="Demo",
                role="retailer_admin",
                tenant_id=tenant_id,
            )
        write_private(options.api_key, key.text)
    bearer = options.api_key.read_text("utf-8").strip()
    write_private(options.api_header, f"Authorization: Bearer {bearer}\n")


def known_hook(options: Options) -> str | None:
    """Give the path of the web shop's hook; None until the first start has configured it."""
    hooks_file = options.data / HOOKS_FILE
    if not hooks_file.exists():
        return None
    hooks: dict[str, str] = json.loads(hooks_file.read_text(encoding="utf-8"))
    return hooks.get(f"{PARTNER}/{RETAILER}/{WEB_SHOP}")


async def _new_hook(floor: Floor, tenant_id: UUID, hooks_file: Path) -> str:
    """Make another path: the first was shown to a start that was killed before it wrote it down."""
    connection_id = await _connection(floor, tenant_id, WEB_SHOP)
    async with begin(TenantScope(tenant_id, ACTOR), floor.database) as session:
        path = HOOK_PATH + await issue_hook(session, connection_id)
    write_hooks(hooks_file, {f"{PARTNER}/{RETAILER}/{WEB_SHOP}": path})
    return path


async def _connection(floor: Floor, tenant_id: UUID, name: str) -> UUID:
    async with begin(TenantScope(tenant_id, ACTOR), floor.database) as session:
        found: UUID = await session.fetch_value("select id from connection where name = $1", name)
    return found
