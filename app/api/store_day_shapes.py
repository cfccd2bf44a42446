"""Store days as they are answered, and what is said at a close."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote, unquote

from pydantic import Field

from app.api.break_shapes import BreakShape, break_shape
from app.api.shapes import Answer, MoneyShape, Request, money_of
from app.retail.breaks import Break
from app.retail.journals.close import ClosedDay
from app.retail.journals.day_book import StoreDay
from app.retail.journals.ends import PostedJournal
from app.retail.journals.states import DayState
from app.retail.journals.totals import DaySums
from infra.errors import NotFound

_MARK = "~"


class StoreDayShape(Answer):
    """One store (or channel) and business day."""

    id: str = Field(description="Write it into a path like any text, percent-encoded.")
    place: str
    business_day: date
    state: DayState
    tickets: int
    gaps: int = Field(description="Numbers of tickets that are missing.")
    late_tickets: int
    words: str = Field(description="How complete the day is, in one sentence.")
    closed_at: datetime | None
    closed_by: str
    accepted_reason: str
    posted_at: datetime | None


class StoreDayList(Answer):
    """Store days, the newest first."""

    items: list[StoreDayShape]


class DayTotalsShape(Answer):
    """What a day comes to in one currency; `tenders` by kind, change taken off."""

    currency: str
    tickets: int
    net: MoneyShape | None
    tax: MoneyShape | None
    gross: MoneyShape | None
    tenders: dict[str, MoneyShape | None]


class StoreDayDetail(StoreDayShape):
    """A day with its totals, what is missing or off, and its journals."""

    totals: list[DayTotalsShape]
    breaks: list[BreakShape]
    journal_ids: list[str]


class CloseDayRequest(Request):
    """What the store says at its close; what is left out counts as it was said before."""

    counted: dict[str, Decimal] = Field(
        default_factory=dict, description="Money counted, by tender.", max_length=50
    )
    report_total: Decimal | None = Field(
        default=None, description="Total of the tills' own report (Z report)."
    )
    last_numbers: dict[str, int] = Field(
        default_factory=dict, description="Number of each till's last ticket.", max_length=500
    )
    reason: str = Field(
        default="", max_length=500, description="Why the day may be booked although it is off."
    )


class FindingShape(Answer):
    """A rule of the audit that the day does not keep."""

    rule: str
    severity: Literal["error", "warning"]
    words: str


class ClosedDayShape(Answer):
    """What closing came to: the state, what the audit found, and the revisions that were made."""

    state: DayState
    words: str
    findings: list[FindingShape]
    journals_made: int


def store_day_id(place: str, day: date) -> str:
    """Name a store day for a path; a slash in the place is encoded twice, so that none is left."""
    return f"{day.isoformat()}{_MARK}{quote(place, safe='')}"


def known_store_day(text: str) -> tuple[str, date]:
    """Read the id of a store day; what is none is missing like any other."""
    day, _, place = text.partition(_MARK)
    try:
        return unquote(place, errors="strict"), date.fromisoformat(day)
    except (ValueError, UnicodeDecodeError):
        raise NotFound from None


def day_shape(day: StoreDay) -> StoreDayShape:
    """Say a store day."""
    return StoreDayShape(**_day_facts(day))


def day_detail(
    day: StoreDay, sums: Mapping[str, DaySums], breaks: list[Break], journals: list[PostedJournal]
) -> StoreDayDetail:
    """Say a store day with all that belongs to it."""
    return StoreDayDetail(
        **_day_facts(day),
        totals=[_totals_shape(each) for each in sums.values()],
        breaks=[break_shape(each) for each in breaks],
        journal_ids=[str(each.id) for each in journals],
    )


def closed_shape(closed: ClosedDay) -> ClosedDayShape:
    """Say what a close came to."""
    return ClosedDayShape(
        state=closed.day.state,
        words=closed.words,
        findings=[
            FindingShape(rule=each.rule, severity=each.severity, words=each.words)
            for each in closed.findings
        ],
        journals_made=len(closed.journals),
    )


def _day_facts(day: StoreDay) -> dict[str, Any]:
    names = ("state", "tickets", "gaps", "late_tickets", "words", "closed_at", "closed_by")
    facts = {name: getattr(day, name) for name in (*names, "accepted_reason", "posted_at")}
    key = {"place": day.place, "business_day": day.business_day}
    return {"id": store_day_id(day.place, day.business_day), **key, **facts}


def _totals_shape(sums: DaySums) -> DayTotalsShape:
    totals = sums.totals
    return DayTotalsShape(
        currency=totals.currency,
        tickets=totals.tickets,
        net=money_of(totals.net, totals.currency),
        tax=money_of(totals.tax, totals.currency),
        gross=money_of(totals.gross, totals.currency),
        tenders={name: money_of(each, totals.currency) for name, each in totals.tenders.items()},
    )
