"""`tillwire settlements`: what channels paid out, what differs, and matching again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.processes.floor import Floor, open_floor
from app.retail.break_cards import wanted_of
from app.retail.breaks import Break, list_breaks
from app.retail.journals.ends import list_posted
from app.retail.settlements.keep import take_again, take_due
from app.retail.settlements.read import SettlementHead, list_settlements, read_settlement
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import NotFound

STATEMENT_TIMEOUT_S = 60.0

_T = TypeVar("_T")
Act = Callable[[TenantScope, Floor], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
Number = Annotated[str, typer.Argument(help="The channel's own number of the settlement.")]

commands = typer.Typer(no_args_is_help=True, help="Settlements: list, show, match, breaks.")


@commands.command("list")
@plainly
def list_all(
    retailer: RetailerName,
    *,
    channel: Annotated[str, typer.Option(help="Only of this channel.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take what was told and list settlements, the last taken first."""

    async def act(scope: TenantScope, floor: Floor) -> list[SettlementHead]:
        await take_due(scope, floor.database, floor.vault)
        async with begin(scope, floor.database) as session:
            return await list_settlements(session, scope.tenant_id, channel=channel)

    show_rows("Settlements", [_row(each) for each in _run(retailer, act)], as_json=as_json)


@commands.command("show")
@plainly
def show(retailer: RetailerName, number: Number, *, as_json: AsJson = False) -> None:
    """Show one settlement: its steps, what agrees, what differs, and its journals."""

    async def act(scope: TenantScope, floor: Floor) -> dict[str, Any]:
        async with begin(scope, floor.database) as session:
            return await _shown(session, scope, (await _find(session, scope, number)).id)

    _print(_run(retailer, act), as_json=as_json)


@commands.command("match")
@plainly
def match(retailer: RetailerName, number: Number, *, as_json: AsJson = False) -> None:
    """Match a settlement again with what was sold by now; only differences are booked."""

    async def act(scope: TenantScope, floor: Floor) -> dict[str, Any]:
        async with begin(scope, floor.database) as session:
            head = await _find(session, scope, number)
        await take_again(scope, floor.database, head.id)
        await take_due(scope, floor.database, floor.vault)
        async with begin(scope, floor.database) as session:
            return await _shown(session, scope, head.id)

    _print(_run(retailer, act), as_json=as_json)


@commands.command("breaks")
@plainly
def breaks(
    retailer: RetailerName,
    *,
    kind: Annotated[str, typer.Option(help="Only of this kind.")] = "",
    closed: Annotated[
        bool, typer.Option("--closed", help="Also those that are explained.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what two sides say differently, with who takes care of it and by when."""

    async def act(scope: TenantScope, floor: Floor) -> list[Break]:
        async with begin(scope, floor.database) as session:
            return await list_breaks(session, scope.tenant_id, kind=kind, with_closed=closed)

    show_rows("Breaks", [_break(each) for each in _run(retailer, act)], as_json=as_json)


async def _find(session: Session, scope: TenantScope, number: str) -> SettlementHead:
    for each in await list_settlements(session, scope.tenant_id):
        if each.external_id == number:
            return each
    raise NotFound


async def _shown(session: Session, scope: TenantScope, settlement_id: Any) -> dict[str, Any]:
    page = await read_settlement(session, scope.tenant_id, settlement_id)
    found = await list_breaks(session, scope.tenant_id, place=page.head.place)
    posted = await list_posted(session, scope.tenant_id, place=page.head.place, kind="settlement")
    agreement = page.agreement
    return {
        "settlement": _row(page.head),
        "steps": [
            {"step": each.name, "lines": each.lines, "amount": each.amount}
            for each in page.waterfall
        ],
        "agreement": {
            "orders": agreement.orders,
            "orders agreed": agreement.orders_agreed,
            "amount": agreement.amount,
            "amount agreed": agreement.amount_agreed,
            "unexplained, bp": page.unexplained_bp,
        },
        "breaks": [_break(each) for each in found],
        "journals": [
            {
                "revision": each.journal.revision,
                "state": each.end,
                "account": line.account,
                "role": line.role,
                "detail": line.detail,
                "debit": line.debit,
                "credit": line.credit,
            }
            for each in posted
            for line in each.journal.lines
        ],
    }


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    show_rows("Settlement", [found["settlement"]], as_json=False)
    show_rows("Steps", found["steps"], as_json=False)
    show_rows("Agreement", [found["agreement"]], as_json=False)
    show_rows("Breaks", found["breaks"], as_json=False)
    show_rows("Journals", found["journals"], as_json=False)


def _row(head: SettlementHead) -> dict[str, Any]:
    return {
        "channel": head.channel,
        "number": head.external_id,
        "from": head.period_start,
        "to": head.period_end,
        "payout": head.payout,
        "unexplained": head.unexplained,
        "currency": head.currency,
    }


def _break(found: Break) -> dict[str, Any]:
    wanted = wanted_of(found)
    return {
        "kind": found.kind,
        "what": found.key,
        "amount": found.amount,
        "currency": found.currency,
        "owner": wanted.owner,
        "until": wanted.due_at,
        "since": found.first_seen_at,
        "next": wanted.click,
        "words": found.words,
    }


def _run(retailer: str, act: Act[_T]) -> _T:
    async def run() -> _T:
        async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
            scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
            return await act(scope, floor)

    return asyncio.run(run())
