"""`tillwire orders`: what orders come to and why, deadlines at risk, the proof of a day, cancelling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.processes.floor import Floor, open_floor
from app.retail.orders.cancel import Decision
from app.retail.orders.change import cancel_order
from app.retail.orders.completeness import Proof, prove_day
from app.retail.orders.read import OrderDetail, OrderFilter, OrderRow, list_orders, read_order
from app.retail.orders.watch import Running, read_running
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound
from infra.ids import Id, parse_id

STATEMENT_TIMEOUT_S = 60.0
EXIT_INCOMPLETE = 1

_T = TypeVar("_T")
Act = Callable[[TenantScope, Floor], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
OrderKey = Annotated[str, typer.Argument(help="Id of the order, as the list shows it.")]

commands = typer.Typer(
    no_args_is_help=True, help="Orders: list, show, deadlines, completeness, cancel."
)


@commands.command("list")
@plainly
def list_all(
    retailer: RetailerName,
    *,
    channel: Annotated[str, typer.Option(help="Only this channel.")] = "",
    status: Annotated[str, typer.Option(help="awaited, pending, open, cancelled, closed.")] = "",
    number: Annotated[str, typer.Option(help="Only the order of this number or id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List orders, those that came last first."""

    async def act(scope: TenantScope, floor: Floor) -> list[OrderRow]:
        async with begin(scope, floor.database) as session:
            wanted = OrderFilter(channel=channel, status=status, name=number)
            return await list_orders(session, wanted, limit)

    rows = [
        {
            "id": each.id, "number": each.number, "channel": each.channel, "status": each.status,
            "payment": each.payment, "fulfilment": each.fulfilment, "day": each.day,
            "total": each.total, "refunded": each.refunded, "currency": each.currency,
            "agreements": each.agreements,
        }
        for each in _run(retailer, "", act)
    ]  # fmt: skip
    show_rows("Orders", rows, as_json=as_json)


@commands.command("show")
@plainly
def show(retailer: RetailerName, order: OrderKey, *, as_json: AsJson = False) -> None:
    """Show one order: its agreements, and where it is stuck."""

    async def act(scope: TenantScope, floor: Floor) -> OrderDetail:
        async with begin(scope, floor.database) as session:
            return await read_order(session, _known(order))

    found = _run(retailer, "", act)
    rows = [
        {
            name: each[name]
            for name in ("number", "reason", "total", "happened_at", "made_by", "posting")
        }
        for each in found.agreements
    ]
    if as_json:
        show_json({"stuck": found.stuck, "agreements": rows, "shipments": found.shipments})
        return
    head = found.order
    typer.echo(
        f"Order {head.number} of {head.channel}: {head.status}, {head.payment}, {head.fulfilment};"
        f" {head.total} - {head.refunded} = {head.standing} {head.currency}"
    )
    show_rows("Agreements", rows, as_json=False)
    for words in found.stuck:
        typer.echo(f"! {words}")


@commands.command("deadlines")
@plainly
def deadlines(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """List clocks that have run half or more, the first to run out first."""

    async def act(scope: TenantScope, floor: Floor) -> list[Running]:
        async with begin(scope, floor.database) as session:
            return await read_running(session, clock.now())

    rows = [
        {"number": each.number, "channel": each.channel, "clock": each.clock, "until": each.ends_at,
         "gone": f"{each.share_gone:.0%}", "amount": each.amount, "currency": each.currency}
        for each in _run(retailer, "", act)
    ]  # fmt: skip
    show_rows("Deadlines", rows, as_json=as_json)


@commands.command("completeness")
@plainly
def completeness(
    retailer: RetailerName,
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The business day.")],
    *,
    channel: Annotated[str, typer.Option(help="Only this channel.")] = "",
    as_json: AsJson = False,
) -> None:
    """Prove that a day is complete; exit code 1 when it is not."""

    async def act(scope: TenantScope, floor: Floor) -> list[Proof]:
        async with begin(scope, floor.database) as session:
            return await prove_day(session, day.date(), channel)

    proofs = _run(retailer, "", act)
    if as_json:
        show_json([{"words": each.words, "is_complete": each.is_complete} for each in proofs])
    for each in () if as_json else proofs:
        typer.echo(each.words)
    if not all(each.is_complete for each in proofs):
        raise typer.Exit(EXIT_INCOMPLETE)


@commands.command("cancel")
@plainly
def cancel(
    retailer: RetailerName,
    order: OrderKey,
    reason: Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)],
    by: Annotated[str, typer.Option("--as", help="Your name, for the audit log.")],
) -> None:
    """Take a whole order back, and tell every system that has it."""

    async def act(scope: TenantScope, floor: Floor) -> Decision:
        key = await floor.vault.current(scope.tenant_id)
        async with begin(scope, floor.database) as session:
            return await cancel_order(session, key, _known(order), reason, by)

    typer.echo(_run(retailer, by, act).words)


def _known(text: str) -> Id:
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
