"""Take what was sold from the book of events into sale records, each telling once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec

from app.retail.breaks import Seen, see_breaks
from app.retail.journals.day_book import TouchedDay, touch_days
from app.retail.journals.records import SOLD, SaleRecord, Source, encode_facts, sale_record
from app.retail.journals.rule_book import read_rules, trading_day
from app.retail.journals.rules import PostingRules
from connectors.canonical.business_day import TradingDay
from connectors.canonical.event import decode
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import lowest_id_at
from infra.keys.vault import KeyErased, Vault

PAGE_EVENTS = 1_000
# An event's id is made before its transaction ends, so one with a smaller id may show up later. No
# transaction of ours lives as long as this.
OVERLAP = timedelta(minutes=10)
NOTHING_YET = UUID(int=0)

_WATERMARK = "select event_id from sale_watermark where tenant_id = $1"
_EVENTS = """
select e.id, e.connection_id, e.revision, e.sealed, e.period, e.label, c.name as connection
from event e join connection c on c.tenant_id = e.tenant_id and c.id = e.connection_id
where e.tenant_id = $1 and e.id > $2 and e.type = any ($3)
    and not exists (select from sale_record s where s.tenant_id = $1 and s.event_id = e.id)
order by e.id limit $4
"""
_WRITE = """
insert into sale_record (tenant_id, document, telling, event_id, kind, place, channel, store,
    business_day, workstation, operator, sequence, number, currency, total, reference, told_at,
    version, revision, lines, unmapped_lines, is_clock_suspect, facts)
select $1, document, telling, event_id, kind, place, channel, store, business_day, workstation,
    operator, sequence, number, currency, total, reference, told_at, version, revision, lines,
    unmapped_lines, is_clock_suspect, facts::jsonb
from unnest($2::text[], $3::bytea[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::date[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::numeric[],
    $16::text[], $17::timestamptz[], $18::text[], $19::int[], $20::int[], $21::int[], $22::bool[],
    $23::text[])
as told (document, telling, event_id, kind, place, channel, store, business_day, workstation,
    operator, sequence, number, currency, total, reference, told_at, version, revision, lines,
    unmapped_lines, is_clock_suspect, facts)
on conflict (tenant_id, document, telling) do nothing
returning document, place, business_day, told_at
"""
# A telling that comes between two others changes what the later ones add.
_FURTHER_DAYS = """
select distinct s.document, s.place, s.business_day from sale_record s
where s.tenant_id = $1 and s.document = any ($2)
"""
_MOVE_WATERMARK = """
insert into sale_watermark (tenant_id, event_id) values ($1, $2)
on conflict (tenant_id) do update set event_id = greatest(sale_watermark.event_id, excluded.event_id),
    taken_at = now()
"""


@dataclass(slots=True)
class Taken:
    """What was taken: records new in the book, and the days that they touch."""

    events: int = 0
    records: int = 0
    unreadable: int = 0
    days: set[tuple[str, date]] = field(default_factory=set)


async def take_sales(scope: TenantScope, database: Database, vault: Vault) -> Taken:
    """Take all sales told since the last time.

    Harmless to repeat, to run twice at once, and to begin anew from nothing: a telling is one row by
    its document and content, in whatever order and however often it comes.
    """
    taken = Taken()
    async with begin(scope, database) as session:
        mark = await session.fetch_value(_WATERMARK, scope.tenant_id) or NOTHING_YET
    mark = _earlier(mark)
    while True:
        last = await _take_page(scope, database, vault, mark, taken)
        if last is None:
            return taken
        mark = last


async def _take_page(
    scope: TenantScope, database: Database, vault: Vault, mark: UUID, taken: Taken
) -> UUID | None:
    """Take one page of events after `mark`; gives the last event's id, None when there is no more."""
    async with begin(scope, database) as session:
        rules = await read_rules(session, scope)
        trading = await trading_day(session, scope, rules)
        rows = await session.fetch(_EVENTS, scope.tenant_id, mark, list(SOLD), PAGE_EVENTS)
        if not rows:
            return None
        records, unreadable = await _read(scope, session, vault, rows, rules, trading)
        await see_breaks(session, scope.tenant_id, unreadable)
        days = await _write(session, scope, records, taken)
        await touch_days(session, scope.tenant_id, days)
        await session.execute(_MOVE_WATERMARK, scope.tenant_id, rows[-1]["id"])
    taken.events += len(rows)
    taken.unreadable += len(unreadable)
    taken.days |= {(day.place, day.day) for day in days}
    last: UUID = rows[-1]["id"]
    return last


async def _read(
    scope: TenantScope,
    session: Session,
    vault: Vault,
    rows: Sequence[Row],
    rules: PostingRules,
    trading: TradingDay,
) -> tuple[list[SaleRecord], list[Seen]]:
    """Open and read events; one that cannot be read is told, and no other waits for it."""
    records: list[SaleRecord] = []
    unreadable: list[Seen] = []
    for row in rows:
        try:
            key = await vault.of(scope.tenant_id, row["period"], session)
            event = decode(key.open(f"event|{row['id']}", row["sealed"]))
        except (KeyErased, msgspec.DecodeError):
            words = f"{row['label']} cannot be read any more; its money is in no journal."
            unreadable.append(Seen("record_unreadable", str(row["id"]), words))
            continue
        source = Source(row["connection_id"], row["connection"], trading)
        told = sale_record(row["id"], event, row["revision"], source, rules)
        if told is not None:
            records.append(told)
    return records, unreadable


async def _write(
    session: Session, scope: TenantScope, records: Sequence[SaleRecord], taken: Taken
) -> list[TouchedDay]:
    """Write records and give the days whose sum they change."""
    by_telling = {(each.document, each.telling()): each for each in records}
    if not by_telling:
        return []
    # In the order of the primary key, so that two who write the same wait and never deadlock.
    rows = [_row(each, telling) for (_, telling), each in sorted(by_telling.items(), key=_key)]
    columns = (list(column) for column in zip(*rows, strict=True))
    new = await session.fetch(_WRITE, scope.tenant_id, *columns)
    taken.records += len(new)
    touched = [
        TouchedDay(row["place"], row["business_day"], 1, row["told_at"], row["told_at"])
        for row in new
    ]
    documents = sorted({row["document"] for row in new})
    known = {(day.place, day.day) for day in touched}
    further = await session.fetch(_FURTHER_DAYS, scope.tenant_id, documents)
    touched += [
        TouchedDay(row["place"], row["business_day"], 0, None, None)
        for row in further
        if (row["place"], row["business_day"]) not in known
    ]
    return touched


def _key(item: tuple[tuple[str, bytes], SaleRecord]) -> tuple[str, bytes]:
    return item[0]


def _row(told: SaleRecord, telling: bytes) -> tuple[object, ...]:
    return (
        told.document, telling, told.event_id, told.kind, told.place, told.channel, told.store,
        told.business_day, told.workstation, told.operator, told.sequence, told.number,
        told.currency, told.total, told.reference, told.told_at, told.version, told.revision,
        told.lines, told.unmapped_lines, told.is_clock_suspect, encode_facts(told.facts),
    )  # fmt: skip


def _earlier(mark: UUID) -> UUID:
    if mark == NOTHING_YET:
        return mark
    made_at = datetime.fromtimestamp((mark.int >> 80) / 1000, UTC)
    return lowest_id_at(made_at - OVERLAP)
