"""What the weekend happens on: fresh servers, the product's processes, the retailers' systems."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from app.apply.apply import apply_file
from app.demo.beside import beside
from app.demo.children import Child, Children
from app.demo.embedded import start_servers
from app.demo.left_overs import end_left_overs, mark_of
from app.demo.monday.desk import Desk
from app.demo.monday.systems import Place, make_secrets, target_process
from app.demo.monday.world import ALERTS, MAPLE, NORTHGATE, TARGETS, document
from app.demo.place import choose_master_key
from app.demo.processes import PROGRAM
from app.demo.progress import Progress
from app.processes.floor import Floor, open_floor
from infra.database.migrate import migrate
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.embedded import servers
from infra.embedded.ports import free_port
from tenants.keys import create_key

STATEMENT_TIMEOUT_S = 30.0
ACTOR = "operator.demo"
# The schedule of retries is divided by this; what a breaker and a person do is not.
RETRY_SCALE = "60"
POLL_S = "0.5"
OPERATORS = ("Ada", "Grace")


@dataclass(frozen=True, slots=True)
class Ground:
    """What the story is played on: where, on which ports, and the desks of two operators."""

    place: Place
    ports: Mapping[str, int]
    hooks: Mapping[str, str]
    tenants: Mapping[str, UUID]
    ada: Desk
    grace: Desk
    stranger: Desk

    def console(self, target: str, path: str) -> str:
        """Name a console of a retailer's system."""
        return f"http://127.0.0.1:{self.ports[target]}/console/{path}"


async def lay_ground(stack: AsyncExitStack, folder: Path, progress: Progress) -> Ground:
    """Start everything anew; what an earlier run left behind is removed."""
    await asyncio.to_thread(_clear, folder)
    place = Place(folder, free_port(None))
    choose_master_key(folder)
    progress("starting PostgreSQL and Redis")
    embedded = await start_servers(folder / "servers", progress.moved)
    if embedded is not None:
        stack.push_async_callback(asyncio.to_thread, embedded.stop)
    await migrate(os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"])
    ports = {name: free_port(None) for name in (*TARGETS, ALERTS)}
    secrets = make_secrets(place)
    children = Children(folder / "logs")
    stack.push_async_callback(asyncio.to_thread, children.stop)
    await stack.enter_async_context(beside(children.keep_running()))
    for name, port in ports.items():
        children.start(target_process(place, name, port))
    for name in ("web", "worker", "scheduler"):
        children.start(Child(name, [*PROGRAM, name], _environment(place, ports)))
    floor = await stack.enter_async_context(
        open_floor("demo", statement_timeout_s=STATEMENT_TIMEOUT_S)
    )
    file = folder / "monday.yaml"
    file.write_text(document(ports, {n: p.resolve() for n, p in secrets.items()}), "utf-8")
    applied = await apply_file(file, floor.database, floor.vault, only_plan=False)
    progress(f"two retailers, their systems and flows: {len(applied.changes)} changes applied")
    own = (place.port, *ports.values())
    policy = EgressPolicy(frozenset(f"127.0.0.1:{port}" for port in own), frozenset())
    egress = await stack.enter_async_context(EgressClient(policy))
    url = f"http://127.0.0.1:{place.port}"
    ada, grace = [Desk(egress, url, key) for key in await _keys(floor)]
    await _until_up(ada)
    tenants = await _tenants(floor)
    return Ground(place, ports, applied.hooks, tenants, ada, grace, Desk(egress, url))


def _clear(folder: Path) -> None:
    """Remove an earlier run, and only that: a folder that somebody else filled stays."""
    end_left_overs(folder)
    if (folder / "monday.yaml").exists():
        servers.remove(folder / "servers")
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def _environment(place: Place, ports: Mapping[str, int]) -> dict[str, str]:
    return {
        **mark_of(place.folder),
        "TILLWIRE_BIND_PORT": str(place.port),
        "TILLWIRE_POLL_S": POLL_S,
        "TILLWIRE_RETRY_SCALE": RETRY_SCALE,
        "EGRESS_ALLOW": ",".join(f"127.0.0.1:{port}" for port in ports.values()),
    }


async def _keys(floor: Floor) -> list[str]:
    """Make one key for each operator: what one asks for, the other approves."""
    made = []
    async with begin(OperatorScope(ACTOR), floor.database) as session:
        for name in OPERATORS:
            key = await create_key(session, given_by="operator", label=name, role="operator")
            made.append(key.text)
    return made


async def _tenants(floor: Floor) -> dict[str, UUID]:
    async with begin(OperatorScope(ACTOR), floor.database) as session:
        rows = await session.fetch(
            "select slug, id from tenant where slug = any($1)", [MAPLE, NORTHGATE]
        )
    return {row["slug"]: row["id"] for row in rows}


async def _until_up(desk: Desk) -> None:
    """Wait until the API answers: its process has just been started."""
    for _ in range(UP_TRIES):
        if await desk.is_up():
            return
        await asyncio.sleep(UP_EVERY_S)
    raise TimeoutError("The API did not come up.")


UP_TRIES, UP_EVERY_S = 300, 0.1
