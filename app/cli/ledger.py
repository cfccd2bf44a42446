"""`tillwire ledger [partner/retailer]`: the books; exit code 1 when they do not balance."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.retailers import chosen_retailers
from app.health.books import FATES, Balance
from app.health.ledger import Ledger, read_ledger
from app.processes.floor import open_floor
from infra.clock import now

STATEMENT_TIMEOUT_S = 60.0
EXIT_UNBALANCED = 1

Ledgers = dict[str, Ledger]


@plainly
def run_ledger(
    retailer: Annotated[str, typer.Argument(help="partner/retailer; all when left out.")] = "",
    *,
    tenant: Annotated[str, typer.Option(help="The same as the argument.")] = "",
    hours: Annotated[int, typer.Option(min=1, help="How far back to count (hours).")] = 24,
    as_json: AsJson = False,
) -> None:
    """Count the books: accepted is the sum of all fates, held and in flight."""
    name = retailer or tenant
    ledgers = asyncio.run(_read(name, hours))
    if name:
        _show_one(ledgers[name], as_json=as_json)
    else:
        _show_all(ledgers, as_json=as_json)
    if _unaccounted(ledgers):
        raise typer.Exit(EXIT_UNBALANCED)


async def _read(name: str, hours: int) -> Ledgers:
    until = now()
    since = until - timedelta(hours=hours)
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        return {
            known: await read_ledger(scope, floor.database, since, until)
            for known, scope in await chosen_retailers(name, floor.database)
        }


def _show_one(ledger: Ledger, *, as_json: bool) -> None:
    lines = [
        {"kind": line.kind, "name": line.name, "hour": line.hour, **_counts(line.balance)}
        for line in ledger.lines
    ]
    total = _counts(ledger.total)
    if as_json:
        counted = {"since": ledger.since, "until": ledger.until, "counted_at": ledger.counted_at}
        show_json({**counted, "total": total, "unaccounted": ledger.unaccounted, "lines": lines})
        return
    show_rows("Books", [*lines, {"kind": "total", "name": "", "hour": "", **total}], as_json=False)


def _show_all(ledgers: Ledgers, *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"retailer": name, **_counts(ledger.total), "unaccounted": ledger.unaccounted}
        for name, ledger in ledgers.items()
    ]
    summed = _counts(sum((ledger.total for ledger in ledgers.values()), Balance()))
    total = {**summed, "unaccounted": _unaccounted(ledgers)}
    if as_json:
        show_json({"total": total, "unaccounted": _unaccounted(ledgers), "retailers": rows})
        return
    show_rows("Books", [*rows, {"retailer": "total", **total}], as_json=False)


def _unaccounted(ledgers: Ledgers) -> int:
    """Sum all differences, none cancelling another, those of flows too."""
    return sum(ledger.unaccounted for ledger in ledgers.values())


def _counts(balance: Balance) -> dict[str, int]:
    fates = {fate: balance.fates.get(fate, 0) for fate in FATES}
    return {
        "accepted": balance.accepted,
        **fates,
        "held": balance.held,
        "in_flight": balance.in_flight,
        "unaccounted": balance.unaccounted,
    }
