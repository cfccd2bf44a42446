"""`tillwire overrides`: overrides from the rules that a person makes for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.flow_versions import find_flow
from app.cli.owner import SCOPE, find_retailer
from app.flows.manual import (
    ManualKind,
    ManualOverride,
    NewManual,
    add_manual,
    end_manual,
    list_manual,
)
from app.processes.floor import Floor, open_floor
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound, PlatformError
from infra.ids import parse_id

STATEMENT_TIMEOUT_S = 60.0
LISTED_MAX = 200
KINDS: dict[str, ManualKind] = {"set": "set", "skip": "skip", "pause": "pause"}

commands = typer.Typer(no_args_is_help=True)

_T = TypeVar("_T")
Act = Callable[[Floor, TenantScope], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]


@commands.callback()
def overrides() -> None:
    """Overrides by hand: a value that is set, a record that is skipped or kept back."""


@commands.command("list")
@plainly
def list_all(
    retailer: RetailerName,
    *,
    is_any: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List them, newest first."""

    async def act(floor: Floor, scope: TenantScope) -> list[ManualOverride]:
        async with begin(scope, floor.database) as session:
            return await list_manual(
                session, flow_id=None, with_ended=is_any, before=None, limit=LISTED_MAX
            )

    found = asyncio.run(_at(retailer, act))
    show_rows("Overrides", [_row(each) for each in found], as_json=as_json)


@commands.command("add")
@plainly
def add(  # noqa: PLR0913 - each says something else about the override
    retailer: RetailerName,
    flow: Annotated[str, typer.Argument(help="Name of the flow.")],
    kind: Annotated[str, typer.Argument(help="set, skip or pause")],
    *,
    reason: Reason,
    hours: Annotated[float, typer.Option(min=0.01, help="How long it counts.")] = 24.0,
    object_id: Annotated[str, typer.Option(help="The source's id of one object.")] = "",
    path: Annotated[str, typer.Option(help="The field to set.")] = "",
    value: Annotated[str, typer.Option(help="Its value: JSON, or text as it is.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make one; it ends by itself."""
    if kind not in KINDS:
        raise PlatformError("Write set, skip or pause.", code="cli.choice_unknown")

    async def act(floor: Floor, scope: TenantScope) -> ManualOverride:
        wanted = NewManual(
            await find_flow(floor, scope, retailer, flow),
            KINDS[kind],
            reason,
            clock.now() + timedelta(hours=hours),
            object_id,
            path,
            _value(value) if kind == "set" else None,
        )
        async with begin(scope, floor.database) as session:
            return await add_manual(session, wanted)

    show_rows("Override", [_row(asyncio.run(_at(retailer, act)))], as_json=as_json)


@commands.command("end")
@plainly
def end(
    retailer: RetailerName,
    override: Annotated[str, typer.Argument(help="Id of the override.")],
    *,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """End one before its time."""
    parsed = parse_id(override)
    if parsed is None:
        raise NotFound

    async def act(floor: Floor, scope: TenantScope) -> ManualOverride:
        async with begin(scope, floor.database) as session:
            return await end_manual(session, parsed, reason)

    show_rows("Override", [_row(asyncio.run(_at(retailer, act)))], as_json=as_json)


async def _at(retailer: str, act: Act[_T]) -> _T:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
        return await act(floor, scope)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _row(manual: ManualOverride) -> dict[str, Any]:
    return {
        "id": str(manual.id),
        "kind": manual.kind,
        "object": manual.object_id or "all",
        "path": manual.path,
        "value": "" if manual.value is None else json.dumps(manual.value),
        "reason": manual.reason,
        "by": manual.created_by,
        "until (UTC)": f"{manual.expires_at:%Y-%m-%d %H:%M}",
        "counts": "yes" if manual.is_active else "no",
        "used": manual.used,
    }
