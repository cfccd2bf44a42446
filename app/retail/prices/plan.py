"""Work out what each place shall charge, and write down what has to begin there and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.connections.tenant import acting_tenant
from app.retail.prices.book import Stored, SubjectName, versions_of
from app.retail.prices.decide import Begin, Change, Known, Replace, Unsay, Wanted, Withdraw, decide
from app.retail.prices.stop import stop_or_allow_sales
from app.retail.prices.targets import Target, read_targets
from app.retail.prices.wants import told_to, wanted_prices, wanted_promotion, wanted_stop
from connectors.canonical.price import Price
from infra.database.unit import Row, Session
from infra.ids import Id, new_id

ITEMS_AT_ONCE = 50
_TAKE_DUE = """
delete from price_due where (tenant_id, subject, item) in (
    select tenant_id, subject, item from price_due where tenant_id = $1
    order by since limit $2 for update skip locked)
returning subject, item
"""
# What is worked out twice at once would be written twice.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended('prices:' || $1::text, 0))"
_KNOWN = """
select id, target_id, item, series, begins_at, ends_at, version_id, is_end, state, code,
    sent_at is not null as is_told
from price_activation where tenant_id = $1 and subject = $2 and item = any ($3)
"""
_BEGIN = """
insert into price_activation (tenant_id, id, target_id, subject, item, series, begins_at, version_id,
    is_end, amount, currency, state, due_at, code, words)
select $1, id, target_id, $2, item, series, begins_at, version_id, is_end, amount, currency, state,
    coalesce(due_at, 'infinity'), code, words
from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[],
    $9::bool[], $10::numeric[], $11::text[], $12::text[], $13::timestamptz[], $14::text[],
    $15::text[])
as new (id, target_id, item, series, begins_at, version_id, is_end, amount, currency, state, due_at,
    code, words)
on conflict (tenant_id, target_id, subject, item, series, begins_at) do nothing
"""
_REPLACE = """
update price_activation a set version_id = new.version_id, is_end = new.is_end, amount = new.amount,
    currency = new.currency, state = new.state, due_at = coalesce(new.due_at, 'infinity'),
    code = new.code, words = new.words, revision = a.revision + 1, accepted_at = null,
    verified_at = null, verified_by = '', planned_at = now()
from unnest($2::uuid[], $3::uuid[], $4::bool[], $5::numeric[], $6::text[], $7::text[],
    $8::timestamptz[], $9::text[], $10::text[])
as new (id, version_id, is_end, amount, currency, state, due_at, code, words)
where a.tenant_id = $1 and a.id = new.id
"""
_DROP = """
update price_activation set state = $3, due_at = 'infinity', code = $4, words = $5
where tenant_id = $1 and id = any ($2)
"""
# Each until the next of its place and series begins.
_ENDS = """
with line as (
    select tenant_id, id, lead(begins_at) over (
        partition by target_id, item, series order by begins_at) as next_at
    from price_activation
    where tenant_id = $1 and subject = $2 and item = any ($3) and state <> 'withdrawn'
)
update price_activation a set ends_at = line.next_at,
    due_at = case when a.state in ('active', 'verified') then coalesce(line.next_at, 'infinity')
        else a.due_at end
from line where a.tenant_id = line.tenant_id and a.id = line.id
    and a.ends_at is distinct from line.next_at
"""
NOT_TRANSFERABLE = "price.not_transferable"
UNSAY = "price.told_ahead"
_UNSAY_WORDS = "It was told ahead and does not hold any more. Take it out there by hand."
# What is in the book of one item at one place, by series.
InBook = dict[str, list[Known]]


@dataclass(frozen=True, slots=True)
class Planned:
    """One change at one place, with what it means there."""

    target: Target
    item: str
    series: str
    change: Change


async def plan_due(session: Session, now: datetime, limit: int = ITEMS_AT_ONCE) -> int:
    """Work out the items that are due; gives how many. Safe to repeat: nothing changes then."""
    tenant_id = acting_tenant(session)
    await session.execute(_ONE_AT_A_TIME, str(tenant_id))
    rows = await session.fetch(_TAKE_DUE, tenant_id, limit)
    if not rows:
        return 0
    targets = await read_targets(session)
    by_subject: defaultdict[SubjectName, list[str]] = defaultdict(list)
    for row in rows:
        by_subject[row["subject"]].append(row["item"])
    recalls: dict[str, list[Stored]] = {}
    for subject, items in sorted(by_subject.items()):
        versions = await _plan(session, subject, items, targets, now)
        if subject == "product":
            recalls = versions
    # Last: it writes the audit log.
    await stop_or_allow_sales(session, recalls, now)
    return len(rows)


async def _plan(
    session: Session,
    subject: SubjectName,
    items: Sequence[str],
    targets: Sequence[Target],
    now: datetime,
) -> dict[str, list[Stored]]:
    versions = await versions_of(session, subject, items, with_superseded=subject == "product")
    by_id = {each.id: each for found in versions.values() for each in found}
    known = await _known(session, subject, items)
    planned = [
        Planned(target, item, series, change)
        for item in items
        for target in targets
        for there in (known.get((target.id, item), {}),)
        for series, wanted in _wanted(subject, versions.get(item, []), target, there)
        for change in decide(there.get(series, []), wanted, now)
    ]
    await _write(session, subject, planned, by_id, now)
    await session.execute(_ENDS, acting_tenant(session), subject, list(items))
    return versions


def _wanted(
    subject: SubjectName, versions: Sequence[Stored], target: Target, there: InBook
) -> list[tuple[str, list[Wanted]]]:
    if subject == "promotion":
        return [("", wanted_promotion(versions, target))]
    if subject == "product":
        return [("", wanted_stop(versions))]
    wanted = wanted_prices(versions, target)
    return [(series, wanted.get(series, [])) for series in sorted({*there, *wanted})]


async def _known(
    session: Session, subject: SubjectName, items: Sequence[str]
) -> dict[tuple[Id, str], InBook]:
    """Give what is in the book by place and item."""
    rows = await session.fetch(_KNOWN, acting_tenant(session), subject, list(items))
    known: dict[tuple[Id, str], InBook] = {}
    for row in rows:
        there = known.setdefault((row["target_id"], row["item"]), {})
        there.setdefault(row["series"], []).append(_one_known(row))
    return known


def _one_known(row: Row) -> Known:
    return Known(
        id=row["id"],
        begins_at=row["begins_at"],
        version_id=row["version_id"],
        is_end=row["is_end"],
        is_told=row["is_told"],
        is_withdrawn=row["state"] == "withdrawn",
        is_unsaid=row["code"] == UNSAY,
    )


async def _write(
    session: Session,
    subject: SubjectName,
    planned: Sequence[Planned],
    versions: dict[Id, Stored],
    now: datetime,
) -> None:
    tenant_id = acting_tenant(session)

    def what(target: Target, wanted: Wanted) -> tuple[object, ...]:
        return _what(subject, target, wanted, versions, now)

    begun = [
        (new_id(), one.target.id, one.item, one.series, wanted.begins_at, *what(one.target, wanted))
        for one in planned
        if isinstance(one.change, Begin)
        for wanted in (one.change.wanted,)
    ]
    replaced = [
        (one.change.known.id, *what(one.target, one.change.wanted))
        for one in planned
        if isinstance(one.change, Replace)
    ]
    if begun:
        await session.execute(_BEGIN, tenant_id, subject, *_columns(begun))
    if replaced:
        await session.execute(_REPLACE, tenant_id, *_columns(replaced))
    withdrawn = [one.change.known.id for one in planned if isinstance(one.change, Withdraw)]
    if withdrawn:
        await session.execute(_DROP, tenant_id, withdrawn, "withdrawn", "", "")
    unsaid = [one.change.known.id for one in planned if isinstance(one.change, Unsay)]
    if unsaid:
        await _unsay(session, subject, unsaid)


async def _unsay(session: Session, subject: SubjectName, ids: list[Id]) -> None:
    # The next version of a promotion or product takes back what was told; of a price nothing does.
    is_stuck = subject == "price"
    state, code, words = ("failed", UNSAY, _UNSAY_WORDS) if is_stuck else ("withdrawn", "", "")
    await session.execute(_DROP, acting_tenant(session), ids, state, code, words)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _what(
    subject: SubjectName,
    target: Target,
    wanted: Wanted,
    versions: dict[Id, Stored],
    now: datetime,
) -> tuple[object, ...]:
    """Give version, is_end, amount, currency, state, due_at, code and words of an activation."""
    head = (wanted.version_id, wanted.is_end)
    due_at = due(subject, target, wanted.begins_at, now)
    version = versions[wanted.version_id]
    if subject == "promotion" and _knows_its_end(target, wanted, version):
        return *head, None, None, "accepted", wanted.begins_at, "", ""
    if subject != "price":
        return *head, None, None, "planned", due_at, "", ""
    told = told_to(version.read(Price), target)
    if told.amount is None:
        return *head, None, None, "failed", None, NOT_TRANSFERABLE, told.words
    return *head, told.amount, target.currency, "planned", due_at, "", ""


def _knows_its_end(target: Target, wanted: Wanted, version: Stored) -> bool:
    """Say whether a place that schedules was told the end with the beginning."""
    return target.schedules_ahead and wanted.is_end and version.withdrawn_at is None


def due(subject: SubjectName, target: Target, begins_at: datetime, now: datetime) -> datetime:
    """Say when a place is told: ahead if it takes that, else at the moment.

    Promotions and stop-sales are told to a place that schedules as soon as they are known.
    """
    if not target.schedules_ahead:
        return max(begins_at, now)
    if subject != "price":
        return now
    return max(begins_at - timedelta(seconds=target.lead_s), now)
