"""What two sides say differently, as it is answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.api.shapes import Answer, MoneyShape, Request, money_of
from app.retail.break_cards import wanted_of
from app.retail.breaks import Break


class BreakShape(Answer):
    """What two sides say differently: what, how much, who, by when, and the next step."""

    kind: str
    key: str
    place: str
    business_day: date | None
    words: str
    amount: MoneyShape | None
    owner: str = Field(description="Who takes care of it.")
    due_at: datetime
    next_step: str
    first_seen_at: datetime
    last_seen_at: datetime
    state: Literal["open", "closed"]
    resolution: str


class BreakList(Answer):
    """Breaks by place, day and number."""

    items: list[BreakShape]


class AssignBreakRequest(Request):
    """Who takes care of a break from now on; an empty owner is whoever usually has such breaks."""

    kind: str = Field(max_length=100)
    key: str = Field(max_length=500)
    owner: str = Field(max_length=200)


def break_shape(found: Break) -> BreakShape:
    """Say a break with what it asks for."""
    wanted = wanted_of(found)
    return BreakShape(
        kind=found.kind,
        key=found.key,
        place=found.place,
        business_day=found.business_day,
        words=found.words,
        amount=money_of(found.amount, found.currency),
        owner=wanted.owner,
        due_at=wanted.due_at,
        next_step=wanted.click,
        first_seen_at=found.first_seen_at,
        last_seen_at=found.last_seen_at,
        state="open" if found.state == "open" else "closed",
        resolution=found.resolution,
    )
