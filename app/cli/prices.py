"""`tillwire prices`: what holds where, who does not have it yet, and what waits for approval."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.exceptions.approve_price import approve_price
from app.processes.floor import Floor, open_floor
from app.retail.prices.approval import expire_version
from app.retail.prices.missing import find_missing
from app.retail.prices.read import (
    PlaceState,
    PriceAt,
    Propagation,
    prices_at,
    read_propagation,
    waiting_for_approval,
)
from app.retail.prices.targets import LEAD_USUAL_S, WantedTarget, ensure_target, read_targets
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound
from infra.ids import Id, parse_id

STATEMENT_TIMEOUT_S = 60.0
HELD_SHOWN = 200

commands = typer.Typer(no_args_is_help=True)

_T = TypeVar("_T")
Act = Callable[[TenantScope, Floor], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
VersionId = Annotated[str, typer.Argument(help="Id of the version, as `list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]
By = Annotated[str, typer.Option(help="Who decides; stands in the audit log.")]


@commands.callback()
def prices() -> None:
    """Prices, promotions and recalls of a retailer, place by place."""


@commands.command("list")
@plainly
def list_prices(
    retailer: RetailerName,
    sku: Annotated[str, typer.Argument(help="The article.")],
    *,
    store: Annotated[str, typer.Option(help="Only this store or shop.")] = "",
    at: Annotated[
        datetime | None, typer.Option(help="2026-11-27T09:00:00, UTC; now without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what an article costs at each place."""

    async def act(scope: TenantScope, floor: Floor) -> list[PriceAt]:
        async with begin(scope, floor.database) as session:
            return await prices_at(session, sku, store, at.replace(tzinfo=UTC) if at else None)

    rows = [
        {
            "place": each.place,
            "list": each.series,
            "price": _money(each.amount, each.currency),
            "kind": each.kind,
            "state": each.state or "",
            "until": each.ends_at,
            "version": str(each.version_id),
            "words": each.words,
        }
        for each in _run(retailer, "", act)
    ]
    show_rows(f"Prices of {sku}", rows, as_json=as_json)


@commands.command("show")
@plainly
def show_price(retailer: RetailerName, version: VersionId, *, as_json: AsJson = False) -> None:
    """Show how far each place has come with a price, a promotion or a recall."""

    async def act(scope: TenantScope, floor: Floor) -> Propagation:
        async with begin(scope, floor.database) as session:
            return await read_propagation(session, _id(version))

    found = _run(retailer, "", act)
    rows = [_place(each) for each in found.places]
    if as_json:
        show_json({"item": found.version.item, "state": found.state, "says": found.says,
                   "places": rows})  # fmt: skip
        return
    typer.echo(found.says)
    show_rows(f"{found.subject} {found.version.object_id}", rows, as_json=False)


@commands.command("missing")
@plainly
def missing(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """Name the places that lack what begins or began; exit code 1 when there are any."""

    async def act(scope: TenantScope, floor: Floor) -> list[dict[str, Any]]:
        now = clock.now()
        async with begin(scope, floor.database) as session:
            found = await find_missing(session, now)
        return [
            {"what": each.subject, "item": each.item, "begins": each.begins_at,
             "words": each.words(now)}
            for each in found
        ]  # fmt: skip

    rows = _run(retailer, "", act)
    show_rows("Missing", rows, as_json=as_json)
    if rows:
        raise typer.Exit(1)


@commands.command("waiting")
@plainly
def waiting(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """List prices that wait for approval, newest first."""

    async def act(scope: TenantScope, floor: Floor) -> list[dict[str, Any]]:
        async with begin(scope, floor.database) as session:
            found = await waiting_for_approval(session, HELD_SHOWN)
        return [
            {"version": str(each.id), "item": each.item, "told": each.told_at, "words": each.words}
            for each in found
        ]

    show_rows("Waiting for approval", _run(retailer, "", act), as_json=as_json)


@commands.command("approve")
@plainly
def approve(retailer: RetailerName, version: VersionId, *, reason: Reason, by: By = "") -> None:
    """Let a price pass; it is distributed at once."""

    async def act(scope: TenantScope, floor: Floor) -> None:
        await approve_price(scope, floor.database, _id(version), reason, lambda: None)

    _run(retailer, by, act)
    typer.echo("Approved.")


@commands.command("expire")
@plainly
def expire(retailer: RetailerName, version: VersionId, *, reason: Reason, by: By = "") -> None:
    """End a price or promotion everywhere, now; what held before it holds again."""

    async def act(scope: TenantScope, floor: Floor) -> datetime:
        async with begin(scope, floor.database) as session:
            return await expire_version(session, _id(version), scope.actor, reason)

    typer.echo(f"Ended at {_run(retailer, by, act):%Y-%m-%d %H:%M:%S} UTC.")


@commands.command("places")
@plainly
def targets(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """List the places that take prices."""

    async def act(scope: TenantScope, floor: Floor) -> list[dict[str, Any]]:
        async with begin(scope, floor.database) as session:
            found = await read_targets(session, with_inactive=True)
        return [
            {"place": each.place, "connection": each.connection, "kind": each.kind,
             "zone": each.zone, "currency": each.currency, "scopes": each.further_scopes,
             "ahead": each.lead_s if each.schedules_ahead else None, "active": each.is_active}
            for each in found
        ]  # fmt: skip

    show_rows("Places", _run(retailer, "", act), as_json=as_json)


@commands.command("place")
@plainly
def set_target(  # noqa: PLR0913 - each says something else about the place
    retailer: RetailerName,
    connection: Annotated[str, typer.Argument(help="Name of the connection.")],
    place: Annotated[str, typer.Argument(help="Number of the store, or name of the shop.")],
    zone: Annotated[str, typer.Argument(help="Its clock, such as America/New_York.")],
    *,
    currency: Annotated[str, typer.Option(help="Its money.")] = "USD",
    channel: Annotated[bool, typer.Option(help="It is a web shop or marketplace.")] = False,
    scope: Annotated[list[str] | None, typer.Option(help="region:west; repeatable.")] = None,
    ahead: Annotated[bool, typer.Option(help="It takes prices ahead of time.")] = False,
    lead_s: Annotated[int, typer.Option(help="How long ahead, in seconds.")] = LEAD_USUAL_S,
    phone: Annotated[str, typer.Option(help="Whom to call when it does not answer.")] = "",
    off: Annotated[bool, typer.Option(help="It takes no prices any more.")] = False,
    by: By = "",
) -> None:
    """Let a place take prices, or change it."""
    wanted = WantedTarget(
        connection=connection,
        place=place,
        zone=zone,
        currency=currency,
        kind="channel" if channel else "store",
        scopes=tuple(scope or ()),
        schedules_ahead=ahead,
        lead_s=lead_s,
        phone=phone,
        is_active=not off,
    )

    async def act(scope: TenantScope, floor: Floor) -> Id:
        async with begin(scope, floor.database) as session:
            return await ensure_target(session, wanted)

    typer.echo(f"Set: {_run(retailer, by, act)}")


def _place(state: PlaceState) -> dict[str, Any]:
    return {
        "place": state.place,
        "state": state.state,
        "begins": state.begins_at,
        "price": _money(state.amount, state.currency),
        "accepted": state.accepted_at,
        "verified": state.verified_at,
        "sold wrong": state.wrong_sales,
        "leakage": _money(state.leakage, state.currency),
        "words": state.words,
    }


def _money(amount: Decimal | None, currency: str | None) -> str:
    return "" if amount is None else f"{amount.normalize():f} {currency or ''}".strip()


def _id(text: str) -> Id:
    found = parse_id(text)
    if found is None:
        raise NotFound
    return found


def _run(retailer: str, by: str, act: Act[_T]) -> _T:
    async def run() -> _T:
        async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
            actor = f"person:{by}" if by else SCOPE.actor
            scope = TenantScope(await find_retailer(retailer, floor.database), actor)
            return await act(scope, floor)

    return asyncio.run(run())
