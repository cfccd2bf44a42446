"""The proof of a day and channel: what the channel lists = what is here = what each target has.

An order that is not at a target is explained by a word, or named as missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.connections.tenant import acting_tenant
from connectors.canonical.event import ORDER_CHANGED, ORDER_PLACED, ORDER_POSTED
from infra.database.unit import Row, Session

NAMED_MAX = 100

_CHANNELS = """
select c.id, c.name,
    exists (select from order_sweep s where s.tenant_id = $1 and s.connection_id = c.id) as is_listed
from connection c where c.tenant_id = $1 and ($3 = '' or c.name = $3)
    and (exists (select from sales_order o where o.tenant_id = $1 and o.connection_id = c.id
            and o.day = $2 and o.kind <> 'pos')
        or exists (select from order_listed l where l.tenant_id = $1 and l.connection_id = c.id
            and l.day = $2))
order by c.name
"""
_LISTED = """
select count(*) as orders, coalesce(sum(total), 0) as total, min(listed_at) as listed_at
from order_listed where tenant_id = $1 and connection_id = $2 and day = $3
"""
_NOT_HERE = """
select l.order_id, l.number from order_listed l
where l.tenant_id = $1 and l.connection_id = $2 and l.day = $3 and not exists (
    select from sales_order o where o.tenant_id = $1 and o.connection_id = $2
        and o.order_id = l.order_id and o.rank <> '[]')
order by l.placed_at limit $4
"""
_NOT_LISTED = """
select count(*) from sales_order o
where o.tenant_id = $1 and o.connection_id = $2 and o.day = $3 and o.rank <> '[]' and not exists (
    select from order_listed l where l.tenant_id = $1 and l.connection_id = $2
        and l.order_id = o.order_id)
"""
# Where orders of a channel go: by a flow of the channel itself, or by that of the core's postings.
_TARGETS = """
select distinct c.id, c.name from flow f
join connection c on c.tenant_id = f.tenant_id and c.id = f.target_connection_id
join connection s on s.tenant_id = f.tenant_id and s.id = f.source_connection_id
where f.tenant_id = $1 and (f.source_connection_id = $2 and $3 = any (f.event_types)
    or s.connector = 'core' and $4 = any (f.event_types))
order by c.name
"""
_AT_TARGET = """
select o.order_id, o.number, o.status, o.is_test, o.total,
    coalesce(bool_or(d.state = 'delivered'), false) as is_there,
    coalesce(bool_or(d.state = 'held'), false) as is_held,
    coalesce(bool_or(d.is_open), false) as is_open,
    count(d.id) as deliveries
from sales_order o
left join event e on e.tenant_id = $1 and (
    e.object_id = o.order_id and e.connection_id = $2 and e.type = any ($5)
    or e.object_id = $6 || '/' || o.order_id || '/1' and e.type = $7)
left join delivery d on d.tenant_id = $1 and d.event_id = e.id and d.connection_id = $4
where o.tenant_id = $1 and o.connection_id = $2 and o.day = $3 and o.rank <> '[]'
    and o.kind <> 'pos'
group by o.id, o.order_id, o.number, o.status, o.is_test, o.total order by o.order_id
"""


@dataclass(frozen=True, slots=True)
class AtTarget:
    """How many of a channel's orders one target has, and why it has not the others."""

    name: str
    orders: int
    explained: dict[str, int]
    missing: tuple[str, ...]

    @property
    def words(self) -> str:
        """Say it as it stands in the statement."""
        rest = sum(self.explained.values())
        told = f"{self.name} {self.orders:,}"
        told += f" + {rest:,} explained" if rest else ""
        return told + (f" + {len(self.missing):,} missing" if self.missing else "")


@dataclass(frozen=True, slots=True)
class Proof:
    """One day of one channel; `listed` is None where the channel cannot be asked for a list."""

    channel: str
    day: date
    listed: int | None
    listed_at: datetime | None
    known_here: int
    total: Decimal
    missing_here: tuple[str, ...]
    not_listed: int
    targets: tuple[AtTarget, ...] = field(default=())

    @property
    def is_complete(self) -> bool:
        """Say whether every listed order is here, and every one here is accounted for."""
        return not self.missing_here and not any(each.missing for each in self.targets)

    @property
    def words(self) -> str:
        """Give the statement: `2026-11-27: shop 6,482 = here 6,482 = erp 6,479 + 3 explained`."""
        parts = [] if self.listed is None else [f"{self.channel} {self.listed:,}"]
        parts.append(f"here {self.known_here:,}")
        parts += [each.words for each in self.targets]
        told = f"{self.day}: {' = '.join(parts)}"
        if self.listed is None:
            return f"{told} ({self.channel} cannot be asked for a list)"
        if self.missing_here:
            return f"{told} ({len(self.missing_here)} of {self.channel} are not here yet)"
        return told


async def prove_day(session: Session, day: date, channel: str = "") -> list[Proof]:
    """Give the proof of one day for each channel that sold, or for the one that is named."""
    rows = await session.fetch(_CHANNELS, acting_tenant(session), day, channel)
    return [await _proof(session, row, day) for row in rows]


async def _proof(session: Session, channel: Row, day: date) -> Proof:
    of_day = (acting_tenant(session), channel["id"], day)
    listed = await session.fetch_one(_LISTED, *of_day)
    is_listed = channel["is_listed"] and listed is not None
    missing = await session.fetch(_NOT_HERE, *of_day, NAMED_MAX)
    targets = await session.fetch(_TARGETS, of_day[0], channel["id"], ORDER_PLACED, ORDER_POSTED)
    found = [await _orders(session, channel, day, None)]
    found += [await _orders(session, channel, day, target["id"]) for target in targets]
    here = found[0]
    return Proof(
        channel=channel["name"],
        day=day,
        listed=listed["orders"] if is_listed and listed else None,
        listed_at=listed["listed_at"] if listed else None,
        known_here=len(here),
        total=sum((row["total"] for row in here), Decimal(0)),
        missing_here=tuple(row["number"] or row["order_id"] for row in missing),
        not_listed=await session.fetch_value(_NOT_LISTED, *of_day) if is_listed else 0,
        targets=tuple(
            _at_target(target["name"], rows)
            for target, rows in zip(targets, found[1:], strict=True)
        ),
    )


async def _orders(session: Session, channel: Row, day: date, target_id: UUID | None) -> list[Row]:
    return await session.fetch(
        _AT_TARGET,
        acting_tenant(session),
        channel["id"],
        day,
        target_id,
        [ORDER_PLACED, ORDER_CHANGED],
        channel["name"],
        ORDER_POSTED,
    )


def _at_target(name: str, rows: list[Row]) -> AtTarget:
    why: Counter[str] = Counter()
    missing = []
    for row in rows:
        if row["is_there"]:
            continue
        reason = _reason(row)
        if reason:
            why[reason] += 1
        else:
            missing.append(row["number"] or row["order_id"])
    there = sum(bool(row["is_there"]) for row in rows)
    return AtTarget(name, there, dict(sorted(why.items())), tuple(missing[:NAMED_MAX]))


# Why an order is not at its target, the first that holds.
_REASONS: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    ("test order", lambda row: bool(row["is_test"])),
    ("not let go by its channel yet", lambda row: bool(row["status"] == "pending")),
    ("cancelled before it was sent", lambda row: bool(row["status"] == "cancelled")),
    ("waits for a person", lambda row: bool(row["is_held"])),
    ("on its way", lambda row: bool(row["is_open"])),
    ("taken out by a person or a rule", lambda row: bool(row["deliveries"])),
)


def _reason(row: Row) -> str:
    return next((words for words, holds in _REASONS if holds(row)), "")
