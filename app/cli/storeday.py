"""`tillwire storeday`: which store days are complete, which numbers are missing; close a day."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.processes.floor import Floor, open_floor
from app.retail.breaks import list_breaks
from app.retail.journals.audit import Declared
from app.retail.journals.close import ClosedDay, close_day, take_and_look
from app.retail.journals.day_book import StoreDay, list_days
from app.retail.journals.day_sums import read_day_sums
from app.retail.journals.read import list_journals
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound, PlatformError

STATEMENT_TIMEOUT_S = 60.0
EXIT_NOT_POSTED = 1

_T = TypeVar("_T")
Act = Callable[[TenantScope, Floor], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
Place = Annotated[str, typer.Argument(help="Store, or the name of a channel's connection.")]
DayOf = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Business day.")]
By = Annotated[str, typer.Option("--as", help="Your name, for the audit log.")]

commands = typer.Typer(no_args_is_help=True, help="Store days: list, show, close.")


@commands.command("list")
@plainly
def list_all(
    retailer: RetailerName,
    *,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only one.")] = None,
    store: Annotated[str, typer.Option(help="Only one store or channel.")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="What is not posted or has gaps.")] = (
        False
    ),
    as_json: AsJson = False,
) -> None:
    """Take what was sold and list the store days, the newest first."""

    async def act(scope: TenantScope, floor: Floor) -> list[StoreDay]:
        await take_and_look(scope, floor.database, floor.vault)
        async with begin(scope, floor.database) as session:
            wanted = day.date() if day else None
            return await list_days(
                session, scope.tenant_id, day=wanted, place=store, only_open=open_only
            )

    show_rows("Store days", [_row(each) for each in _run(retailer, "", act)], as_json=as_json)


@commands.command("show")
@plainly
def show(retailer: RetailerName, store: Place, day: DayOf, *, as_json: AsJson = False) -> None:
    """Show one store day: what it comes to, which numbers are missing, what was booked."""

    async def act(scope: TenantScope, floor: Floor) -> dict[str, Any]:
        await take_and_look(scope, floor.database, floor.vault)
        return await _shown(scope, floor, store, day.date())

    found = _run(retailer, "", act)
    if as_json:
        show_json(found)
        return
    show_rows("Store day", [found["day"]], as_json=False)
    typer.echo(found["day"]["words"])
    show_rows("Totals", found["totals"], as_json=False)
    show_rows("Missing", found["missing"], as_json=False)
    show_rows("Journals", found["journals"], as_json=False)


@commands.command("close")
@plainly
def close(  # noqa: PLR0913 - one option for each thing said at a close
    retailer: RetailerName,
    store: Place,
    day: DayOf,
    *,
    counted: Annotated[list[str] | None, typer.Option(help="tender=amount, as counted.")] = None,
    report: Annotated[str, typer.Option(help="Total of the tills' own report.")] = "",
    last: Annotated[list[str] | None, typer.Option(help="till=number of its last ticket.")] = None,
    reason: Annotated[str, typer.Option(help="Why it may be booked although it is off.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Close and book a day; exit code 1 when something is off that no reason accepts."""
    declared = _declared(counted or [], report, last or [])

    async def act(scope: TenantScope, floor: Floor) -> ClosedDay:
        return await close_day(
            scope, floor.database, floor.vault, store, day.date(), declared, reason
        )

    closed = _run(retailer, by, act)
    rows = [
        {"rule": each.rule, "severity": each.severity, "words": each.words}
        for each in closed.findings
    ]
    journals = [
        {"kind": each.kind, "revision": each.revision, "status": each.status}
        for each in closed.journals
    ]
    if as_json:
        told = {"state": closed.day.state, "words": closed.words}
        show_json({**told, "findings": rows, "journals": journals})
    else:
        typer.echo(f"{closed.day.state}. {closed.words}")
        show_rows("Findings", rows, as_json=False)
        show_rows("Journals", journals, as_json=False)
    if closed.day.state != "posted":
        raise typer.Exit(EXIT_NOT_POSTED)


async def _shown(scope: TenantScope, floor: Floor, place: str, day: date) -> dict[str, Any]:
    async with begin(scope, floor.database) as session:
        known = await list_days(session, scope.tenant_id, day=day, place=place)
        if not known:
            raise NotFound
        sums = await read_day_sums(session, scope.tenant_id, place, day)
        breaks = await list_breaks(session, scope.tenant_id, place=place, day=day)
        journals = await list_journals(session, scope.tenant_id, place=place, day=day)
    return {
        "day": _row(known[0]),
        "totals": [
            {
                "currency": each.totals.currency,
                "tickets": each.totals.tickets,
                "net": each.totals.net,
                "tax": each.totals.tax,
                "gross": each.totals.gross,
                **{f"by {name}": amount for name, amount in each.totals.tenders.items()},
            }
            for each in sums.values()
        ],
        "missing": [
            {"kind": each.kind, "what": each.key, "since": each.first_seen_at, "words": each.words}
            for each in breaks
        ],
        "journals": [
            {
                "kind": each.kind,
                "revision": each.revision,
                "status": each.status,
                "debit": sum((line.debit for line in each.lines), Decimal(0)),
                "currency": each.currency,
            }
            for each in journals
        ],
    }


def _row(day: StoreDay) -> dict[str, Any]:
    return {
        "store": day.place,
        "day": day.business_day,
        "state": day.state,
        "tickets": day.tickets,
        "missing": day.gaps,
        "late": day.late_tickets,
        "words": day.words,
    }


def _declared(counted: list[str], report: str, last: list[str]) -> Declared | None:
    if not (counted or report or last):
        return None
    return Declared(
        {name: _amount(text) for name, text in map(_pair, counted)},
        _amount(report) if report else None,
        {till: int(_amount(number)) for till, number in map(_pair, last)},
    )


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.rpartition("=")
    if not mark or not name:
        raise PlatformError(f"{text!r} is no name=value, such as cash=120.50.")
    return name, value


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise PlatformError(f"{text!r} is no number. Write it like 120.50.") from None
    if not amount.is_finite():
        raise PlatformError(f"{text!r} is no number. Write it like 120.50.")
    return amount


def _run(retailer: str, by: str, act: Act[_T]) -> _T:
    async def run() -> _T:
        async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
            actor = f"person:{by}" if by else SCOPE.actor
            scope = TenantScope(await find_retailer(retailer, floor.database), actor)
            return await act(scope, floor)

    return asyncio.run(run())
