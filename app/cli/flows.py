"""`tillwire flows`: pause a flow of a retailer while its events go on being accepted, and resume it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.flow_versions import publish, rollback, show_versions
from app.cli.owner import SCOPE, find_retailer
from app.flows.pause import pause_flow, resume_flow
from app.processes.floor import open_floor
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import PlatformError
from infra.ids import Id

STATEMENT_TIMEOUT_S = 60.0

commands = typer.Typer(no_args_is_help=True)

RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
FlowName = Annotated[str, typer.Argument(help="Name of the flow.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]
Act = Callable[[Session, Id, str], Awaitable[bool]]


@commands.callback()
def flows() -> None:
    """Flows of a retailer: which of them rest."""


@commands.command("list")
@plainly
def list_flows(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """List flows, whether they are paused and why, and how many lanes rest for it."""
    show_rows("Flows", asyncio.run(_list(retailer)), as_json=as_json)


@commands.command("pause")
@plainly
def pause(
    retailer: RetailerName, flow: FlowName, reason: Reason, *, as_json: AsJson = False
) -> None:
    """Send nothing more through a flow; its events are accepted and kept in order."""
    row = asyncio.run(_do(pause_flow, retailer, flow, reason))
    show_rows("Flow", [row], as_json=as_json)


@commands.command("resume")
@plainly
def resume(
    retailer: RetailerName, flow: FlowName, reason: Reason, *, as_json: AsJson = False
) -> None:
    """Let a flow go on with what waited, oldest first."""
    row = asyncio.run(_do(resume_flow, retailer, flow, reason))
    show_rows("Flow", [row], as_json=as_json)


commands.command("versions")(show_versions)
commands.command("publish")(publish)
commands.command(rollback.__name__)(rollback)


async def _do(act: Act, retailer: str, flow: str, reason: str) -> dict[str, Any]:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
        async with begin(scope, floor.database) as session:
            flow_id = await session.fetch_value(
                "select id from flow where tenant_id = $1 and name = $2", scope.tenant_id, flow
            )
            if flow_id is None:
                raise PlatformError(f"{retailer} has no flow {flow}.", code="flow.unknown")
            is_changed = await act(session, flow_id, reason)
    return {"flow": f"{retailer}/{flow}", "changed": is_changed}


async def _list(retailer: str) -> list[dict[str, Any]]:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        tenant_id = await find_retailer(retailer, floor.database)
        async with begin(TenantScope(tenant_id, SCOPE.actor), floor.database) as session:
            rows = await session.fetch(
                "select name, is_enabled, is_paused, pause_reason, (select count(*) from lane"
                " where lane.tenant_id = flow.tenant_id and ready_at = 'infinity'"
                " and lane.connection_id = flow.target_connection_id) as resting_lanes_of_target"
                " from flow where tenant_id = $1 order by name",
                tenant_id,
            )
    return [dict(row) for row in rows]
