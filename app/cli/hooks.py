"""`tillwire hooks`: give a connection a new hook address; the earlier one works for a day more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app.apply.hooks_file import write_hooks
from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.connections.directory import list_connections
from app.connections.hooks import rotate_hook
from app.intake.hooks import PREFIX
from app.processes.floor import open_floor
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.ids import Id

STATEMENT_TIMEOUT_S = 30.0

commands = typer.Typer(no_args_is_help=True)


@commands.callback()
def hooks() -> None:
    """Hook addresses: where vendors send to."""


@commands.command("rotate")
@plainly
def rotate(
    retailer: Annotated[str, typer.Argument(help="partner/retailer")],
    connection: Annotated[str, typer.Argument(help="Name of the connection.")],
    *,
    hooks_file: Annotated[
        Path | None, typer.Option(help="Write the new path here (JSON, mode 0600).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new hook address; all earlier ones of the connection end after 24 hours."""
    path = asyncio.run(_rotate(retailer, connection))
    place = f"{retailer}/{connection}"
    if hooks_file is not None:
        write_hooks(hooks_file, {place: path})
    # A hook path opens the door to a connection: with a file it is not shown as well.
    row = {"connection": place, "path": str(hooks_file) if hooks_file else path}
    title = "New hook address, in the file" if hooks_file else "New hook address, shown only now"
    show_rows(title, [row], as_json=as_json)


async def _rotate(retailer: str, connection: str) -> str:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        tenant_id = await find_retailer(retailer, floor.database)
        scope = TenantScope(tenant_id, SCOPE.actor)
        connection_id = await _find(scope, floor.database, retailer, connection)
        async with begin(scope, floor.database) as session:
            return PREFIX + await rotate_hook(session, connection_id)


async def _find(scope: TenantScope, database: Database, retailer: str, name: str) -> Id:
    for each in await list_connections(scope, database):
        if each.name == name:
            return each.id
    raise PlatformError(f"{retailer} has no connection {name}.", code="connection.unknown")
