"""`tillwire journals`: show or export what is to be booked; publish posting rules and accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import yaml
from pydantic import ValidationError

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.exceptions.edit import EditParts
from app.exceptions.redate import redate_journal
from app.processes.floor import Floor, open_floor
from app.retail.journals.ends import PostedJournal, list_posted
from app.retail.journals.read import journals_csv, list_journals
from app.retail.journals.rule_book import publish_rules
from app.retail.journals.rules import PostingRules
from connectors.canonical.journal import Journal, journal_total
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound, PlatformError
from infra.ids import parse_id

STATEMENT_TIMEOUT_S = 60.0

_T = TypeVar("_T")
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]

commands = typer.Typer(no_args_is_help=True, help="Journals: list, show, redate, rules.")


@commands.command("show")
@plainly
def show(
    retailer: RetailerName,
    *,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only one.")] = None,
    store: Annotated[str, typer.Option(help="Only one store, channel or settlement.")] = "",
    kind: Annotated[str, typer.Option(help="sales_day, over_short or settlement.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV to standard output.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show journals, a row for each line."""

    async def act(scope: TenantScope, floor: Floor) -> list[Journal]:
        async with begin(scope, floor.database) as session:
            wanted = day.date() if day else None
            return await list_journals(session, scope.tenant_id, place=store, day=wanted, kind=kind)

    journals = _run(retailer, act)
    if as_csv:
        typer.echo(journals_csv(journals), nl=False)
        return
    rows = [
        {
            "kind": journal.kind,
            "place": journal.place,
            "day": journal.day,
            "revision": journal.revision,
            "status": journal.status,
            "account": line.account,
            "role": line.role,
            "detail": line.detail,
            "debit": line.debit,
            "credit": line.credit,
            "currency": journal.currency,
        }
        for journal in journals
        for line in journal.lines
    ]
    show_rows("Journals", rows, as_json=as_json)


@commands.command("list")
@plainly
def list_all(
    retailer: RetailerName,
    *,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only one.")] = None,
    store: Annotated[str, typer.Option(help="Only one store, channel or settlement.")] = "",
    as_json: AsJson = False,
) -> None:
    """List journals, the newest first: how far each got, and why it waits."""

    async def act(scope: TenantScope, floor: Floor) -> list[PostedJournal]:
        async with begin(scope, floor.database) as session:
            wanted = day.date() if day else None
            return await list_posted(session, scope.tenant_id, place=store, day=wanted)

    rows = [
        {
            "id": each.id,
            "kind": each.journal.kind,
            "place": each.journal.place,
            "day": each.journal.day,
            "revision": each.journal.revision,
            "total": journal_total(each.journal),
            "currency": each.journal.currency,
            "state": each.end,
            "reference": each.reference,
            "words": each.words,
        }
        for each in _run(retailer, act)
    ]
    show_rows("Journals", rows, as_json=as_json)


@commands.command("redate")
@plainly
def redate(
    retailer: RetailerName,
    journal: Annotated[str, typer.Argument(help="Id of the journal, as `list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why it is booked under another day.")],
) -> None:
    """Send a journal that was refused for its period again, under the first day that is open."""
    journal_id = parse_id(journal)
    if journal_id is None:
        raise NotFound

    async def act(scope: TenantScope, floor: Floor) -> PostedJournal:
        # No bell: workers find it when they look by themselves.
        parts = EditParts(floor.database, floor.vault, lambda: None)
        return await redate_journal(scope, parts, journal_id, reason)

    posted_on = _run(retailer, act).journal.posted_on
    typer.echo(f"It is sent again and booked under {posted_on}.")


@commands.command("rules")
@plainly
def rules(
    retailer: RetailerName,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML file.")],
) -> None:
    """Publish accounts and posting rules, and finish the drafts that waited for an account."""
    wanted = _read(file)

    async def act(scope: TenantScope, floor: Floor) -> tuple[int, int]:
        return await publish_rules(scope, floor.database, floor.vault, wanted)

    version, finished = _run(retailer, act)
    typer.echo(f"Version {version} is in force. {finished} drafts are complete with it.")


def _read(file: Path) -> PostingRules:
    try:
        return PostingRules.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PlatformError(f"{file.name}: {place}: {first['msg']}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise PlatformError(f"{file.name} is no YAML. Correct it and publish it again.") from None


def _run(retailer: str, act: Callable[[TenantScope, Floor], Awaitable[_T]]) -> _T:
    async def run() -> _T:
        async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
            scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
            return await act(scope, floor)

    return asyncio.run(run())
