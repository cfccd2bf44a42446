"""Find troubles across retailers: connections out of order, deliveries that keep failing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.exceptions.incidents.fingerprint import Trouble, trouble_of
from infra.database.unit import Row, Session

CONNECTIONS_MAX = 1_000
PAIRS_MAX = 5_000
# A target that nothing waits for may be down for a while before anybody needs to hear of it.
SILENT_FOR = timedelta(minutes=15)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A trouble that is there now, since when (UTC).

    `takes_rest`: its connection is out of order, so all that waits there belongs to it. `is_broken`:
    it is told even when nothing waits. `failing` holds classes and codes as they are stored.
    """

    trouble: Trouble
    since_at: datetime
    takes_rest: bool = False
    is_broken: bool = False
    failing: frozenset[Pair] = frozenset()


# A connection that somebody paused or switched off is no trouble. Between two looks at a lost
# authorization the state is half_open: its outage, or the incident itself, tells what it is about.
_BROKEN = """
select h.tenant_id, h.connection_id, c.connector, coalesce(o.began_at, h.changed_at) as since_at,
    h.state = 'authorization_lost' or coalesce(o.kind = 'authorization_lost', false)
        or (h.state = 'half_open' and o.kind is null and exists (
            select from incident i where i.tenant_id = h.tenant_id and i.state <> 'resolved'
                and i.connection_id = h.connection_id and i.error_class = 'auth')) as is_refused,
    exists (select from delivery d where d.tenant_id = h.tenant_id
        and d.connection_id = h.connection_id and d.is_open and d.state <> 'held') as has_waiting
from connection_health h
join connection c on c.tenant_id = h.tenant_id and c.id = h.connection_id and c.state = 'active'
left join lateral (
    select kind, began_at from connection_outage o where o.tenant_id = h.tenant_id
        and o.connection_id = h.connection_id and o.ended_at is null
        and o.kind in ('open', 'authorization_lost')
    order by o.kind, o.began_at limit 1) o on true
where h.state <> 'closed' order by h.changed_at limit $1
"""
_FAILING = """
select f.*, c.connector, (
    select min(a.started_at) from attempt a
    where a.tenant_id = f.tenant_id and a.delivery_id = f.oldest) as since_at
from (
    select tenant_id, connection_id, error_class, code, (array_agg(id order by id))[1] as oldest
    from delivery where is_failing group by 1, 2, 3, 4 limit $1) f
join connection c on c.tenant_id = f.tenant_id and c.id = f.connection_id
"""


async def find_broken(session: Session, at: datetime) -> list[Found]:
    """Give the connections that are out of order and hold something back, or did so for a while."""
    rows = await session.fetch(_BROKEN, CONNECTIONS_MAX)
    found = [_broken(row, at) for row in rows]
    return [
        each for each, row in zip(found, rows, strict=True) if each.is_broken or row["has_waiting"]
    ]


async def find_failing(session: Session, broken: Iterable[Found], at: datetime) -> list[Found]:
    """Give the troubles of deliveries that failed three times where the connection itself works."""
    out_of_order = {(each.trouble.tenant_id, each.trouble.connection_id) for each in broken}
    rows = [
        row
        for row in await session.fetch(_FAILING, PAIRS_MAX)
        if (row["tenant_id"], row["connection_id"]) not in out_of_order
    ]
    by_trouble: dict[Trouble, list[Row]] = defaultdict(list)
    for row in rows:
        by_trouble[_trouble(row)].append(row)
    return [
        Found(
            trouble,
            min((row["since_at"] for row in of if row["since_at"]), default=at),
            failing=frozenset((row["error_class"], row["code"]) for row in of),
        )
        for trouble, of in by_trouble.items()
    ]


def _broken(row: Row, at: datetime) -> Found:
    is_refused: bool = row["is_refused"]
    error_class = "auth" if is_refused else "transient"
    trouble = Trouble(row["tenant_id"], row["connection_id"], row["connector"], error_class)
    is_told = is_refused or at - row["since_at"] >= SILENT_FOR
    return Found(trouble, row["since_at"], takes_rest=True, is_broken=is_told)


def _trouble(row: Row) -> Trouble:
    tenant_id: UUID = row["tenant_id"]
    return trouble_of(
        tenant_id, row["connection_id"], row["connector"], row["error_class"], row["code"]
    )
