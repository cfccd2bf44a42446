"""`tillwire flows versions|publish|rollback`: the versions of a flow's mapping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import yaml

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.flows.preview import USUAL_SAMPLES, Preview, PreviewParts, preview_overrides
from app.flows.versions import (
    FlowVersion,
    NewVersion,
    Written,
    list_versions,
    publish_version,
    roll_back,
)
from app.processes.floor import Floor, open_floor
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.ids import Id

STATEMENT_TIMEOUT_S = 60.0
LISTED_MAX = 50
FILE_MAX_BYTES = 1_048_576

_T = TypeVar("_T")
Act = Callable[[Floor, TenantScope, Id], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
FlowName = Annotated[str, typer.Argument(help="Name of the flow.")]
Note = Annotated[str, typer.Option(help="What is changed and why.", prompt=True)]


@plainly
def show_versions(retailer: RetailerName, flow: FlowName, *, as_json: AsJson = False) -> None:
    """List the versions of a flow's mapping, newest first."""

    async def act(floor: Floor, scope: TenantScope, flow_id: Id) -> list[FlowVersion]:
        async with begin(scope, floor.database) as session:
            return await list_versions(session, flow_id, LISTED_MAX)

    found = asyncio.run(_at(retailer, flow, act))
    show_rows("Versions", [_row(each) for each in found], as_json=as_json)


@plainly
def publish(
    retailer: RetailerName,
    flow: FlowName,
    file: Annotated[Path, typer.Argument(help="A list of rules, as YAML or JSON.")],
    *,
    note: Annotated[str, typer.Option(help="What is changed and why.")] = "",
    only_try: Annotated[
        bool, typer.Option("--try", help="Only try the rules on stored events.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish rules, or try them first on the newest stored events."""
    rules = _rules(file)

    async def attempt(floor: Floor, scope: TenantScope, flow_id: Id) -> Preview:
        parts = PreviewParts(floor.database, floor.vault)
        return await preview_overrides(scope, parts, flow_id, rules, USUAL_SAMPLES)

    async def act(floor: Floor, scope: TenantScope, flow_id: Id) -> FlowVersion:
        async with begin(scope, floor.database) as session:
            return await publish_version(session, NewVersion(flow_id, note, overrides=rules))

    if only_try:
        tried = asyncio.run(_at(retailer, flow, attempt))
        effects = ("same", "changed", "mended", "fails")
        row = {"tried": len(tried.samples), **{each: tried.count(each) for each in effects}}
        show_rows("Tried; nothing was published", [row], as_json=as_json)
        return
    if not note:
        raise PlatformError("Say with --note what is changed and why.", code="cli.choice_unknown")
    published = asyncio.run(_at(retailer, flow, act))
    show_rows("Published", [_row(published)], as_json=as_json)


@plainly
def rollback(
    retailer: RetailerName,
    flow: FlowName,
    version: Annotated[int, typer.Argument(min=1, help="The version to go back to.")],
    *,
    note: Note,
    as_json: AsJson = False,
) -> None:
    """Publish an earlier version again, as a new one."""

    async def act(floor: Floor, scope: TenantScope, flow_id: Id) -> FlowVersion:
        async with begin(scope, floor.database) as session:
            return await roll_back(session, flow_id, version, note)

    show_rows("Published", [_row(asyncio.run(_at(retailer, flow, act)))], as_json=as_json)


async def find_flow(floor: Floor, scope: TenantScope, retailer: str, name: str) -> Id:
    """Find a flow by its name; raises PlatformError."""
    async with begin(scope, floor.database) as session:
        found: Id | None = await session.fetch_value(
            "select id from flow where tenant_id = $1 and name = $2", scope.tenant_id, name
        )
    if found is None:
        raise PlatformError(f"{retailer} has no flow {name}.", code="flow.unknown")
    return found


async def _at(retailer: str, flow: str, act: Act[_T]) -> _T:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
        return await act(floor, scope, await find_flow(floor, scope, retailer, flow))


def _rules(file: Path) -> list[Written]:
    try:
        if file.stat().st_size > FILE_MAX_BYTES:
            raise PlatformError("The file is larger than 1 MB.", code="cli.file_unusable")
        found: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        words = f"{file} cannot be read: {type(fault).__name__}."
        raise PlatformError(words, code="cli.file_unusable") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise PlatformError(f"{file} is no list of rules.", code="cli.file_unusable")
    return found


def _row(version: FlowVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "rules": len(version.overrides),
        "note": version.note,
        "by": version.published_by,
        "at (UTC)": f"{version.published_at:%Y-%m-%d %H:%M}",
    }
