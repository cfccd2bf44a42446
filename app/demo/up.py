"""`tillwire up`: servers, schema, ERP, shop, tills and all processes on this machine, and the books.

What needs nothing of another starts beside it. Only the worker waits for an ERP that it already
knows: five refused connections in a row would keep it from calling for a quarter of a minute.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from rich.console import Console

from app.demo.beside import beside, unless
from app.demo.children import Children
from app.demo.configure import Configured, configure, known_hook
from app.demo.embedded import Embedded, start_servers
from app.demo.erp import as_child, bring_up_erp
from app.demo.first_order import first_delivered
from app.demo.left_overs import end_left_overs
from app.demo.people import Link, make_links
from app.demo.place import (
    Options,
    choose_addresses,
    choose_master_key,
    claimed,
    write_environment,
    write_private,
)
from app.demo.processes import scheduler_process, shop_process, web_process, worker_process
from app.demo.progress import Progress
from app.demo.screen import Surroundings
from app.demo.show import Source, show
from app.demo.standing import Standing, read_standing
from app.demo.tills import keep_selling
from app.demo.world import Addresses
from app.processes.floor import Floor, open_floor
from app.processes.signals import until_signal
from connectors.catalog.tryton.local.failure import LocalTrytonError
from connectors.catalog.tryton.local.launch import Running
from infra.database.migrate import migrate
from infra.embedded.failure import EmbeddedServersError
from infra.errors import PlatformError

STATEMENT_TIMEOUT_S = 30.0
# What other commands need to know to work on the same book.
NEEDED = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "TILLWIRE_MASTER_KEY_FILE")
REFUSALS = (PlatformError, LocalTrytonError, EmbeddedServersError)
# Those whose death is worth a try, by the names under which they run.
VICTIMS = ("worker", "web", "erp", "PostgreSQL", "Redis")


@dataclass(frozen=True, slots=True)
class _Stage:
    """What one run of the demo stands on."""

    options: Options
    progress: Progress
    addresses: Addresses
    children: Children
    embedded: Embedded | None


async def run_up(options: Options, console: Console) -> None:
    """Bring everything up, show the books until Ctrl-C, and end everything cleanly.

    A second start goes on with the data; what a killed run left behind is ended and repaired first.
    Raises PlatformError with one plain sentence when something cannot be.
    """
    progress = Progress(console)
    with claimed(options.data), until_signal() as stop:
        try:
            await unless(stop, _run(options, console, progress))
        except BaseExceptionGroup as group:
            raise _refusal_in(group) or group from None
        progress("everything has stopped; the data stays for the next start")


async def _run(options: Options, console: Console, progress: Progress) -> None:
    async with AsyncExitStack() as stack:
        with progress.alive():
            stage = await _ground(stack, options, progress)
            erp = await _systems(stage)
            floor, configured = await _business(stack, stage, erp)
            links = await make_links(floor, configured.tenant_id)
            _tell_links(options, links, progress)
            progress("the shop and the tills of two stores sell; waiting for the first order")
            order = await first_delivered(floor.database, configured.tenant_id)
        progress(
            f"[bold green]first web order delivered[/]: {order}, {progress.seconds():.1f} s"
            " after the command"
        )
        if not options.until_delivered:
            await show(console, _source(stage, floor, configured, links), options.export)


async def _ground(stack: AsyncExitStack, options: Options, progress: Progress) -> _Stage:
    """Clear the place, start the servers, and see to it that whatever starts is kept and ended."""
    left = await asyncio.to_thread(end_left_overs, options.data)
    if left:
        progress(f"ended {left} processes that a killed run had left behind")
    addresses = choose_addresses(options)
    choose_master_key(options.data)
    progress("starting PostgreSQL and Redis")
    embedded = await start_servers(options.data / "servers", progress)
    if embedded is not None:
        stack.push_async_callback(asyncio.to_thread, embedded.stop)
    known = {name: os.environ[name] for name in NEEDED if name in os.environ}
    write_environment(options.environment, known)
    children = Children(options.logs)
    stack.push_async_callback(asyncio.to_thread, children.stop)
    kept = [children.keep_running(), *([embedded.keep_running()] if embedded else [])]
    await stack.enter_async_context(beside(*kept))
    stack.callback(progress, "stopping")
    return _Stage(options, progress, addresses, children, embedded)


async def _systems(stage: _Stage) -> Running:
    """Bring up the ERP, and beside it the schema, the product's processes and a shop that is known."""
    owner_url, login_url = os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"]
    given = (stage.options, stage.addresses)
    hook = known_hook(stage.options)
    async with asyncio.TaskGroup() as tasks:
        launching = tasks.create_task(_erp(stage, owner_url))
        await migrate(owner_url, login_url)
        stage.children.start(web_process(*given))
        stage.children.start(scheduler_process(*given))
        if hook is None:
            stage.children.start(worker_process(*given))
        else:
            stage.children.start(shop_process(*given, hook))
    if hook is not None:
        stage.children.start(worker_process(*given))
    return launching.result()


async def _erp(stage: _Stage, owner_url: str) -> Running:
    erp = await bring_up_erp(stage.options, stage.addresses, owner_url, stage.progress)
    stage.children.adopt(as_child(stage.options, erp), erp.process)
    return erp


async def _business(stack: AsyncExitStack, stage: _Stage, erp: Running) -> tuple[Floor, Configured]:
    """Configure the retailer and let shop and tills sell."""
    options = stage.options
    floor = await stack.enter_async_context(
        open_floor("demo", statement_timeout_s=STATEMENT_TIMEOUT_S)
    )
    configured = await configure(floor, options, stage.addresses, erp)
    stage.progress(f"retailer, connections and flows: {configured.changes} changes applied")
    if "shop" not in stage.children.pids():
        stage.children.start(shop_process(options, stage.addresses, configured.hook))
    selling = keep_selling(configured.watched, options.data, options.ticket_every_s)
    await stack.enter_async_context(beside(selling))
    return floor, configured


def _refusal_in(group: BaseExceptionGroup[BaseException]) -> PlatformError | None:
    """Find what was refused in plain words, if that is why everything ended."""
    for fault in group.exceptions:
        found = _refusal_in(fault) if isinstance(fault, BaseExceptionGroup) else fault
        if isinstance(found, REFUSALS):
            return found if isinstance(found, PlatformError) else PlatformError(str(found))
    return None


def _tell_links(options: Options, links: Sequence[Link], progress: Progress) -> None:
    """Say how three people enter the portal; each link is good once, and stands in a file too."""
    told = [f"{_address(options, each)}  {each.email}" for each in links]
    write_private(options.data / "portal-links", "\n".join(told) + "\n")
    for each in links:
        progress(f"portal as the {each.what}: {_address(options, each)}")


def _address(options: Options, link: Link) -> str:
    return f"http://127.0.0.1:{options.port}{link.path}"


def _source(stage: _Stage, floor: Floor, configured: Configured, links: Sequence[Link]) -> Source:
    async def standing() -> Standing:
        return await read_standing(floor.database, configured.tenant_id)

    def around(standing: Standing) -> Surroundings:
        embedded = stage.embedded
        restarts = {**stage.children.restarts, **(embedded.restarts if embedded else {})}
        trouble = embedded.trouble if embedded else ""
        return Surroundings(restarts, trouble, _hints(stage, standing, links))

    return Source(standing, around)


def _hints(stage: _Stage, standing: Standing, links: Sequence[Link]) -> list[tuple[str, str]]:
    options = stage.options
    ask = f"curl -sH @{options.api_header} http://127.0.0.1:{options.port}"
    number = standing.orders.last_label.rpartition(" ")[2] or "#1001"
    pids = {**stage.children.pids(), **(stage.embedded.pids() if stage.embedded else {})}
    return [
        ("open the portal", _address(options, links[0])),
        ("ask for the books", f"{ask}/v1/ledger"),
        ("follow one order", f". {options.environment} && .venv/bin/tillwire trace '{number}'"),
        ("try kill -9", "  ".join(f"{name} {pids[name]}" for name in VICTIMS if name in pids)),
        ("logs", f"{options.logs}   (Ctrl-C ends everything)"),
    ]
