"""`tillwire ledger partner/retailer`: the books; exit code 1 when they do not balance."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import find_retailer
from app.health.books import FATES, Balance
from app.health.ledger import Ledger, read_ledger
from app.processes.floor import open_floor
from infra.clock import now
from infra.database.scope import TenantScope

ACTOR = "operator.command_line"
STATEMENT_TIMEOUT_S = 60.0
EXIT_UNBALANCED = 1


@plainly
def run_ledger(
    retailer: Annotated[str, typer.Argument(help="partner/retailer")],
    *,
    hours: Annotated[int, typer.Option(min=1, help="How far back to count (hours).")] = 24,
    as_json: AsJson = False,
) -> None:
    """Count a retailer's books: accepted is the sum of all fates, held and in flight."""
    ledger = asyncio.run(_read(retailer, hours))
    _show(ledger, as_json=as_json)
    if ledger.unaccounted:
        raise typer.Exit(EXIT_UNBALANCED)


async def _read(retailer: str, hours: int) -> Ledger:
    until = now()
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        tenant_id = await find_retailer(retailer, floor.database)
        scope = TenantScope(tenant_id, ACTOR)
        return await read_ledger(scope, floor.database, until - timedelta(hours=hours), until)


def _show(ledger: Ledger, *, as_json: bool) -> None:
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


def _counts(balance: Balance) -> dict[str, int]:
    fates = {fate: balance.fates.get(fate, 0) for fate in FATES}
    return {
        "accepted": balance.accepted,
        **fates,
        "held": balance.held,
        "in_flight": balance.in_flight,
        "unaccounted": balance.unaccounted,
    }
