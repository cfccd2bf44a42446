"""`tillwire up`: servers, schema, ERP, shop, tills and all processes on this machine, and the books."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console

from app.apply.apply import apply_file
from app.apply.hooks_file import write_hooks
from app.demo.children import Child, Children
from app.demo.screen import Facts, show_books
from app.demo.tills import keep_selling
from app.demo.world import (
    RETAILER,
    SEED,
    TILLS,
    WEB_SHOP,
    Addresses,
    document,
    erp_articles,
    shop_state,
)
from app.processes.floor import Floor, open_floor
from app.processes.worker import until_signal
from connectors.catalog.tryton.local.launch import Plan, Running, launch
from infra import clock
from infra.database.migrate import migrate
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from infra.embedded import servers
from infra.embedded.ports import free_port
from infra.errors import PlatformError
from tenants.keys import create_key

STATEMENT_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.1
KEY_FILE = "api-key"


@dataclass(frozen=True, slots=True)
class Options:
    """How the demo runs: where its data lies, which port it serves, how fast shop and tills sell.

    `until_delivered` ends everything after the first web order stands in the ERP.
    """

    data: Path
    port: int = 8000
    orders_per_s: float = 0.5
    ticket_every_s: float = 2.0
    until_delivered: bool = False


@dataclass(slots=True)
class _Progress:
    """Says each step with the seconds since the start."""

    console: Console
    started_s: float

    def __call__(self, words: str) -> None:
        """Print one step."""
        self.console.print(f"[dim]{self.seconds():6.1f} s[/]  {words}", highlight=False)

    def seconds(self) -> float:
        """Give the seconds since the command was given."""
        return clock.monotonic_s() - self.started_s


async def run_up(options: Options, console: Console) -> None:
    """Bring everything up, show the books until Ctrl-C, and end everything cleanly."""
    progress = _Progress(console, clock.monotonic_s())
    options.data.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(until_signal())
        owner_url = await _servers(stack, options, progress)
        addresses = _addresses(options)
        await migrate(owner_url, os.environ["DATABASE_URL"])
        progress("the book has its newest schema")
        erp = await _erp(stack, options, addresses, owner_url, progress)
        floor = await stack.enter_async_context(
            open_floor("demo", statement_timeout_s=STATEMENT_TIMEOUT_S)
        )
        tenant_id, hook = await _configure(floor, options, addresses, erp)
        progress("partner, retailer, connections and flows are configured")
        children = _start(stack, options, addresses, hook)
        progress(f"web, worker and scheduler run; logs in {options.data / 'logs'}")
        watched = options.data / "inbox" / str(tenant_id) / await _connection(floor, tenant_id)
        watched.mkdir(parents=True, exist_ok=True)
        async with _selling(children, watched, options):
            progress("the shop and the tills of two stores sell")
            await _first_delivered(floor, tenant_id, stop, progress)
            if not options.until_delivered and not stop.is_set():
                await _until(stop, _show(floor, tenant_id, options, children, console))
        progress("stopping")
    progress("everything has stopped; the data stays for the next start")


async def _servers(stack: AsyncExitStack, options: Options, progress: _Progress) -> str:
    """Use the servers that the environment names, or start embedded ones; gives the owner's URL."""
    _master_key(options.data)
    if "DATABASE_URL" in os.environ:
        progress("using the servers that DATABASE_URL and REDIS_URL name")
        return os.environ["DATABASE_OWNER_URL"]
    embedded = await asyncio.to_thread(servers.start, options.data / "servers", report=progress)
    stack.callback(servers.stop, options.data / "servers")
    os.environ["DATABASE_URL"] = embedded.app_url
    os.environ["REDIS_URL"] = embedded.redis_url
    return embedded.owner_url


def _master_key(data: Path) -> None:
    """Make the key that encrypts everything in this folder, once, readable by its owner alone."""
    path = data / "master.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(secrets.token_bytes(32)).decode(), encoding="ascii")
        path.chmod(0o400)
    if "TILLWIRE_MASTER_KEY" not in os.environ:
        os.environ.setdefault("TILLWIRE_MASTER_KEY_FILE", str(path.resolve()))


def _addresses(options: Options) -> Addresses:
    """Choose the ports of shop and ERP once and remember them: connections name them."""
    path = options.data / "addresses.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Addresses(web=options.port, shop=kept["shop"], erp=kept["erp"])
    chosen = Addresses(web=options.port, shop=free_port(), erp=free_port())
    path.write_text(json.dumps({"shop": chosen.shop, "erp": chosen.erp}), encoding="utf-8")
    return chosen


async def _erp(
    stack: AsyncExitStack,
    options: Options,
    addresses: Addresses,
    owner_url: str,
    progress: _Progress,
) -> Running:
    plan = Plan(
        folder=options.data / "tryton",
        port=addresses.erp,
        today=clock.now().date(),
        server_uri=owner_url.rsplit("/", 1)[0] + "/",
        articles=erp_articles(),
    )
    running = await asyncio.to_thread(launch, plan, progress)
    stack.callback(running.stop)
    return running


async def _configure(
    floor: Floor, options: Options, addresses: Addresses, erp: Running
) -> tuple[UUID, str]:
    """Apply the demo's configuration; gives the retailer's id and the path of the shop's hook."""
    file = _write_configuration(options.data, addresses, erp)
    applied = await apply_file(file, floor.database, floor.vault, only_plan=False)
    hooks_file = options.data / "hooks.json"
    if applied.hooks:
        write_hooks(hooks_file, applied.hooks)
    async with begin(OperatorScope("demo"), floor.database) as session:
        tenant_id: UUID = await session.fetch_value(
            "select id from tenant where slug = $1", RETAILER
        )
    await _api_key(floor, tenant_id, options.data / KEY_FILE)
    return tenant_id, _shop_hook(hooks_file)


def _write_configuration(data: Path, addresses: Addresses, erp: Running) -> Path:
    state = shop_state()
    _write_private(data / "shop-access-token", state.access_token)
    _write_private(data / "shop-webhook-secret", state.webhook_secret)
    file = data / "demo.yaml"
    file.write_text(document(addresses, erp.settings, erp.key_file.resolve()), encoding="utf-8")
    return file


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")


def _shop_hook(hooks_file: Path) -> str:
    hooks: dict[str, str] = json.loads(hooks_file.read_text(encoding="utf-8"))
    return next(path for place, path in hooks.items() if place.endswith(WEB_SHOP))


async def _api_key(floor: Floor, tenant_id: UUID, path: Path) -> None:
    """Make a key for the retailer's API once; it stands only in a file of the owner's."""
    if await asyncio.to_thread(path.exists):
        return
    async with begin(OperatorScope("demo"), floor.database) as session:
        key = await create_key(
            session,
            given_by="operator",
            label="Demo",
            role="retailer_admin",
            tenant_id=tenant_id,
        )
    _write_private(path, key.text)


async def _connection(floor: Floor, tenant_id: UUID) -> str:
    async with begin(TenantScope(tenant_id, "demo"), floor.database) as session:
        found = await session.fetch_value("select id from connection where name = $1", TILLS)
    return str(found)


def _start(stack: AsyncExitStack, options: Options, addresses: Addresses, hook: str) -> Children:
    """Start the product's own processes and the emulated shop."""
    children = Children(options.data / "logs")
    stack.callback(children.stop)
    program = [sys.executable, "-m", "main"]
    environment = {
        "TILLWIRE_BIND_PORT": str(options.port),
        "TILLWIRE_POLL_S": "0.5",
        "EGRESS_ALLOW": f"127.0.0.1:{addresses.shop},127.0.0.1:{addresses.erp}",
    }
    inbox = str((options.data / "inbox").resolve())
    children.start(Child("web", [*program, "web", "--folder", inbox], environment))
    children.start(Child("worker", [*program, "worker"], environment))
    children.start(Child("scheduler", [*program, "scheduler"], environment))
    shop = [sys.executable, "-m", "connectors.catalog.shopify.emulator", "--seed", str(SEED)]
    shop += ["--port", str(addresses.shop), "--orders-per-s", str(options.orders_per_s)]
    shop += ["--hook-url", f"http://127.0.0.1:{options.port}{hook}"]
    shop += ["--memory", str(options.data / "shop-memory.json")]
    children.start(Child("shop", shop, {}))
    return children


async def _until(stop: asyncio.Event, shown: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as tasks:
        showing = tasks.create_task(shown)
        await stop.wait()
        showing.cancel()


@asynccontextmanager
async def _selling(children: Children, watched: Path, options: Options) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(children.keep_running()),
            tasks.create_task(keep_selling(watched, options.data, options.ticket_every_s)),
        ]
        yield
        for task in running:
            task.cancel()


_NEWEST_ORDER = """
select d.external_ref, e.label from delivery d
join event e on e.tenant_id = d.tenant_id and e.id = d.event_id
where d.tenant_id = $1 and d.state = 'delivered' and e.type = 'retail.order.placed.v1'
    and d.settled_at > $2
order by d.settled_at limit 1
"""


async def _first_delivered(
    floor: Floor, tenant_id: UUID, stop: asyncio.Event, progress: _Progress
) -> None:
    since = clock.now()
    while not stop.is_set():
        try:
            async with begin(TenantScope(tenant_id, "demo"), floor.database) as session:
                row = await session.fetch_one(_NEWEST_ORDER, tenant_id, since)
        except PlatformError:
            row = None
        if row is not None:
            progress(
                f"[bold green]first web order delivered[/]: {row['label']} is"
                f" {row['external_ref'] or 'booked'} in the ERP, {progress.seconds():.1f} s after"
                " the command"
            )
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _show(
    floor: Floor, tenant_id: UUID, options: Options, children: Children, console: Console
) -> None:
    """Show the books until cancelled, with what to open and to try below them."""

    async def facts() -> Facts:
        return Facts(
            "Maple & Main Outfitters: web shop and tills -> Tryton -> stock in the web shop",
            _hints(options, children),
        )

    await show_books(console, floor.database, tenant_id, facts)


def _hints(options: Options, children: Children) -> tuple[str, ...]:
    key, web = options.data / KEY_FILE, f"http://127.0.0.1:{options.port}"
    bearer = f'-H "Authorization: Bearer $(cat {key})"'
    worker = children.pids().get("worker", "")
    return (
        f"API        {web}/docs   (key in {key})",
        f"books      curl {bearer} {web}/v1/ledger",
        "one order  tillwire trace '#1001'   (any order or ticket number)",
        f"try        kill -9 {worker}   (the worker; restarts so far: {children.restarts})",
        f"logs       {options.data / 'logs'}",
        "end        Ctrl-C",
    )
