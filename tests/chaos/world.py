"""The world of a run: servers in a throw-away folder, a schema, and configured retailers."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

from pydantic import SecretStr

from app.connections.configure import WantedConnection, ensure_connection
from app.connections.hooks import issue_hook
from app.connections.secrets import put_secret
from app.flows.install import WantedFlow, ensure_flow
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from infra.embedded import servers
from infra.embedded.ports import free_port
from infra.ids import Id
from infra.keys.master import MasterKey, MasterKeys
from infra.keys.vault import Vault
from tenants.keys import create_key
from tenants.partners import create_partner
from tenants.retailers import RetailerFacts, create_retailer
from tenants.roles import Role

ACTOR = "chaos"
ORDERS, TARGET = "orders", "target"


@dataclass(frozen=True, slots=True)
class Shop:
    """One retailer, with what a client needs to send for it."""

    tenant_id: Id
    hook_path: str = field(repr=False)
    api_key: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is: servers, ports, and the environment of our processes."""

    folder: Path
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    web_port: int
    target_port: int
    master_key: bytes = field(repr=False)

    @property
    def data(self) -> Path:
        """The folder of the embedded servers."""
        return self.folder / "servers"

    def environment(self) -> dict[str, str]:
        """Give the settings of our processes: short leases, quick retries, the target allowed."""
        return {
            "DATABASE_URL": self.app_url,
            "REDIS_URL": self.redis_url,
            "TILLWIRE_MASTER_KEY": base64.b64encode(self.master_key).decode(),
            "EGRESS_ALLOW": f"127.0.0.1:{self.target_port}",
            "TILLWIRE_BIND_PORT": str(self.web_port),
            "TILLWIRE_MAX_CONNECTIONS_PER_ADDRESS": "0",
            "TILLWIRE_LEASE_S": "3",
            "TILLWIRE_CALL_DEADLINE_S": "2",
            "TILLWIRE_RETRY_SCALE": "100",
            "TILLWIRE_POLL_S": "0.5",
        }


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """Start servers of our own in a folder and remove them, with all data, at the end."""
    data = folder / "servers"
    started = servers.start(data, report=lambda _: None)
    try:
        yield World(
            folder=folder,
            owner_url=started.owner_url,
            app_url=started.app_url,
            redis_url=started.redis_url,
            web_port=free_port(),
            target_port=free_port(),
            master_key=secrets.token_bytes(32),
        )
    finally:
        servers.remove(data)


async def open_shops(
    world: World, database: Database, count: int, own_ports: Sequence[int] = ()
) -> list[Shop]:
    """Make a partner with `count` retailers, each with a signed source, a target and a flow.

    The first ones have targets of their own on these ports, the others share the world's.
    """
    vault = Vault(database, MasterKeys(MasterKey(world.master_key)))
    operator = OperatorScope(ACTOR)
    partner_id = await create_partner(operator, database, slug="chaos", name="Chaos", brand={})
    shops = []
    for number, port in zip_longest(range(count), own_ports, fillvalue=world.target_port):
        facts = RetailerFacts(f"shop-{number:03}", f"Shop {number}")
        tenant_id = await create_retailer(operator, database, partner_id, facts)
        mine = replace(world, target_port=port)
        shops.append(await _configure(mine, database, vault, tenant_id))
    return shops


async def _configure(world: World, database: Database, vault: Vault, tenant_id: Id) -> Shop:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    key = await vault.current(tenant_id)
    url = f"http://127.0.0.1:{world.target_port}"
    async with begin(TenantScope(tenant_id, ACTOR), database) as session:
        source, _ = await ensure_connection(session, WantedConnection(ORDERS, "http"))
        target, _ = await ensure_connection(
            session,
            WantedConnection(
                TARGET,
                "http",
                settings={"base_url": url},
                new_credentials=frozenset({"signing_secret"}),
            ),
        )
        await put_secret(session, key, source, "webhook_secret", SecretStr(secret))
        await put_secret(session, key, target, "signing_secret", SecretStr(secret))
        await ensure_flow(session, WantedFlow("orders", "web_order_to_erp", source, target))
        hook = await issue_hook(session, source)
        api_key = await create_key(
            session,
            given_by=Role.OPERATOR,
            label="chaos",
            role=Role.CONNECTOR,
            tenant_id=tenant_id,
        )
    return Shop(tenant_id, f"/hooks/{hook}", api_key.text, secret)
