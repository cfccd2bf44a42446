"""Holes in the numbers of a till: each is a missing ticket until something explains it.

A till numbers its tickets one by one. What is between two numbers that came, and came not, is told by
store, till and number. A hole larger than any day's loss is one jump: a counter set anew, or a number
that is wrong; as single tickets it would hide the real ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from app.retail.journals.rules import Tills

LARGEST_HOLE = 500
MAX_LISTED = 5_000

Reason = Literal["missing", "held"]
# A till, or a till and its operator where numbers restart with each.
TillKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Gap:
    """One number that did not come (or a jump from `number` to `last`), and how far that is known."""

    workstation: str
    operator: str
    number: int
    last: int
    reason: Reason

    def key(self, place: str, day: str) -> str:
        """Name the gap, the same each time it is found."""
        operator = f"/{self.operator}" if self.operator else ""
        number = str(self.number) if self.number == self.last else f"{self.number}-{self.last}"
        return f"{place}/{day}/{self.workstation}{operator}/{number}"

    def words(self, place: str) -> str:
        """Say in plain words what is missing and what to do."""
        where = f"store {place}, till {self.workstation}"
        if self.number != self.last:
            return (
                f"The numbers of {where} jump from {self.number - 1} to {self.last + 1}. Either the"
                " till's counter was set anew, or a number is wrong. Look at the till's last report."
            )
        if self.reason == "held":
            return (
                f"Ticket {self.number} of {where} is here but cannot be read. Decide it in the list of"
                " exceptions; its money is not in the journal until then."
            )
        return (
            f"Ticket {self.number} of {where} never came. Ask the store to send it again; its money is"
            " not in the journal."
        )


@dataclass(frozen=True, slots=True)
class TillNumbers:
    """What came of one till on one day, and the number of the till's last ticket before that day."""

    numbers: Collection[int]
    before: int | None = None
    last: int | None = None


def find_gaps(
    tills: Mapping[TillKey, TillNumbers],
    rules: Tills,
    explained: Collection[tuple[str, str, int]] = (),
    held: Collection[tuple[str, str, int]] = (),
) -> list[Gap]:
    """Give every hole of one store day, by till and number.

    `explained`: (workstation, operator, number) of tickets that came and say nothing: voided,
    suspended, training, opening the drawer. `held`: those that came and wait for a person.
    `last` of a till is the number that its closing report names; without it nobody can know whether
    tickets after the last one that came are missing.
    """
    found: list[Gap] = []
    for till, of_till in sorted(tills.items()):
        known = {number for *key, number in explained if tuple(key) == till}
        waiting = {number for *key, number in held if tuple(key) == till}
        found += _of_till(till, of_till, rules, known | waiting, waiting)
    return found[:MAX_LISTED]


def _of_till(
    till: TillKey, told: TillNumbers, rules: Tills, known: set[int], waiting: set[int]
) -> Iterator[Gap]:
    turn = 0 if rules.highest is None else rules.highest - (rules.first or 1) + 1
    told, came = _in_one_row(told, sorted({*told.numbers, *known}), turn)
    yield from (Gap(*till, number, number, "held") for number in sorted(waiting - {*told.numbers}))
    for after, before in _pairs(came, told, rules):
        if before - after - 1 > LARGEST_HOLE:
            yield Gap(*till, after + 1, before - 1, "missing")
        else:
            for number in range(after + 1, before):
                printed = _printed(number, turn, rules)
                yield Gap(*till, printed, printed, "missing")


def _printed(number: int, turn: int, rules: Tills) -> int:
    """Give the number as the till prints it."""
    if not turn:
        return number
    first = rules.first or 1
    return (number - first) % turn + first


def _in_one_row(
    told: TillNumbers, came: Sequence[int], turn: int
) -> tuple[TillNumbers, Sequence[int]]:
    """Count on behind the highest number of a till, where it began again within the day or overnight.

    It began again where the low numbers and the high ones lie further apart than any day's loss.
    """
    if not turn or not came:
        return told, came
    for place, (low, high) in enumerate(pairwise(came), start=1):
        if high - low - 1 > LARGEST_HOLE:
            came = [*came[place:], *(number + turn for number in came[:place])]
            break
    before, last = told.before, told.last
    if before is not None and before - came[0] > turn - LARGEST_HOLE:
        before -= turn
    if last is not None and came[-1] - last > turn - LARGEST_HOLE:
        last += turn
    return replace(told, before=before, last=last), came


def _pairs(came: Sequence[int], told: TillNumbers, rules: Tills) -> Iterator[tuple[int, int]]:
    """Give neighbours in the till's count, with what must come before the first and after the last."""
    numbers = list(came)
    start = _number_before(told, rules)
    if start is not None and (not numbers or start < numbers[0]):
        numbers.insert(0, start)
    if told.last is not None and (not numbers or told.last >= numbers[-1]):
        numbers.append(told.last + 1)
    return pairwise(numbers)


def _number_before(told: TillNumbers, rules: Tills) -> int | None:
    """Give the number after which the day begins: a counter that went back was set anew."""
    if rules.restart_daily or told.before is None:
        return rules.first - 1 if rules.first is not None else None
    return told.before
