"""Journals as they are answered: lines, state, evidence."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.api.shapes import Answer, MoneyShape, Request, id_or_none, money_of
from app.retail.journals.ends import End, PostedJournal
from connectors.canonical.journal import JournalKind, JournalLine, journal_total


class JournalLineShape(Answer):
    """One line; one of debit and credit is zero."""

    account: str | None
    role: str
    detail: str
    debit: MoneyShape | None
    credit: MoneyShape | None
    memo: str


class EvidenceShape(Answer):
    """What a journal and the revisions before it add up to: how many records, and their hash."""

    records: int
    sha256: str
    source_hash: str


class JournalShape(Answer):
    """One revision of a journal and how far it got."""

    id: str
    entity: str
    kind: JournalKind
    place: str
    business_day: date
    posted_on: date
    revision: int
    state: End
    words: str = Field(description="Why it waits, in the words of the books where they gave any.")
    reference: str = Field(description="The books' own number for it.")
    exception_id: str | None
    total: MoneyShape | None
    memo: str
    made_at: datetime
    ended_at: datetime | None


class JournalDetail(JournalShape):
    """A journal with its lines and its evidence."""

    lines: list[JournalLineShape]
    evidence: EvidenceShape


class JournalPage(Answer):
    """Journals, the newest first."""

    items: list[JournalShape]
    next_cursor: str | None


class RedateRequest(Request):
    """Why a journal is booked under another day."""

    reason: str = Field(min_length=1, max_length=500)


def journal_shape(posted: PostedJournal) -> JournalShape:
    """Say a journal without its lines."""
    return JournalShape(**_journal_facts(posted))


def journal_detail(posted: PostedJournal) -> JournalDetail:
    """Say a journal with lines and evidence."""
    journal = posted.journal
    return JournalDetail(
        **_journal_facts(posted),
        lines=[_line_shape(each, journal.currency) for each in journal.lines],
        evidence=EvidenceShape(
            records=posted.records, sha256=posted.evidence, source_hash=journal.source_hash
        ),
    )


def _journal_facts(posted: PostedJournal) -> dict[str, Any]:
    journal = posted.journal
    return {
        "id": str(posted.id),
        "entity": journal.entity,
        "kind": journal.kind,
        "place": journal.place,
        "business_day": journal.day,
        "posted_on": journal.posted_on,
        "revision": journal.revision,
        "state": posted.end,
        "words": posted.words,
        "reference": posted.reference,
        "exception_id": id_or_none(posted.hold_id),
        "total": money_of(journal_total(journal), journal.currency),
        "memo": journal.memo,
        "made_at": posted.made_at,
        "ended_at": posted.ended_at,
    }


def _line_shape(line: JournalLine, currency: str) -> JournalLineShape:
    return JournalLineShape(
        account=line.account,
        role=line.role,
        detail=line.detail,
        debit=money_of(line.debit, currency),
        credit=money_of(line.credit, currency),
        memo=line.memo,
    )
