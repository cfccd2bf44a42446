"""`tillwire replay`: preview what a replay would do, start it, approve it, and read its receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE
from app.cli.replay_words import facts, item_row, progress_words, total_rows
from app.cli.retailers import chosen_retailers
from app.exceptions.replay.create import create_replay
from app.exceptions.replay.promise import Mapping
from app.exceptions.replay.read import ItemFilter, Replay, ReplayItem, list_items, read_replay
from app.exceptions.replay.receipt import receipt_csv
from app.exceptions.replay.selection import Selection
from app.exceptions.replay.start import approve_replay, cancel_replay, start_replay
from app.processes.floor import open_floor
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound, PlatformError
from infra.ids import Id, parse_id

STATEMENT_TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.5
# Longer than a preview of the largest selection takes.
WAIT_AT_MOST_S = 600.0
SHOWN_ITEMS = 50
EXIT_DIFFERS = 1
_TAIL_MIN = 6

_T = TypeVar("_T")
Act = Callable[[TenantScope, Database], Awaitable[_T]]

ReplayId = Annotated[str, typer.Argument(help="Id of the replay.")]
Tenant = Annotated[str, typer.Option(help="partner/retailer; found by the id when left out.")]
By = Annotated[str, typer.Option("--as", help="Your name, for the audit log.")]

commands = typer.Typer(help="Replays: preview, show, start, approve, cancel, receipt.")


@commands.command("preview")
@plainly
def preview(  # noqa: PLR0913 - one option for each way to choose
    reason: Annotated[str, typer.Option(help="Why; stands in the audit log.")],
    *,
    tenant: Tenant = "",
    incident: Annotated[str, typer.Option(help="All that it holds (id, or its end).")] = "",
    outage: Annotated[str, typer.Option(help="What an outage of a connection hit (id).")] = "",
    hold: Annotated[list[str] | None, typer.Option(help="An exception (id).")] = None,
    delivery: Annotated[list[str] | None, typer.Option(help="A delivery (id).")] = None,
    code: Annotated[str, typer.Option(help="Records with this code.")] = "",
    event_type: Annotated[str, typer.Option("--type", help="Records of this type.")] = "",
    flow: Annotated[str, typer.Option(help="Records of this flow (id).")] = "",
    connection: Annotated[str, typer.Option(help="Records for this connection (id).")] = "",
    since: Annotated[datetime | None, typer.Option(help="Accepted from then on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Accepted before then (UTC).")] = None,
    state: Annotated[list[str] | None, typer.Option(help="held, waiting, delivered, ...")] = None,
    as_then: Annotated[bool, typer.Option("--as-then", help="Under the mapping of then.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Say for each record what would happen, with money and side effects; nothing is sent."""
    chosen = {
        "incident": asyncio.run(_incident(incident)) if incident else None,
        "outage": outage or None,
        "holds": tuple(hold or ()),
        "deliveries": tuple(delivery or ()),
        "code": code or None,
        "event_type": event_type or None,
        "flow": flow or None,
        "connection": connection or None,
        "since": since.replace(tzinfo=UTC) if since else None,
        "until": until.replace(tzinfo=UTC) if until else None,
        **({"states": tuple(state)} if state else {}),
    }
    mapping: Mapping = "as_then" if as_then else "now"
    wanted = _selection(chosen)
    if not tenant and wanted.kind == "filter":
        raise PlatformError("Name the retailer with --tenant partner/retailer.")

    async def make(scope: TenantScope, database: Database) -> Replay:
        made = await create_replay(scope, database, wanted, mapping, reason)
        return await _until(scope, database, made.id, _is_previewed)

    _show(asyncio.run(_for_one(tenant, by, make)), as_json=as_json)


@commands.command("show")
@plainly
def show(replay: ReplayId, *, tenant: Tenant = "", as_json: AsJson = False) -> None:
    """Show a replay: what it promises, how far it is, what happened."""
    _show(asyncio.run(_for_one(tenant, "", _reading(replay))), as_json=as_json)


@commands.command("start")
@plainly
def start(
    replay: ReplayId,
    *,
    tenant: Tenant = "",
    by: By = "",
    wait: Annotated[bool, typer.Option("--wait", help="Until its end is known.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a previewed replay run, or wait for the second person that it needs."""

    async def act(scope: TenantScope, database: Database) -> Replay:
        started = await start_replay(scope, database, _known(replay))
        if wait and started.state == "running":
            return await _until(scope, database, started.id, _is_over)
        return started

    _show(asyncio.run(_for_one(tenant, by, act)), as_json=as_json)


@commands.command("approve")
@plainly
def approve(
    replay: ReplayId,
    by: Annotated[str, typer.Option("--as", help="Your name; another than who asked for it.")],
    *,
    tenant: Tenant = "",
    as_json: AsJson = False,
) -> None:
    """Let a replay run that needs a second person."""

    async def act(scope: TenantScope, database: Database) -> Replay:
        return await approve_replay(scope, database, _known(replay))

    _show(asyncio.run(_for_one(tenant, by, act)), as_json=as_json)


@commands.command("cancel")
@plainly
def cancel(replay: ReplayId, *, tenant: Tenant = "", by: By = "", as_json: AsJson = False) -> None:
    """Stop what has not begun."""

    async def act(scope: TenantScope, database: Database) -> Replay:
        return await cancel_replay(scope, database, _known(replay))

    _show(asyncio.run(_for_one(tenant, by, act)), as_json=as_json)


@commands.command("receipt")
@plainly
def receipt(
    replay: ReplayId,
    *,
    tenant: Tenant = "",
    csv: Annotated[Path | None, typer.Option(help="Write every record to this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare what was promised with what happened; exit code 1 when it differs."""

    async def act(scope: TenantScope, database: Database) -> tuple[Replay, list[ReplayItem]]:
        found = await read_replay(scope, database, _known(replay))
        if csv is not None:
            pages = [page async for page in receipt_csv(scope, database, found.id)]
            await asyncio.to_thread(csv.write_text, "".join(pages), encoding="utf-8", newline="")
        wanted = ItemFilter(only_differences=True)
        return found, await list_items(scope, database, found.id, wanted, SHOWN_ITEMS)

    found, differences = asyncio.run(_for_one(tenant, "", act))
    if as_json:
        show_json({**facts(found), "differences": [item_row(item) for item in differences]})
    else:
        _show(found, as_json=False)
        show_rows("Differences", [item_row(item) for item in differences], as_json=False)
    if differences:
        raise typer.Exit(EXIT_DIFFERS)


def _selection(chosen: dict[str, Any]) -> Selection:
    try:
        return Selection.model_validate(chosen)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PlatformError(f"{place}: {first['msg']}" if place else first["msg"]) from None


async def _incident(text: str) -> str:
    """Give the whole id of an incident from its end, as the list of incidents shows it."""
    if parse_id(text) is not None:
        return text
    if len(text) < _TAIL_MIN or not text.isalnum():
        raise NotFound
    async with (
        open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor,
        begin(SCOPE, floor.database) as session,
    ):
        rows = await session.fetch(
            "select id from incident where right(id::text, $2) = $1 limit 2",
            text.lower(),
            len(text),
        )
    if len(rows) > 1:
        raise PlatformError("Several incidents end so. Write more of the id.")
    if not rows:
        raise NotFound
    return str(rows[0]["id"])


def _reading(text: str) -> Act[Replay]:
    async def act(scope: TenantScope, database: Database) -> Replay:
        return await read_replay(scope, database, _known(text))

    return act


def _known(text: str) -> Id:
    known = parse_id(text)
    if known is None:
        raise NotFound
    return known


async def _for_one(tenant: str, by: str, act: Act[_T]) -> _T:
    """Act for the named retailer, or for the one that has what is meant; raises NotFound."""
    actor = f"person:{by}" if by else SCOPE.actor
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        for _, scope in await chosen_retailers(tenant, floor.database):
            try:
                return await act(TenantScope(scope.tenant_id, actor), floor.database)
            except NotFound:
                continue
    raise NotFound


async def _until(
    scope: TenantScope, database: Database, replay_id: Id, is_there: Callable[[Replay], bool]
) -> Replay:
    """Wait for the worker, telling how far it is; gives the replay as it is when time is up."""
    until_s, told = clock.monotonic_s() + WAIT_AT_MOST_S, ""
    while True:
        replay = await read_replay(scope, database, replay_id)
        if is_there(replay) or clock.monotonic_s() > until_s:
            return replay
        words = progress_words(replay)
        if words != told:
            typer.echo(words, err=True)
            told = words
        await asyncio.sleep(LOOK_EVERY_S)


def _is_previewed(replay: Replay) -> bool:
    return replay.state != "previewing"


def _is_over(replay: Replay) -> bool:
    return replay.finished_at is not None


def _show(replay: Replay, *, as_json: bool) -> None:
    if as_json:
        show_json(facts(replay))
        return
    typer.echo(f"{replay.title}, {replay.id}")
    typer.echo(progress_words(replay))
    if replay.words:
        typer.echo(replay.words)
    show_rows("Promised", total_rows(replay.preview), as_json=False)
    for words, count in replay.preview.get("effects", {}).items():
        typer.echo(f"Side effect: {words}, {count:,} times")
    if replay.receipt:
        show_rows("Happened", total_rows(replay.receipt), as_json=False)
        equal, of = replay.receipt["equal"], replay.receipt["of"]
        typer.echo(f"As promised in {equal:,} of {of:,}.")
