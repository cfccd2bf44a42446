"""What the demo says: the incidents as the operator sees them, the receipt, and what the judge found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.demo.monday.judge import Told, Verdict
from app.demo.monday.morning import Replayed, Seen
from app.demo.monday.world import NAMES

_GOOD, _BAD = "[green]yes[/]", "[bold red]NO[/]"


def show_incidents(console: Console, seen: Sequence[Seen]) -> None:
    """Draw the incidents as a list that fits a terminal of 100 columns."""
    for place, each in enumerate(seen, 1):
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", min_width=10, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(f"{place}.", Text(each.title, "bold"))
        grid.add_row("retailer", NAMES[each.retailer])
        grid.add_row("at risk", f"{_money(each.amount)} in {each.records:,} records")
        grid.add_row("came after", each.cause)
        grid.add_row("next step", each.next_step)
        console.print(Padding(grid, (1, 0, 0, 10)))
    console.print()


def show_replay(console: Console, replayed: Replayed) -> None:
    """Say what was promised and what happened."""
    promised = ", ".join(f"{count:,} {kind}" for kind, count in replayed.promised.items())
    approved = "approved by a second person" if replayed.needed_approval else "no approval needed"
    words = (
        f"promised: {promised}, {_money(replayed.amount)}; {approved};"
        f" receipt equals preview in {replayed.equal:,} of {replayed.of:,}"
    )
    console.print(Padding(Text(words), (0, 0, 0, 10)))


def show_checks(console: Console, checks: Mapping[str, bool]) -> None:
    """List what had to be true, and whether it was."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for words, is_true in checks.items():
        table.add_row(_GOOD if is_true else _BAD, words)
    console.print(Padding(table, (1, 0, 1, 10)))


def checks_of_incidents(seen: Sequence[Seen], expected: Mapping[str, Told]) -> dict[str, bool]:
    """Hold the incidents against what the senders wrote down."""
    causes = {"transient": "none", "auth": "none", "data": "mapping"}
    found = {each.error_class: each for each in seen}
    records = sum(told.records for told in expected.values())
    return {
        f"three incidents, not {records:,} errors": len(seen) == len(expected)
        and found.keys() == expected.keys(),
        "each names the change that came just before, or that there was none": all(
            found[name].cause_kind == cause for name, cause in causes.items() if name in found
        ),
        "each counts exactly the records that the senders' logs say": all(
            found[name].records == told.records for name, told in expected.items() if name in found
        ),
        "each tells exactly the money that the senders' logs say": all(
            found[name].amount == told.amount for name, told in expected.items() if name in found
        ),
    }


def checks_of_targets(verdicts: Sequence[Verdict]) -> dict[str, bool]:
    """Say of each target whether everything arrived once and in order."""
    return {
        f"{each.target}: {each.effects:,} effects; missing {each.missing}, doubled {each.doubled},"
        f" unknown {each.unknown}, out of order {each.inverted}"
        f" (repeated requests, harmless by key: {each.repeated})": each.is_clean
        for each in verdicts
    }


def _money(amount: Decimal) -> str:
    return f"${amount:,.2f}"
