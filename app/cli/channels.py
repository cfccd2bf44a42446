"""`tillwire channels`: what channels show too much of, and what they refused."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.connections.directory import list_connections
from app.processes.floor import Floor, open_floor
from app.retail.publishing.exposure import ChannelState, read_channels, with_quota
from app.retail.publishing.release import release_refused
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.ids import Id

STATEMENT_TIMEOUT_S = 30.0

commands = typer.Typer(no_args_is_help=True)

RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
ConnectionName = Annotated[str, typer.Argument(help="Name of the connection.")]
Sku = Annotated[str | None, typer.Option(help="One article; all when left out.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]


@commands.callback()
def channels() -> None:
    """Channels that are told their stock: exposure, what waits, what was refused."""


@commands.command("list")
@plainly
def list_channels(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """Show every channel with its exposure in units and money."""
    states = asyncio.run(_list(retailer))
    show_rows(f"Channels of {retailer}", [_row(each) for each in states], as_json=as_json)


@commands.command("release")
@plainly
def release(
    retailer: RetailerName,
    connection: ConnectionName,
    reason: Reason,
    *,
    sku: Sku = None,
    as_json: AsJson = False,
) -> None:
    """Tell a channel again what it refused, after the listing was mended there."""
    count = asyncio.run(_release(retailer, connection, sku, reason))
    row = {"channel": f"{retailer}/{connection}", "released": count}
    show_rows("Released", [row], as_json=as_json)


async def _list(retailer: str) -> list[ChannelState]:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
        async with begin(scope, floor.database) as session:
            states = await read_channels(session)
        found = [
            await floor.connections.find(scope.tenant_id, each.connection_id) for each in states
        ]
        async with begin(scope, floor.database) as session:
            return [
                await with_quota(session, state, booked)
                for state, booked in zip(states, found, strict=True)
            ]


async def _release(retailer: str, connection: str, sku: str | None, reason: str) -> int:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope, connection_id = await _find(floor, retailer, connection)
        async with begin(scope, floor.database) as session:
            return await release_refused(session, connection_id, sku, reason)


async def _find(floor: Floor, retailer: str, name: str) -> tuple[TenantScope, Id]:
    scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
    for each in await list_connections(scope, floor.database):
        if each.name == name:
            return scope, each.id
    raise PlatformError(f"{retailer} has no connection {name}.", code="connection.unknown")


def _row(state: ChannelState) -> dict[str, object]:
    return {
        "channel": state.name,
        "articles": state.articles,
        "due": state.due,
        "refused": state.refused,
        "exposed_units": state.exposed_units,
        "oldest": state.oldest_at,
        "limited_until": state.limited_until,
        "words": state.words,
    }
