"""Look which numbers of a store day are missing, tell each, and close those that came since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from app.retail.breaks import Seen, close_others, see_breaks
from app.retail.journals.audit import Day, DayTotals, Declared, completeness
from app.retail.journals.day_book import Completeness, note_completeness
from app.retail.journals.gaps import Gap, TillKey, TillNumbers, find_gaps
from app.retail.journals.rules import Audit, PostingRules
from connectors.canonical.money import quantized
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.ids import lowest_id_at

GAP = "sequence_gap"
_NUMBERS = """
select workstation, operator, array_agg(distinct number) as numbers from sale_record
where tenant_id = $1 and place = $2 and business_day = $3 and kind = 'ticket'
    and number is not null and workstation <> ''
group by workstation, operator
"""
_BEFORE = """
select workstation, operator, max(number) as number from sale_record s
where tenant_id = $1 and place = $2 and kind = 'ticket' and number is not null
    and business_day = (select max(business_day) from sale_record b where b.tenant_id = $1
        and b.place = $2 and b.workstation = s.workstation and b.operator = s.operator
        and b.business_day < $3 and b.number is not null)
group by workstation, operator
"""
_STORES = """
select distinct store from sale_record
where tenant_id = $1 and place = $2 and business_day = $3 and store <> ''
"""
# What came and was not told on: tickets that sell nothing, and those that wait for a person.
_OTHERS = """
select dedup_label, state from message
where tenant_id = $1 and id >= $2 and (fate = 'skipped' or state = 'held')
    and dedup_label ^@ any ($3)
"""
# As each document stood last on that day.
_SUMS = """
select currency, count(*) as tickets, sum(total) as gross from (
    select distinct on (document) currency, total from sale_record
    where tenant_id = $1 and place = $2 and business_day = $3
    order by document, told_at desc, version desc, revision desc, event_id desc) last
group by currency order by 2 desc
"""
_NEXT_DAY = """
select min(business_day) from store_day where tenant_id = $1 and place = $2 and business_day > $3
"""
_WITH_GAPS = """
select place, business_day from store_day
where tenant_id = $1 and gaps > 0 and business_day > current_date - $2::int
order by business_day desc limit 500
"""
LOOKED_AT_AGAIN_D = 14
_MAX_DIGITS = 15
_EARLIEST_ZONE = timezone(timedelta(hours=14))


# Till, operator (where numbers restart with each) and number.
Ticket = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class _Others:
    explained: frozenset[Ticket]
    held: frozenset[Ticket]


async def look_for_gaps(
    session: Session,
    scope: TenantScope,
    place: str,
    day: date,
    rules: PostingRules,
    declared: Declared | None = None,
) -> list[Gap]:
    """Give the holes of a store day and write them down as breaks; those filled since are closed.

    Safe to repeat at any time. `declared` may name the tills' last numbers.
    """
    declared = declared or Declared()
    tills = await _tills(session, scope.tenant_id, place, day, declared)
    others = await _others(session, scope.tenant_id, place, day, rules)
    gaps = find_gaps(tills, rules.tills, others.explained, others.held)
    seen = [
        Seen(GAP, gap.key(place, str(day)), gap.words(place), place=place, day=day) for gap in gaps
    ]
    await see_breaks(session, scope.tenant_id, seen)
    await close_others(
        session,
        scope.tenant_id,
        GAP,
        place,
        day,
        still=[each.key for each in seen],
        resolution="It came, or is explained.",
    )
    await _note(session, scope.tenant_id, place, day, gaps, tills, declared)
    return gaps


async def days_to_look_at(
    session: Session, tenant_id: UUID, touched: Iterable[tuple[str, date]]
) -> list[tuple[str, date]]:
    """Give the touched days and, for each, the next one: its tills may have begun after a hole."""
    days = set(touched)
    for place, day in tuple(days):
        following = await session.fetch_value(_NEXT_DAY, tenant_id, place, day)
        if following is not None:
            days.add((place, following))
    return sorted(days)


async def days_with_gaps(session: Session, tenant_id: UUID) -> list[tuple[str, date]]:
    """Give the days of the last weeks that have gaps, to be looked at again."""
    rows = await session.fetch(_WITH_GAPS, tenant_id, LOOKED_AT_AGAIN_D)
    return [(row["place"], row["business_day"]) for row in rows]


async def _tills(
    session: Session, tenant_id: UUID, place: str, day: date, declared: Declared
) -> dict[TillKey, TillNumbers]:
    numbers = await session.fetch(_NUMBERS, tenant_id, place, day)
    before = {
        (row["workstation"], row["operator"]): row["number"]
        for row in await session.fetch(_BEFORE, tenant_id, place, day)
    }
    found: dict[TillKey, TillNumbers] = {}
    for row in numbers:
        till = (row["workstation"], row["operator"])
        last = declared.last_numbers.get(row["workstation"])
        found[till] = TillNumbers(row["numbers"], before.get(till), last)
    for workstation, last in declared.last_numbers.items():
        if all(workstation != till for till, _ in found):
            till = (workstation, "")
            found[till] = TillNumbers((), before.get(till), last)
    return found


async def _others(
    session: Session, tenant_id: UUID, place: str, day: date, rules: PostingRules
) -> _Others:
    """Find tickets that came and are no sale record, by the natural key that they came under."""
    stores = [row["store"] for row in await session.fetch(_STORES, tenant_id, place, day)]
    prefixes = [f"file|{store.replace('/', '%2F')}/{day}/" for store in stores or [place]]
    # A till cannot send a day before it begins anywhere on earth.
    begin = lowest_id_at(datetime.combine(day, time(0), _EARLIEST_ZONE) - timedelta(days=1))
    rows = await session.fetch(_OTHERS, tenant_id, begin, prefixes)
    explained: set[Ticket] = set()
    held: set[Ticket] = set()
    for row in rows:
        ticket = _ticket(row["dedup_label"], rules)
        if ticket is not None:
            (held if row["state"] == "held" else explained).add(ticket)
    return _Others(frozenset(explained), frozenset(held))


def _ticket(label: str, rules: PostingRules) -> Ticket | None:
    """Read a ticket's name out of `file|store/day/till[/operator]/number[!damage]|content`."""
    key = label.removeprefix("file|").rsplit("|", 1)[0].split("!", 1)[0]
    parts = [part.replace("%2F", "/") for part in key.split("/")]
    number = parts[-1]
    is_known = len(parts) in {4, 5} and number.isascii() and number.isdecimal()
    if not is_known or len(number) > _MAX_DIGITS:
        return None
    till = f"{parts[0]}/{parts[2]}" if rules.grouping == "channel_day" else parts[2]
    operator = parts[3] if len(parts) == 5 and rules.tills.per_operator else ""  # noqa: PLR2004
    return (till, operator, int(number))


async def _note(  # noqa: PLR0913, PLR0917 - what is noted
    session: Session,
    tenant_id: UUID,
    place: str,
    day: date,
    gaps: Sequence[Gap],
    tills: dict[TillKey, TillNumbers],
    declared: Declared,
) -> None:
    rows = await session.fetch(_SUMS, tenant_id, place, day)
    main = rows[0] if rows else None
    totals = DayTotals(
        currency=main["currency"] if main else "",
        tickets=main["tickets"] if main else 0,
        gross=quantized(main["gross"], main["currency"]) if main else Decimal(0),
    )
    words = completeness(Day(totals, tuple(gaps), declared, Audit()))
    is_over = bool(tills) and {till for till, _ in tills} <= set(declared.last_numbers)
    counted = sum(row["tickets"] for row in rows)
    noted = Completeness(counted, len(gaps), words, is_over)
    await note_completeness(session, tenant_id, place, day, noted)
