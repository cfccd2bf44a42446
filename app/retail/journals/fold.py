"""Facts summed up by role, revisions as differences, and balances written as lines.

A balance is signed: debit positive, credit negative. Sums of balances are balances, in any order.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from app.retail.journals.facts import Fact, signed
from app.retail.journals.rules import PostingRules
from app.retail.journals.templates import LEGS, MOVES
from connectors.canonical.journal import JournalLine

# What is booked, by role and detail.
RoleKey = tuple[str, str]
Balances = Mapping[RoleKey, Decimal]


class Unbalanced(AssertionError):
    """Debits and credits differ: a fault of ours, and never written."""


def fold(facts: Iterable[Fact]) -> Balances:
    """Sum facts up by role and detail; what comes to nothing is left out."""
    sums: defaultdict[RoleKey, Decimal] = defaultdict(Decimal)
    for fact in facts:
        sums[LEGS[fact.kind].role, fact.detail] += signed(fact)
    return _kept(sums)


def move(kind: str, amount: Decimal, debit_detail: str = "", credit_detail: str = "") -> Balances:
    """Give the balances of one movement by its template; a negative amount is its reverse."""
    template = MOVES[kind]
    return added([
        {(template.debit, debit_detail): amount},
        {(template.credit, credit_detail): -amount},
    ])  # fmt: skip


def added(parts: Iterable[Balances]) -> Balances:
    """Sum balances up."""
    sums: defaultdict[RoleKey, Decimal] = defaultdict(Decimal)
    for part in parts:
        for key, amount in part.items():
            sums[key] += amount
    return _kept(sums)


def difference(wanted: Balances, posted: Balances) -> Balances:
    """Give what is still to be booked so that what was booked becomes what is wanted."""
    return added([wanted, {key: -amount for key, amount in posted.items()}])


def lines_of(balances: Balances, rules: PostingRules) -> tuple[JournalLine, ...]:
    """Write balances as lines, by role and detail, with the entity's accounts.

    Raises Unbalanced.
    """
    off = sum(balances.values(), Decimal(0))
    if off:
        raise Unbalanced(f"Debits and credits differ by {off}.")
    return tuple(
        JournalLine(
            role=role,
            detail=detail,
            account=rules.account_of(role, detail),
            debit=max(amount, Decimal(0)),
            credit=max(-amount, Decimal(0)),
        )
        for (role, detail), amount in sorted(balances.items())
    )


def unmapped(lines: Iterable[JournalLine]) -> list[RoleKey]:
    """Name the roles without an account; a journal with any is a draft."""
    return sorted({(line.role, line.detail) for line in lines if line.account is None})


def posting_date(day: date, rules: PostingRules) -> tuple[date, str]:
    """Give the day to book under and, when the period is closed, a memo with the business day."""
    if rules.closed_until is None or day > rules.closed_until:
        return day, ""
    return rules.closed_until + timedelta(days=1), f"Business day {day}; its period is closed."


def digest(balances: Balances) -> str:
    """Give a hash of balances that is the same for the same amounts, however they are written."""
    text = "\n".join(
        f"{role}|{detail}|{amount.normalize():f}"
        for (role, detail), amount in sorted(balances.items())
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(sums: Mapping[RoleKey, Decimal]) -> Balances:
    return {key: amount for key, amount in sums.items() if amount}
