"""What the demo shows in the terminal: the books of each connection, live, and where to look."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from app.health.books import Balance
from app.health.ledger import Ledger, read_ledger
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.errors import PlatformError

EVERY_S = 1.0
PLAIN_EVERY_S = 10.0
COLUMNS = ("accepted", "delivered", "superseded", "skipped", "held", "in flight", "unaccounted")


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands below the books: lines of text that do not change often."""

    title: str
    lines: tuple[str, ...]


async def show_books(
    console: Console,
    database: Database,
    tenant_id: UUID,
    facts: Callable[[], Awaitable[Facts]],
) -> None:
    """Show the books until cancelled: as a live table, or as a line now and then without a terminal."""
    if not console.is_terminal:
        while True:
            ledger = await _read(database, tenant_id)
            if ledger is not None:
                console.print(_line(ledger.total))
            await asyncio.sleep(PLAIN_EVERY_S)
    with Live(console=console, refresh_per_second=4) as live:
        while True:
            ledger = await _read(database, tenant_id)
            if ledger is not None:
                told = await facts()
                live.update(Group(_table(ledger, told.title), Panel("\n".join(told.lines))))
            await asyncio.sleep(EVERY_S)


async def _read(database: Database, tenant_id: UUID) -> Ledger | None:
    now = clock.now()
    try:
        return await read_ledger(
            TenantScope(tenant_id, "demo"),
            database,
            now - timedelta(days=7),
            now + timedelta(hours=1),
        )
    except PlatformError:
        return None  # the book is away for a moment; the next look shows it again


def _line(total: Balance) -> str:
    return "  ".join(f"{name} {_cells(total)[name]}" for name in COLUMNS)


def _table(ledger: Ledger, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("books of the last 7 days")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for kind in ("connection", "flow"):
        sums: dict[str, Balance] = defaultdict(Balance)
        for line in ledger.lines:
            if line.kind == kind:
                sums[line.name] += line.balance
        for name, balance in sorted(sums.items()):
            label = f"from {name}" if kind == "connection" else f"flow {name}"
            table.add_row(label, *_styled(balance))
        table.add_section()
    table.add_row("[bold]all records", *_styled(ledger.total))
    return table


def _cells(balance: Balance) -> dict[str, int]:
    return {
        "accepted": balance.accepted,
        "delivered": balance.fates.get("delivered", 0),
        "superseded": balance.fates.get("superseded", 0),
        "skipped": balance.fates.get("skipped", 0) + balance.fates.get("merged", 0),
        "held": balance.held,
        "in flight": balance.in_flight,
        "unaccounted": balance.unaccounted,
    }


def _styled(balance: Balance) -> list[str]:
    cells = {name: str(count) for name, count in _cells(balance).items()}
    if balance.held:
        cells["held"] = f"[yellow]{balance.held}[/]"
    cells["unaccounted"] = (
        f"[bold red]{balance.unaccounted}[/]" if balance.unaccounted else "[green]0[/]"
    )
    return [cells[name] for name in COLUMNS]
