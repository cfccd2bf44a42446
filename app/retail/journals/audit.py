"""The audit of a store day: what it comes to, how far it is off, whether it is complete, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from app.retail.journals.fold import Balances, added, move
from app.retail.journals.gaps import Gap
from app.retail.journals.rules import Audit

Severity = Literal["error", "warning"]
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What the tickets of one store day and one currency come to; `tenders` by kind, change taken off.

    `net` is without tax, `returns` and `discounts` are contained in it.
    """

    currency: str
    tickets: int = 0
    lines: int = 0
    unmapped_lines: int = 0
    negative_tickets: int = 0
    changed_tickets: int = 0
    suspect_clocks: int = 0
    unexplained: Decimal = NOTHING
    net: Decimal = NOTHING
    tax: Decimal = NOTHING
    gross: Decimal = NOTHING
    tenders: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the store says at its close: money counted by tender, the till's report, last numbers.

    `counted` may leave tenders out that nobody counts. `last_numbers` is by workstation.
    """

    counted: Mapping[str, Decimal] = field(default_factory=dict)
    report_total: Decimal | None = None
    last_numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OverShort:
    """One tender of one day: what was counted against what the tickets say; over is positive."""

    tender: str
    counted: Decimal
    computed: Decimal

    @property
    def difference(self) -> Decimal:
        """Give what is over (positive) or short (negative)."""
        return self.counted - self.computed

    def is_beyond(self, rules: Audit) -> bool:
        """Say whether it is more than a day may be off by."""
        return abs(self.difference) > max(
            rules.over_short, abs(self.computed) * rules.over_short_share
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule of the audit that the day does not keep; an error needs a person's word."""

    rule: str
    severity: Severity
    words: str


@dataclass(frozen=True, slots=True)
class Day:
    """What the rules look at."""

    totals: DayTotals
    gaps: tuple[Gap, ...]
    declared: Declared
    rules: Audit


def over_shorts(totals: DayTotals, declared: Declared) -> tuple[OverShort, ...]:
    """Compare each counted tender with what the tickets say, by tender."""
    return tuple(
        OverShort(tender, counted, totals.tenders.get(tender, NOTHING))
        for tender, counted in sorted(declared.counted.items())
    )


def over_short_balances(found: tuple[OverShort, ...]) -> Balances:
    """Give what is to be booked for money over and short."""
    return added(
        move("cash_over", each.difference, each.tender, each.tender)
        if each.difference > 0
        else move("cash_short", -each.difference, each.tender, each.tender)
        for each in found
        if each.difference
    )


def audit(day: Day) -> list[Finding]:
    """Give every rule that the day does not keep, in the order of the rules."""
    return [
        Finding(name, severity, words)
        for name, severity, rule in RULES
        for words in rule(day)
    ]  # fmt: skip


def completeness(day: Day) -> str:
    """Say in one sentence whether the day is complete, and what it comes to."""
    totals = day.totals
    sold = f"{totals.tickets:,} tickets, {totals.gross:,} {totals.currency}"
    missing = sum(1 for gap in day.gaps if gap.reason == "missing" and gap.number == gap.last)
    held = sum(1 for gap in day.gaps if gap.reason == "held")
    jumps = sum(1 for gap in day.gaps if gap.number != gap.last)
    lacks = [
        text
        for count, text in (
            (missing, f"{missing} {_plural(missing, 'ticket')} never came"),
            (held, f"{held} {'ticket waits' if held == 1 else 'tickets wait'} for a decision"),
            (jumps, f"{jumps} {_plural(jumps, 'till')} jumped in its numbers"),
        )
        if count
    ]
    if not lacks:
        return f"Complete: {sold}; no number of any till is missing."
    return f"Not complete: {sold}; {', '.join(lacks)}."


def _gaps(day: Day) -> Iterator[str]:
    if day.gaps:
        tills = sorted({gap.workstation for gap in day.gaps})
        named = f"{_plural(len(tills), 'till')} {', '.join(tills)}"
        yield f"{len(day.gaps)} {_plural(len(day.gaps), 'number')} missing at {named}."


def _report(day: Day) -> Iterator[str]:
    told = day.declared.report_total
    if told is not None and told != day.totals.gross:
        yield (
            f"The tills' report says {told} {day.totals.currency}, the tickets say"
            f" {day.totals.gross}: a difference of {told - day.totals.gross}."
        )


def _over_short(day: Day) -> Iterator[str]:
    for each in over_shorts(day.totals, day.declared):
        if each.is_beyond(day.rules):
            way = "over" if each.difference > 0 else "short"
            yield (
                f"{each.tender}: {abs(each.difference)} {day.totals.currency} {way}"
                f" (counted {each.counted}, tickets {each.computed})."
            )


def _unmapped(day: Day) -> Iterator[str]:
    totals = day.totals
    if totals.unmapped_lines > totals.lines * day.rules.unmapped_share:
        yield f"{totals.unmapped_lines} of {totals.lines} lines name no known article."


def _unexplained(day: Day) -> Iterator[str]:
    if day.totals.unexplained:
        yield (
            f"{day.totals.unexplained} {day.totals.currency} of the totals are in no line; they are"
            " booked as suspense."
        )


def _negative(day: Day) -> Iterator[str]:
    if day.totals.negative_tickets:
        yield f"{day.totals.negative_tickets} tickets gave money back."


def _changed(day: Day) -> Iterator[str]:
    if day.totals.changed_tickets:
        yield f"{day.totals.changed_tickets} tickets were told again with other content."


def _clocks(day: Day) -> Iterator[str]:
    if day.totals.suspect_clocks:
        yield (
            f"{day.totals.suspect_clocks} tickets have a time that does not fit their business day;"
            " the till's business day counts."
        )


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


RULES: tuple[tuple[str, Severity, Callable[[Day], Iterator[str]]], ...] = (
    ("gaps", "error", _gaps),
    ("report", "error", _report),
    ("over_short", "error", _over_short),
    ("unmapped", "warning", _unmapped),
    ("unexplained", "error", _unexplained),
    ("negative", "warning", _negative),
    ("changed", "warning", _changed),
    ("clock", "warning", _clocks),
)
