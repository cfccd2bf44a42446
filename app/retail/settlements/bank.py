"""Payouts against bank lines: one to one by amount and day, else several payouts in one deposit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from connectors.canonical.settlement import BankLine, Payout

WINDOW_D = 5
# More would be guessing: among many payouts some always add up to any amount.
MAX_TOGETHER = 20


@dataclass(frozen=True, slots=True)
class Deposit:
    """One bank line and the payouts that make it, exactly."""

    line: BankLine
    payouts: tuple[Payout, ...]


@dataclass(frozen=True, slots=True)
class BankMatch:
    """What the bank got, what it did not get, and what it got that nobody announced."""

    deposits: tuple[Deposit, ...]
    missing: tuple[Payout, ...]
    extra: tuple[BankLine, ...]


def match_bank(payouts: Iterable[Payout], lines: Iterable[BankLine]) -> BankMatch:
    """Match payouts that are under way or paid with bank lines; the same line told twice is one.

    First by amount and reference, then by amount alone where only one payout fits, then as a sum.
    What fits in more than one way is left to a person.
    """
    open_ = sorted(
        (each for each in payouts if each.status in {"in_transit", "paid"}),
        key=lambda one: (one.arrives_on, one.payout_id),
    )
    waiting = sorted({each.key(): each for each in lines}.values(), key=BankLine.key)
    deposits: list[Deposit] = []
    for find in (_by_reference, _by_amount, _together):
        for line in [*waiting]:
            found = find(line, [each for each in open_ if _is_near(each, line)])
            if found:
                deposits.append(Deposit(line, tuple(found)))
                waiting.remove(line)
                open_ = [each for each in open_ if each not in found]
    return BankMatch(tuple(deposits), tuple(open_), tuple(waiting))


def _is_near(payout: Payout, line: BankLine) -> bool:
    days = line.booked_on - payout.arrives_on
    return payout.currency == line.currency and timedelta(0) <= days <= timedelta(days=WINDOW_D)


def _by_reference(line: BankLine, near: Sequence[Payout]) -> list[Payout]:
    return [
        each
        for each in near
        if each.reference and each.reference in line.reference and each.amount == line.amount
    ][:1]


def _by_amount(line: BankLine, near: Sequence[Payout]) -> list[Payout]:
    found = [each for each in near if each.amount == line.amount]
    return found if len(found) == 1 else []


def _together(line: BankLine, near: Sequence[Payout]) -> list[Payout]:
    """Find the one set of payouts that adds up to the line; none when there are several, or many."""
    if not 1 < len(near) <= MAX_TOGETHER:
        return []
    wanted, may_pass = line.amount, any(each.amount < 0 for each in near)
    # How each sum can be reached: one way is an answer, a second way makes it a guess.
    ways: dict[Decimal, tuple[int, int]] = {Decimal(0): (1, 0)}
    for at, payout in enumerate(near):
        for reached, (count, members) in [*ways.items()]:
            total = reached + payout.amount
            if total <= wanted or may_pass:
                known, first = ways.get(total, (0, members | 1 << at))
                ways[total] = (min(2, known + count), first)
    count, members = ways.get(wanted, (0, 0))
    if count != 1 or not members:
        return []
    return [payout for at, payout in enumerate(near) if members >> at & 1]
