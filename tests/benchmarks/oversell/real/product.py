"""The product as a retailer of the benchmark uses it: connections, rules, opening stock, processes."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from pydantic import SecretStr

from app.connections.configure import WantedConnection, ensure_connection
from app.connections.hooks import issue_hook
from app.connections.secrets import put_secret
from app.retail.inventory.rules import NewRule, put_rule
from connectors.catalog.shopify.emulator.state import LOCATION_GID, ShopState
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import Session, begin
from infra.embedded.ports import free_port
from infra.ids import Id
from infra.keys.master import MasterKey, MasterKeys
from infra.keys.vault import TenantKey, Vault
from tenants.partners import create_partner
from tenants.retailers import RetailerFacts, create_retailer
from tests.benchmarks.oversell.real.plan import (
    AMAZON,
    ONLINE,
    QUOTAS,
    STORE,
    TILL,
    WALMART,
    WEB,
    Door,
    Plan,
    name_of,
)
from tests.benchmarks.oversell.real.street import ACCESS_TOKEN
from tests.benchmarks.place import LOOK_EVERY_S, Scene
from tests.chaos.fleet import ROOT

ACTOR = "bench"
SEED_AT_MOST_S = 300.0
# What the opening stock is told by: facts that a count at each article would have left.
_COUNTS = """
insert into stock_fact (tenant_id, sku, source_key, telling, kind, quantity, to_location, to_state,
    occurred_at, stated_at, connection_id)
select $1, sku, 'c/opening', '\\x00', 'count', units, $4, 'available', now(), now(), $5
from unnest($2::text[], $3::int[]) as opening (sku, units)
"""
_DUE = """
insert into stock_due (tenant_id, sku, occurred_at)
select $1, sku, now() from unnest($2::text[]) as opening (sku)
"""
# Channels begin in step: what they show is what they may show.
_IN_STEP = """
update channel_position set shown = target, shown_at = now(), state = 'shown', sent_seq = seq,
    occurred_at = null where tenant_id = $1
"""
# Setting the stage is no part of what is measured.
_PATIENTLY = "set local statement_timeout = '120s'"
_OPEN = "update connection set state = $3 where tenant_id = $1 and id = $2"
_AT_REST = "update channel_turn set due_at = 'infinity' where tenant_id = $1"


@dataclass(frozen=True, slots=True)
class Shop:
    """The retailer on the running product, and the plan whose doors are open."""

    tenant_id: Id
    plan: Plan
    connections: dict[str, Id]


async def open_shop(scene: Scene, plan: Plan) -> Shop:
    """Set up tills and channels of one retailer; the web process must be running for its doors."""
    vault = Vault(scene.database, MasterKeys(MasterKey(scene.world.master_key)))
    operator = OperatorScope(ACTOR)
    name = secrets.token_hex(4)
    partner_id = await create_partner(
        operator, scene.database, slug=f"p-{name}", name="Bench", brand={}
    )
    facts = RetailerFacts(f"s-{name}", "Bench shop")
    tenant_id = await create_retailer(operator, scene.database, partner_id, facts)
    key = await vault.current(tenant_id)
    doors, connections = {}, {}
    async with begin(TenantScope(tenant_id, ACTOR), scene.database) as session:
        for each in (TILL, *ONLINE):
            connections[each], doors[each] = await _connect(session, key, scene, plan, each)
        for channel in ONLINE:
            rule = NewRule(pool=(STORE,), location="main" if channel == WEB else STORE)
            await put_rule(session, connections[channel], "", rule)
            await session.execute(_OPEN, tenant_id, connections[channel], "paused")
    return Shop(tenant_id, msgspec.structs.replace(plan, doors=doors), connections)


async def _connect(
    session: Session, key: TenantKey, scene: Scene, plan: Plan, name: str
) -> tuple[Id, Door]:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    connector = "shopify" if name == WEB else "http"
    values = {"webhook_secret": secret}
    values |= {"access_token": ACCESS_TOKEN} if name == WEB else {"signing_secret": secret}
    settings = {} if name == TILL else _settings(plan, name)
    wanted = WantedConnection(name, connector, settings=settings, new_credentials=frozenset(values))
    connection_id, _ = await ensure_connection(session, wanted)
    for field, value in values.items():
        await put_secret(session, key, connection_id, field, SecretStr(value))
    hook = await issue_hook(session, connection_id)
    return connection_id, Door(f"http://127.0.0.1:{scene.world.web_port}/hooks/{hook}", secret)


def _settings(plan: Plan, name: str) -> dict[str, object]:
    quota = QUOTAS[name]
    told: dict[str, object] = {"base_url": f"http://127.0.0.1:{plan.ports[name]}"}
    budget = {"rate_per_s": quota.per_s, "burst": quota.burst}
    if name in (AMAZON, WALMART):
        return told | {"budget": budget}
    shop = ShopState(article_count=plan.skus)
    return told | {
        "budget": {"rate_per_s": quota.per_s * 10, "burst": quota.burst * 10, "parallel": 16},
        "shop_domain": shop.shop_domain,
        "currency": "USD",
        "locations": {"main": LOCATION_GID},
        "inventory_items": {sku: article.item_gid for sku, article in shop.articles.items()},
    }


async def load_stock(scene: Scene, shop: Shop) -> None:
    """Write the opening counts of all articles, for the product to fold."""
    stock = shop.plan.stock()
    skus = [name_of(number) for number in range(shop.plan.skus)]
    scope = TenantScope(shop.tenant_id, ACTOR)
    async with begin(scope, scene.database) as session:
        await session.execute(_PATIENTLY)
        units = [stock[sku] for sku in skus]
        till = shop.connections[TILL]
        await session.execute(_COUNTS, shop.tenant_id, skus, units, STORE, till)
        await session.execute(_DUE, shop.tenant_id, skus)


async def tell_opening_stock(scene: Scene, shop: Shop) -> None:
    """Let the product fold the opening counts, and put all channels in step."""
    scope = TenantScope(shop.tenant_id, ACTOR)
    await load_stock(scene, shop)
    async with asyncio.timeout(SEED_AT_MOST_S):
        while await _left(scene, scope):  # noqa: ASYNC110 - other processes work
            await asyncio.sleep(LOOK_EVERY_S)
    async with begin(scope, scene.database) as session:
        await session.execute(_PATIENTLY)
        await session.execute(_IN_STEP, shop.tenant_id)
        await session.execute(_AT_REST, shop.tenant_id)
        for channel in ONLINE:
            await session.execute(_OPEN, shop.tenant_id, shop.connections[channel], "active")


async def _left(scene: Scene, scope: TenantScope) -> bool:
    async with begin(scope, scene.database) as session:
        left: bool = await session.fetch_value("select exists (select from stock_due)")
    return left


def free_ports() -> dict[str, int]:
    """Choose where the channels listen."""
    return {name: free_port() for name in ONLINE}


def let_out(scene: Scene, plan: Plan) -> None:
    """Let workers call the channels."""
    allowed = ",".join(f"127.0.0.1:{port}" for port in plan.ports.values())
    scene.fleet.environment = {**scene.fleet.environment, "EGRESS_ALLOW": allowed}


class StreetProcess:
    """The street in its own process; `begin` lets customers in."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.began_s = 0.0

    @classmethod
    async def start(cls, plan: Plan) -> StreetProcess:
        """Start it and wait until its channels listen."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.benchmarks.oversell.real.street",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        street = cls(process)
        street._tell(json.dumps(msgspec.to_builtins(plan)))
        await street.until("open")
        return street

    def begin(self) -> None:
        """Let customers in."""
        self.began_s = time.monotonic()
        self._tell("begin")

    async def until(self, word: str, look: Callable[[], None] | None = None) -> None:
        """Wait until it says a word; raises EOFError when it ends before."""
        if self._process.stdout is None:
            raise EOFError
        said = (await self._process.stdout.readline()).decode().strip()
        if said != word:
            raise EOFError(f"the street said {said!r} instead of {word!r}")
        if look is not None:
            look()

    async def end(self) -> None:
        """Wait for its end."""
        await self._process.wait()

    def stop(self) -> None:
        """End it whatever it does."""
        if self._process.returncode is None:
            self._process.kill()

    def _tell(self, words: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(f"{words}\n".encode())
