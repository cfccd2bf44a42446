"""Look for due lanes: which connections have some in which class, however many lanes wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.deliveries.fair import CLASSES, Source
from infra.database.unit import Row, Session

# How many sources (connections with due lanes) of each class one claim chooses from, and how many
# it looks at to find them; the next claim goes on where this one stopped.
SOURCES_PER_CLASS = 64
LOOKS_PER_CLASS = 256

Place = tuple[UUID, UUID]
# For each class the last tenant and connection looked at.
Cursor = tuple[Place, ...]
_FIRST: Place = (UUID(int=0), UUID(int=0))
START: Cursor = (_FIRST,) * CLASSES


@dataclass(frozen=True, slots=True)
class View:
    """What is due where, and where to look on; `is_whole` says that all classes came to their end."""

    sources: tuple[Source, ...]
    cursor: Cursor
    is_whole: bool


# A loose walk over the sources of each class: one index probe for each, however many lanes wait, and
# nothing at all for parked lanes (`infinity` is not in the index). Given are those with due lanes, and
# the last one looked at, to go on from.
SOURCES = """
select source.class, source.tenant_id, source.connection_id, source.looks, source.due, source.waited_s
from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as start (class, tenant_id, connection_id)
cross join lateral (
    with recursive walk as (
        (select tenant_id, connection_id, 1 as looks from lane
         where class = start.class and ready_at < 'infinity'
            and (tenant_id, connection_id) > (start.tenant_id, start.connection_id)
         order by tenant_id, connection_id limit 1)
        union all
        select next.tenant_id, next.connection_id, walk.looks + 1 from walk cross join lateral (
            select tenant_id, connection_id from lane
            where class = start.class and ready_at < 'infinity'
                and (tenant_id, connection_id) > (walk.tenant_id, walk.connection_id)
            order by tenant_id, connection_id limit 1) next
        where walk.looks < $5
    )
    select start.class, walk.*, waiting.* from walk
    cross join lateral (
        select case when exists (
                select from connection_health health where health.tenant_id = walk.tenant_id
                    and health.connection_id = walk.connection_id and health.closed_until > now())
            or exists (select from connection target where target.tenant_id = walk.tenant_id
                and target.id = walk.connection_id and target.state = 'paused')
            then 0 else count(*) end as due,
            coalesce(extract(epoch from now() - min(ready_at)), 0)::float8 as waited_s
        from (select ready_at from lane where class = start.class
                and tenant_id = walk.tenant_id and connection_id = walk.connection_id
                and ready_at <= now() and ready_at < 'infinity'
            order by ready_at limit $4) due) waiting
    where waiting.due > 0 or walk.looks = $5
    limit $6) source
"""


async def look(session: Session, cursor: Cursor, depth: int) -> View:
    """Find the sources with due lanes: from the cursor on, and for classes at their end from the start.

    In each source up to `depth` due lanes are counted.
    """
    rows = await _walk(session, dict(enumerate(cursor)), depth)
    after = _after(rows)
    is_whole = not after
    ended = [each for each in range(CLASSES) if each not in after]
    again = {each: _FIRST for each in ended if cursor[each] != _FIRST}
    if again:
        known = {_place(row) for row in rows}
        further = await _walk(session, again, depth)
        # Beyond its old cursor a class was looked at just now.
        after |= {each: place for each, place in _after(further).items() if place < cursor[each]}
        rows += [row for row in further if _place(row) not in known]
    sources = tuple(
        Source((row["tenant_id"], row["connection_id"]), row["class"], row["due"], row["waited_s"])
        for row in rows
        if row["due"]
    )
    return View(sources, tuple(after.get(each, _FIRST) for each in range(CLASSES)), is_whole)


async def _walk(session: Session, starts: Mapping[int, Place], depth: int) -> list[Row]:
    return await session.fetch(
        SOURCES,
        list(starts),
        [tenant_id for tenant_id, _ in starts.values()],
        [connection_id for _, connection_id in starts.values()],
        depth,
        LOOKS_PER_CLASS,
        SOURCES_PER_CLASS,
    )


def _after(rows: Sequence[Row]) -> dict[int, Place]:
    """Say for each class that was not looked at to its end where the next look goes on."""
    counts = Counter(row["class"] for row in rows)
    return {
        row["class"]: (row["tenant_id"], row["connection_id"])
        for row in sorted(rows, key=lambda each: each["looks"])  # the last one of each class stays
        if counts[row["class"]] >= SOURCES_PER_CLASS or row["looks"] >= LOOKS_PER_CLASS
    }


def _place(row: Row) -> tuple[object, ...]:
    return (row["class"], row["tenant_id"], row["connection_id"])
