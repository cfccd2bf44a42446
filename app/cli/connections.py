"""`tillwire connections`: what holds a connection's calls back, and a link to renew its credential."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.connections.directory import list_connections
from app.connections.limits import Limits, read_limits
from app.connections.pause import pause_connection, resume_connection
from app.connections.reconnect import ReconnectLink, make_reconnect_link
from app.processes.floor import Floor, open_floor
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import PlatformError
from infra.ids import Id

STATEMENT_TIMEOUT_S = 30.0

commands = typer.Typer(no_args_is_help=True)

RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
ConnectionName = Annotated[str, typer.Argument(help="Name of the connection.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]
Act = Callable[[Session, Id, str], Awaitable[bool]]


@commands.callback()
def connections() -> None:
    """Systems of a retailer: their limits, and how they are reconnected."""


@commands.command("limits")
@plainly
def limits(retailer: RetailerName, connection: ConnectionName, *, as_json: AsJson = False) -> None:
    """Show budgets, breaker and outages of a connection."""
    found = asyncio.run(_limits(retailer, connection))
    if as_json:
        show_json(asdict(found))
        return
    show_rows(f"{retailer}/{connection}", [_state(found)], as_json=False)
    show_rows("Budgets", [_plain(asdict(each)) for each in found.budgets], as_json=False)
    show_rows("Outages", [asdict(each) for each in found.outages], as_json=False)


@commands.command("reconnect")
@plainly
def reconnect(
    retailer: RetailerName, connection: ConnectionName, *, as_json: AsJson = False
) -> None:
    """Make a link by which the owner of the system gives its new credential; shown only now."""
    link = asyncio.run(_reconnect(retailer, connection))
    row = {"connection": f"{retailer}/{connection}", "path": link.path, "until": link.expires_at}
    show_rows("Reconnect link, good once, shown only now", [row], as_json=as_json)


@commands.command("pause")
@plainly
def pause(
    retailer: RetailerName, connection: ConnectionName, reason: Reason, *, as_json: AsJson = False
) -> None:
    """Send nothing more to a system; what comes for it is accepted and kept in order."""
    is_changed = asyncio.run(_act(pause_connection, retailer, connection, reason))
    row = {"connection": f"{retailer}/{connection}", "changed": is_changed}
    show_rows("Connection", [row], as_json=as_json)


@commands.command("resume")
@plainly
def resume(
    retailer: RetailerName, connection: ConnectionName, reason: Reason, *, as_json: AsJson = False
) -> None:
    """Let a system be told of what waited for it."""
    is_changed = asyncio.run(_act(resume_connection, retailer, connection, reason))
    row = {"connection": f"{retailer}/{connection}", "changed": is_changed}
    show_rows("Connection", [row], as_json=as_json)


async def _act(act: Act, retailer: str, connection: str, reason: str) -> bool:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope, connection_id = await _find(floor, retailer, connection)
        async with begin(scope, floor.database) as session:
            return await act(session, connection_id, reason)


async def _limits(retailer: str, connection: str) -> Limits:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope, connection_id = await _find(floor, retailer, connection)
        booked = await floor.connections.find(scope.tenant_id, connection_id)
        if booked is None:
            raise _unknown(retailer, connection)
        async with begin(scope, floor.database) as session:
            return await read_limits(session, booked)


async def _reconnect(retailer: str, connection: str) -> ReconnectLink:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope, connection_id = await _find(floor, retailer, connection)
        async with begin(scope, floor.database) as session:
            return await make_reconnect_link(session, connection_id)


async def _find(floor: Floor, retailer: str, name: str) -> tuple[TenantScope, Id]:
    scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
    for each in await list_connections(scope, floor.database):
        if each.name == name:
            return scope, each.id
    raise _unknown(retailer, name)


def _unknown(retailer: str, name: str) -> PlatformError:
    return PlatformError(f"{retailer} has no connection {name}.", code="connection.unknown")


def _state(found: Limits) -> dict[str, Any]:
    health = found.health
    return {"state": health.state, "until": health.closed_until, "reason": health.reason}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()
    }
