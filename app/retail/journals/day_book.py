"""Store days in the book: opened by their first ticket, opened again by a late one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from app.retail.journals.states import MOVES, DayAct, DayState, before
from infra.database.unit import Session
from infra.errors import Conflict, NotFound

# A day that was closed, audited or posted counts what came late.
_CLOSED: tuple[DayState, ...] = ("closed", "audited", "posted", "re_opened")
_TOUCH = """
insert into store_day (tenant_id, place, business_day, state, tickets, first_ticket_at, last_ticket_at)
select $1, place, day, 'open', tickets, first_at, last_at
from unnest($2::text[], $3::date[], $4::int[], $5::timestamptz[], $6::timestamptz[])
as touched (place, day, tickets, first_at, last_at)
on conflict (tenant_id, place, business_day) do update set
    state = ($7::jsonb) ->> store_day.state,
    tickets = store_day.tickets + excluded.tickets,
    late_tickets = store_day.late_tickets
        + case when store_day.state = any ($8) then excluded.tickets else 0 end,
    first_ticket_at = least(store_day.first_ticket_at, excluded.first_ticket_at),
    last_ticket_at = greatest(store_day.last_ticket_at, excluded.last_ticket_at)
"""
_EXPECT = """
insert into store_day (tenant_id, place, business_day) select $1, unnest($2::text[]), $3
on conflict do nothing
"""
_COLUMNS = (
    "place, business_day, state, tickets, gaps, late_tickets, words, declared::text,"
    " first_ticket_at, last_ticket_at, closed_at, closed_by, accepted_reason, posted_at"
)
_LIST = f"""
select {_COLUMNS} from store_day where tenant_id = $1 and ($2::date is null or business_day = $2)
    and ($3 = '' or place = $3) and (not $4 or state <> 'posted' or gaps > 0)
order by business_day desc, length(place), place limit $5
"""  # noqa: S608 - our own names
_ONE = f"""
select {_COLUMNS} from store_day where tenant_id = $1 and place = $2 and business_day = $3
for update
"""  # noqa: S608 - our own names
_GAPS = """
update store_day set gaps = $4, words = $5, tickets = $7,
    state = case when $4 = 0 and state = 'open' and $6 then 'received' else state end
where tenant_id = $1 and place = $2 and business_day = $3
"""
_MOVE = """
update store_day set state = $4, declared = coalesce($5::jsonb, declared),
    closed_at = case when $6 = 'close' then now() else closed_at end,
    closed_by = case when $6 = 'close' then $7 else closed_by end,
    accepted_reason = case when $6 = 'close' then $8 else accepted_reason end,
    posted_at = case when $6 = 'post' then now() else posted_at end
where tenant_id = $1 and place = $2 and business_day = $3 and state = any ($9)
"""


@dataclass(frozen=True, slots=True)
class TouchedDay:
    """A place and day whose sum changed, with how many tickets came and when they were sold."""

    place: str
    day: date
    tickets: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoreDay:
    """A store day as the book keeps it; times in UTC. `declared` is what the store said last."""

    place: str
    business_day: date
    state: DayState
    tickets: int
    gaps: int
    late_tickets: int
    words: str
    declared: dict[str, Any]
    first_ticket_at: datetime | None
    last_ticket_at: datetime | None
    closed_at: datetime | None
    closed_by: str
    accepted_reason: str
    posted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """Who closes a day, why it may be off, and what the store declared (None: as before)."""

    by: str = ""
    reason: str = ""
    declared: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Completeness:
    """How complete a day is: tickets that count, numbers missing, and that in words.

    `is_over` says that the tills' last numbers are known, so that nothing can be missing unseen.
    """

    tickets: int
    gaps: int
    words: str
    is_over: bool = False


async def touch_days(session: Session, tenant_id: UUID, touched: Sequence[TouchedDay]) -> None:
    """Tell store days that tickets came: they are open, or open again."""
    days: dict[tuple[str, date], TouchedDay] = {}
    for one in touched:
        known = days.get((one.place, one.day))
        days[one.place, one.day] = one if known is None else _together(known, one)
    if not days:
        return
    rows = [
        (day.place, day.day, day.tickets, day.first_at, day.last_at)
        for _, day in sorted(days.items())
    ]
    states = {state: after for (state, act), after in MOVES.items() if act == "ticket"}
    await session.execute(
        _TOUCH,
        tenant_id,
        *(list(column) for column in zip(*rows, strict=True)),
        msgspec.json.encode(states).decode(),
        list(_CLOSED),
    )


async def expect_days(session: Session, tenant_id: UUID, places: Sequence[str], day: date) -> int:
    """Note that these places trade on a day, so that one that sends nothing is seen."""
    return await session.execute(_EXPECT, tenant_id, list(places), day)


async def list_days(
    session: Session,
    tenant_id: UUID,
    *,
    day: date | None = None,
    place: str = "",
    only_open: bool = False,
    limit: int = 200,
) -> list[StoreDay]:
    """List store days, the newest first; `only_open` leaves out what is posted without a gap."""
    rows = await session.fetch(_LIST, tenant_id, day, place, only_open, limit)
    return [_day(dict(row)) for row in rows]


async def lock_day(session: Session, tenant_id: UUID, place: str, day: date) -> StoreDay:
    """Give one store day and keep others from it until the transaction ends; raises NotFound."""
    row = await session.fetch_one(_ONE, tenant_id, place, day)
    if row is None:
        raise NotFound
    return _day(dict(row))


async def note_completeness(
    session: Session, tenant_id: UUID, place: str, day: date, noted: Completeness
) -> None:
    """Note how many numbers are missing, and in words how complete the day is.

    A day is `received` when nothing is missing and the tills' last numbers are known (`is_over`).
    """
    await session.execute(
        _GAPS, tenant_id, place, day, noted.gaps, noted.words, noted.is_over, noted.tickets
    )


async def move_day(
    session: Session, tenant_id: UUID, day: StoreDay, act: DayAct, said: Said | None = None
) -> StoreDay:
    """Let a store day do an act; raises Conflict when it cannot in its state."""
    said = said or Said()
    state = MOVES.get((day.state, act))
    if state is None:
        raise Conflict(
            f"The day {day.business_day} of {day.place} is {day.state.replace('_', ' ')}; it cannot"
            f" {act.replace('_', ' ')} now. Reload it and look again.",
            code="store_day.state",
        )
    await session.execute(
        _MOVE,
        tenant_id,
        day.place,
        day.business_day,
        state,
        msgspec.json.encode(said.declared).decode() if said.declared is not None else None,
        act,
        said.by,
        said.reason,
        list(before(act)),
    )
    return await lock_day(session, tenant_id, day.place, day.business_day)


def _day(row: dict[str, Any]) -> StoreDay:
    return StoreDay(**{**row, "declared": msgspec.json.decode(row["declared"])})


def _together(one: TouchedDay, other: TouchedDay) -> TouchedDay:
    times = [
        each
        for each in (one.first_at, one.last_at, other.first_at, other.last_at)
        if each is not None
    ]
    return TouchedDay(
        one.place,
        one.day,
        one.tickets + other.tickets,
        min(times, default=None),
        max(times, default=None),
    )
