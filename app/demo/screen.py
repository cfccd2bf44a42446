"""The picture of the demo: the verdict, money and freshness, the books, and what to try."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.demo.standing import Delivered, Standing
from app.health.books import Balance

TITLE = "Maple & Main Outfitters"
PATH = "web shop and tills -> Tryton -> stock in the web shop"
LABEL_COLUMNS = 17
AWAY = "The book is away for a moment. Senders are told to come again; nothing is lost."
_FATES = {
    "delivered": ("delivered",),
    "superseded": ("superseded",),
    "skipped": ("skipped", "merged"),
    "discarded": ("discarded", "cancelled"),
}
# Shown when there is anything to show, so that the table fits 100 columns.
_RARE = ("superseded", "skipped", "discarded")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around the books: restarts by name, troubles in words, and what to try."""

    restarts: Mapping[str, int]
    trouble: str
    hints: Sequence[tuple[str, str]]


def verdict(standing: Standing) -> tuple[str, str]:
    """Say in one sentence how things stand, with the colour that it deserves."""
    accepted, missing = standing.ledger.total.accepted, standing.ledger.unaccounted
    waiting = standing.waiting
    if missing:
        return f"{missing} of {accepted:,} records cannot be found. Call the operator.", "red"
    books = f"{accepted:,} records in, {accepted:,} accounted for"
    if not waiting.count:
        return f"All is well: {books}.", "green"
    waits = "record waits" if waiting.count == 1 else "records wait"
    return (
        f"{waiting.count} {waits} for a person, {_money(waiting.amount)} at stake. {books}.",
        "yellow",
    )


def picture(standing: Standing, around: Surroundings) -> RenderableType:
    """Draw everything; 28 lines of 100 columns as long as nothing unusual happens."""
    words, colour = verdict(standing)
    parts: list[RenderableType] = [
        Panel(
            Text(words, f"bold {colour}"),
            title=f"[bold]{TITLE}[/]  {PATH}",
            title_align="left",
            border_style=colour,
        ),
        Padding(_facts(standing, around), (0, 2)),
        Padding(_books(standing), (0, 1)),
        Padding(_hints(around.hints), (0, 2)),
    ]
    return Group(*parts)


def line(standing: Standing, around: Surroundings) -> str:
    """Say the same in one line, for where there is no terminal."""
    total = standing.ledger.total
    restarts = sum(around.restarts.values())
    return (
        f"{verdict(standing)[0]} Delivered {total.fates.get('delivered', 0)}, in flight"
        f" {total.in_flight}, unaccounted {standing.ledger.unaccounted}; last web order"
        f" {_ago(standing.orders.last_at, standing.read_at)}; restarts {restarts}"
    )


def _facts(standing: Standing, around: Surroundings) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=LABEL_COLUMNS)
    table.add_column(overflow="ellipsis", no_wrap=True)
    booked = standing.orders.amount + standing.tickets.amount
    table.add_row(
        "booked in the ERP",
        Text.assemble(
            (_money(booked), "bold"),
            f"  from {standing.orders.count:,} web orders and"
            f" {standing.tickets.count:,} till tickets in 24 h",
        ),
    )
    table.add_row("last web order", _freshness(standing.orders, standing.read_at))
    table.add_row("last till ticket", _freshness(standing.tickets, standing.read_at))
    table.add_row("last stock sent", _freshness(standing.stock, standing.read_at))
    if standing.waiting.newest:
        table.add_row("newest that waits", Text(standing.waiting.newest, "yellow"))
    if around.trouble:
        table.add_row("trouble", Text(around.trouble, "red"))
    table.add_row("started again", _restarts(around.restarts))
    return table


def _freshness(delivered: Delivered, now: datetime) -> Text:
    ago = _ago(delivered.last_at, now)
    return Text.assemble((ago, "bold"), f"  {delivered.last_label}" if delivered.last_at else "")


def _restarts(restarts: Mapping[str, int]) -> str:
    counted = [f"{name} {count}" for name, count in sorted(restarts.items()) if count]
    return ", ".join(counted) or "nothing; everything runs since the start"


def _books(standing: Standing) -> Table:
    total = standing.ledger.total
    shown = [name for name in _FATES if name not in _RARE or _fate(total, name)]
    columns = ["accepted", *shown, "held", "in flight", "unaccounted"]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_footer=True)
    table.add_column("books of 24 hours", footer="all records", no_wrap=True)
    sums = _cells(total, shown)
    for name, cell in zip(columns, sums, strict=True):
        table.add_column(name, justify="right", footer=cell)
    for kind, label in (("connection", "from"), ("flow", "flow")):
        for name, balance in _by_name(standing, kind):
            table.add_row(f"{label} {name}", *_cells(balance, shown))
    return table


def _by_name(standing: Standing, kind: str) -> list[tuple[str, Balance]]:
    sums: dict[str, Balance] = defaultdict(Balance)
    for each in standing.ledger.lines:
        if each.kind == kind:
            sums[each.name] += each.balance
    return sorted(sums.items())


def _cells(balance: Balance, shown: Sequence[str]) -> list[Text]:
    fates = [Text(f"{_fate(balance, name):,}") for name in shown]
    held = Text(f"{balance.held:,}", "yellow" if balance.held else "")
    found = "bold red" if balance.unaccounted else "green"
    return [
        Text(f"{balance.accepted:,}"),
        *fates,
        held,
        Text(f"{balance.in_flight:,}"),
        Text(f"{balance.unaccounted:,}", found),
    ]


def _fate(balance: Balance, name: str) -> int:
    return sum(balance.fates.get(fate, 0) for fate in _FATES[name])


def _hints(hints: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=LABEL_COLUMNS)
    table.add_column(style="cyan", no_wrap=True, overflow="ellipsis")
    for name, words in hints:
        table.add_row(name, Text(words))
    return table


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "none yet"
    seconds = max(0, int((now - moment).total_seconds()))
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"  # noqa: PLR2004


def _money(amount: Decimal) -> str:
    return f"${amount:,.2f}"
