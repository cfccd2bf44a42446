"""Documents told more than once: what each telling adds to the day on which it was told.

The last telling is how a document stands. A telling adds its difference to the one before, on its own
place, day and currency; so an order changed tomorrow changes tomorrow's journal and not today's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.retail.journals.facts import Fact


@dataclass(frozen=True, slots=True)
class Telling:
    """One telling of a document, as the book keeps it."""

    document: str
    kind: str
    event_id: UUID
    place: str
    channel: str
    business_day: date
    currency: str
    told_at: datetime
    version: str
    revision: int
    facts: tuple[Fact, ...]
    lines: int = 0
    unmapped_lines: int = 0
    is_clock_suspect: bool = False


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one telling adds in one currency to its place and day."""

    telling: Telling
    currency: str
    facts: tuple[Fact, ...]
    is_first: bool = False
    is_last: bool = False


def contributions(tellings: Iterable[Telling]) -> Iterator[Contribution]:
    """Give what each telling adds, whatever order they come in; those of one document together."""
    documents: defaultdict[str, list[Telling]] = defaultdict(list)
    for telling in tellings:
        documents[telling.document].append(telling)
    for told in documents.values():
        told.sort(key=_order)
        for at, telling in enumerate(told):
            is_last = at == len(told) - 1
            if at == 0:
                yield Contribution(
                    telling, telling.currency, telling.facts, is_first=True, is_last=is_last
                )
                continue
            yield from _differences(told[at - 1], telling, is_last=is_last)


def _differences(before: Telling, after: Telling, *, is_last: bool) -> Iterator[Contribution]:
    taken = tuple(Fact(fact.kind, fact.detail, -fact.amount) for fact in before.facts)
    if before.currency != after.currency:
        # No difference can be taken between two currencies: one goes, the other comes.
        yield Contribution(after, before.currency, taken)
        yield Contribution(after, after.currency, after.facts, is_last=is_last)
        return
    yield Contribution(after, after.currency, _net((*after.facts, *taken)), is_last=is_last)


def _net(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    sums: defaultdict[tuple[object, str], Decimal] = defaultdict(Decimal)
    kinds = {fact.kind: fact.kind for fact in facts}
    for fact in facts:
        sums[fact.kind, fact.detail] += fact.amount
    return tuple(
        Fact(kind, detail, sums[kind, detail])
        for kind in kinds
        for detail in sorted({fact.detail for fact in facts if fact.kind == kind})
        if sums[kind, detail]
    )


def _order(telling: Telling) -> tuple[datetime, str, int, str]:
    return (telling.told_at, telling.version, telling.revision, str(telling.event_id))
