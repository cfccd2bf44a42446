"""Journal: what the books of account are to record of one place and day, or of one settlement.

A journal of revision n holds only what revision n-1 and all before it did not: summed up, the
revisions of one key are what happened. Debit and credit are equal in each journal's one currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

JournalKind = Literal["sales_day", "over_short", "settlement"]
# A draft waits for an account; whatever it waits for, no other journal waits with it.
JournalStatus = Literal["draft", "balanced"]


class JournalLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: a role (such as `revenue`), what it is about, and the entity's account for it.

    `detail` is the department, the tax, the tender or the fee. One of `debit` and `credit` is zero,
    neither is negative. `account` is None while nobody has said which account the role has.
    """

    role: str
    detail: str = ""
    account: str | None = None
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    memo: str = ""


class Journal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One balanced entry for the ERP; unique by (entity, kind, place, day, currency, revision).

    `place` is a store, a channel or a settlement; `day` is the business day, `posted_on` the day under
    which it is booked (another one when the period of the business day is closed).
    `source_hash` (hex) covers everything that this and all earlier revisions add up to.
    """

    entity: str
    kind: JournalKind
    place: str
    day: date
    posted_on: date
    currency: str
    revision: int
    status: JournalStatus
    source_hash: str
    lines: tuple[JournalLine, ...]
    memo: str = ""


def imbalance(lines: Iterable[JournalLine]) -> Decimal:
    """Give debits less credits: anything but zero is no journal."""
    return sum((line.debit - line.credit for line in lines), Decimal(0))


def ordering_key(journal: Journal) -> str:
    """Give the key under which the revisions of one journal reach the books in order."""
    return f"journal:{journal.entity}/{journal.kind}/{journal.place}/{journal.day.isoformat()}"


def journal_name(journal: Journal) -> str:
    """Name one revision, the same wherever it is told."""
    parts = (journal.entity, journal.kind, journal.place, journal.day.isoformat(), journal.currency)
    return "/".join((*parts, str(journal.revision)))


def journal_label(journal: Journal) -> str:
    """Name one revision for people."""
    return f"Journal of {journal.place}, {journal.day.isoformat()}, revision {journal.revision}"


def journal_total(journal: Journal) -> Decimal:
    """Give what a journal books on each side."""
    return sum((line.debit for line in journal.lines), Decimal(0))
