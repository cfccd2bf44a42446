"""`tillwire exceptions`: what waits for a person at a retailer; take it, release it, give it up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.exceptions.discard import discard_hold
from app.exceptions.hold import Hold, HoldFilter, HoldSort, list_holds, read_hold
from app.exceptions.release import release_hold
from app.exceptions.work.assign import Assignment, Tagging, assign_hold
from app.exceptions.work.bulk import BulkAct, BulkResult, Decide, run_bulk
from app.exceptions.work.remarks import list_remarks
from app.exceptions.work.selection import BulkPreview, Selection, preview_bulk
from app.processes.floor import open_floor
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.errors import NotFound, PlatformError
from infra.ids import Id, parse_id

STATEMENT_TIMEOUT_S = 60.0
LISTED_MAX = 1_000
_OWNER_WORDS = {"nobody": ""}

commands = typer.Typer(no_args_is_help=True)

_T = TypeVar("_T")
Act = Callable[[TenantScope, Database], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
ExceptionId = Annotated[str, typer.Argument(help="Id of the exception.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]
Code = Annotated[str, typer.Option(help="Only this code.")]
Owner = Annotated[str, typer.Option(help="Only whose; `nobody` is without an owner.")]
Tag = Annotated[str, typer.Option(help="Only with this tag.")]
MinAmount = Annotated[str, typer.Option(help="Only with at least this much money.")]
OlderThan = Annotated[float, typer.Option(help="Only waiting for longer than this many hours.")]
Text = Annotated[str, typer.Option(help="Only whose name has this part.")]


@commands.callback()
def exceptions() -> None:
    """What waits for a person."""


@commands.command("list")
@plainly
def list_all(  # noqa: PLR0913 - one option for each condition
    retailer: RetailerName,
    *,
    code: Code = "",
    owner: Owner = "",
    tag: Tag = "",
    min_amount: MinAmount = "",
    older_than_h: OlderThan = 0.0,
    text: Text = "",
    sort: Annotated[str, typer.Option(help="newest, age, money or deadline")] = "newest",
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what waits."""
    wanted = _filter(code, owner, tag, min_amount, older_than_h, text, sort)

    async def act(scope: TenantScope, database: Database) -> list[Hold]:
        return await list_holds(scope, database, wanted, limit)

    found = asyncio.run(_at(retailer, act))
    show_rows("Exceptions", [_row(hold) for hold in found], as_json=as_json)


@commands.command("show")
@plainly
def show(retailer: RetailerName, exception: ExceptionId, *, as_json: AsJson = False) -> None:
    """Show one with what was said about it."""

    async def act(scope: TenantScope, database: Database) -> dict[str, Any]:
        hold = await read_hold(scope, database, _id(exception))
        remarks = await list_remarks(scope, database, hold.id)
        said = [f"{each.at:%Y-%m-%d %H:%M} {each.author}: {each.words}" for each in remarks]
        return {**_row(hold), "words": hold.words, "reason": hold.reason, "remarks": said}

    found = asyncio.run(_at(retailer, act))
    if as_json:
        show_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{name}: {'; '.join(value) if isinstance(value, list) else value}")


@commands.command("assign")
@plainly
def assign(
    retailer: RetailerName,
    exception: ExceptionId,
    owner: Annotated[str, typer.Argument(help="Who has it now; `nobody` takes it from all.")],
    *,
    due_h: Annotated[float, typer.Option(min=0, help="To be done within hours; 0 is open.")] = 0.0,
) -> None:
    """Give it to somebody."""
    due_at = clock.now() + timedelta(hours=due_h) if due_h else None

    async def act(scope: TenantScope, database: Database) -> Hold:
        given = Assignment(_OWNER_WORDS.get(owner, owner), due_at)
        return await assign_hold(scope, database, _id(exception), given)

    after = asyncio.run(_at(retailer, act))
    typer.echo(f"{after.label}: {after.owner or 'nobody'} has it.")


@commands.command("release")
@plainly
def release(retailer: RetailerName, exception: ExceptionId, *, reason: Reason) -> None:
    """Let it go on unchanged."""

    async def act(scope: TenantScope, database: Database) -> Hold:
        return await release_hold(scope, database, _id(exception), reason, _workers_look)

    typer.echo(f"{asyncio.run(_at(retailer, act)).label}: released.")


@commands.command("discard")
@plainly
def discard(retailer: RetailerName, exception: ExceptionId, *, reason: Reason) -> None:
    """Give it up; it reaches nobody, and this cannot be undone."""

    async def act(scope: TenantScope, database: Database) -> Hold:
        return await discard_hold(scope, database, _id(exception), reason, _workers_look)

    typer.echo(f"{asyncio.run(_at(retailer, act)).label}: discarded.")


@commands.command("bulk")
@plainly
def bulk(  # noqa: PLR0913 - one option for each condition
    retailer: RetailerName,
    act: Annotated[str, typer.Argument(help="release, discard, assign or tag")],
    *,
    reason: Annotated[str, typer.Option(help="Why; needed to discard.")] = "",
    to: Annotated[str, typer.Option(help="Whom to assign, or which tag to give.")] = "",
    code: Code = "",
    owner: Owner = "",
    tag: Tag = "",
    min_amount: MinAmount = "",
    older_than_h: OlderThan = 0.0,
    text: Text = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this it is only told.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Act on all that the conditions find, at most 10,000; tells first what it would do."""
    chosen = _bulk_act(act, reason, to)
    selection = Selection(filter=_filter(code, owner, tag, min_amount, older_than_h, text, "age"))

    async def look(scope: TenantScope, database: Database) -> BulkPreview:
        decides = isinstance(chosen, Decide)
        return await preview_bulk(scope, database, selection, decides=decides)

    async def do(scope: TenantScope, database: Database) -> BulkResult:
        return await run_bulk(scope, database, selection, chosen, _workers_look)

    if yes:
        show_rows("Done", [_done(asyncio.run(_at(retailer, do)))], as_json=as_json)
    else:
        show_rows(
            "Would be done; add --yes", [_told(asyncio.run(_at(retailer, look)))], as_json=as_json
        )


async def _at(retailer: str, act: Act[_T]) -> _T:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        tenant_id = await find_retailer(retailer, floor.database)
        return await act(TenantScope(tenant_id, SCOPE.actor), floor.database)


def _workers_look() -> None:
    """Ring no bell: workers look every second by themselves."""


def _id(text: str) -> Id:
    parsed = parse_id(text)
    if parsed is None:
        raise NotFound
    return parsed


def _filter(  # noqa: PLR0913, PLR0917 - one argument for each condition
    code: str, owner: str, tag: str, min_amount: str, older_than_h: float, text: str, sort: str
) -> HoldFilter:
    sorts: dict[str, HoldSort] = {each: each for each in ("newest", "age", "money", "deadline")}
    if sort not in sorts:
        raise PlatformError("Sort by newest, age, money or deadline.", code="cli.choice_unknown")
    if min_amount and not min_amount.replace(".", "", 1).isdecimal():
        raise PlatformError("Write an amount such as 12.50.", code="cli.choice_unknown")
    return HoldFilter(
        code=code or None,
        owner=_OWNER_WORDS.get(owner, owner) if owner else None,
        tag=tag or None,
        min_amount=Decimal(min_amount) if min_amount else None,
        created_before=clock.now() - timedelta(hours=older_than_h) if older_than_h else None,
        text=text or None,
        sort=sorts[sort],
    )


def _bulk_act(act: str, reason: str, to: str) -> BulkAct:
    if act == "assign" and to:
        return Assignment(_OWNER_WORDS.get(to, to))
    if act == "tag" and to:
        return Tagging(add=(to,))
    decisions: dict[str, Literal["release", "discard"]] = {
        "release": "release",
        "discard": "discard",
    }
    if act in decisions and (reason or act == "release"):
        return Decide(decisions[act], reason)
    raise PlatformError(
        "Write release, discard with --reason, assign with --to, or tag with --to.",
        code="cli.choice_unknown",
    )


def _row(hold: Hold) -> dict[str, Any]:
    money = "" if hold.amount is None else f"{hold.amount.normalize():f} {hold.currency}"
    return {
        "id": str(hold.id),
        "what": hold.label,
        "state": hold.state,
        "code": hold.code,
        "money": money,
        "since (UTC)": f"{hold.created_at:%Y-%m-%d %H:%M}",
        "owner": hold.owner or "nobody",
        "due (UTC)": f"{hold.due_at:%Y-%m-%d %H:%M}" if hold.due_at else "",
        "tags": list(hold.tags),
    }


def _told(preview: BulkPreview) -> dict[str, Any]:
    money = (f"{amount.normalize():f} {name}" for name, amount in sorted(preview.money.items()))
    return {
        "would do": preview.would_do,
        "money": ", ".join(money),
        "refused": ", ".join(f"{count} {code}" for code, count in preview.refused.items()),
        "more beyond one call": preview.left,
    }


def _done(result: BulkResult) -> dict[str, Any]:
    return {
        "done": len(result.done),
        "refused": len(result.refused),
        "left": result.left,
        "words": result.words,
        "act": str(result.bulk_id),
    }
