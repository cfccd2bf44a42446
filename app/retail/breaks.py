"""Breaks: what two sides say differently, each once by (kind, key), open until it is explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from infra.database.unit import Session

_SEE = """
insert into break (tenant_id, kind, key, place, business_day, words, amount, currency)
select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::date[], $6::text[], $7::numeric[],
    $8::text[])
on conflict (tenant_id, kind, key) do update set state = 'open', words = excluded.words,
    amount = excluded.amount, currency = excluded.currency, last_seen_at = now(), closed_at = null,
    resolution = ''
"""
_CLOSE_OTHERS = """
update break set state = 'closed', closed_at = now(), resolution = $6
where tenant_id = $1 and kind = $2 and place = $3 and business_day is not distinct from $4
    and state = 'open' and key <> all ($5)
"""
_CLOSE = """
update break set state = 'closed', closed_at = now(), resolution = $4
where tenant_id = $1 and kind = $2 and state = 'open' and key = any ($3)
"""
_LIST = """
select kind, key, place, business_day, state, words, amount, currency, first_seen_at, last_seen_at,
    closed_at, resolution, owner
from break where tenant_id = $1 and ($2 or state = 'open') and ($3 = '' or kind = $3)
    and ($4 = '' or place = $4) and ($5::date is null or business_day = $5)
    and ($7 = '' or key = $7)
order by place, business_day, kind, length(key), key limit $6
"""

_ASSIGN = """
update break set owner = $4 where tenant_id = $1 and kind = $2 and key = $3 and state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A break as it was found: what it is about, in words, and the money, if it is known."""

    kind: str
    key: str
    words: str
    place: str = ""
    day: date | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """A break as it stands; times in UTC."""

    kind: str
    key: str
    place: str
    business_day: date | None
    state: str
    words: str
    amount: Decimal | None
    currency: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    resolution: str
    owner: str


async def see_breaks(session: Session, tenant_id: UUID, found: Sequence[Seen]) -> None:
    """Write breaks down; one that is known is seen again, one that was closed is open again."""
    by_key = {(each.kind, each.key): each for each in found}
    if not by_key:
        return
    rows = [
        (each.kind, each.key, each.place, each.day, each.words, each.amount, each.currency)
        for _, each in sorted(by_key.items())
    ]
    await session.execute(_SEE, tenant_id, *(list(column) for column in zip(*rows, strict=True)))


async def close_others(  # noqa: PLR0913 - one for each part of the key
    session: Session,
    tenant_id: UUID,
    kind: str,
    place: str,
    day: date | None,
    *,
    still: Sequence[str],
    resolution: str,
) -> int:
    """Close the breaks of one kind, place and day that are not among those still seen."""
    return await session.execute(_CLOSE_OTHERS, tenant_id, kind, place, day, still, resolution)


async def close_breaks(
    session: Session, tenant_id: UUID, kind: str, keys: Sequence[str], resolution: str
) -> int:
    """Close the named breaks of one kind."""
    return await session.execute(_CLOSE, tenant_id, kind, keys, resolution)


async def assign_break(session: Session, tenant_id: UUID, kind: str, key: str, owner: str) -> bool:
    """Say who takes care of an open break, nobody in particular with an empty name."""
    return bool(await session.execute(_ASSIGN, tenant_id, kind, key, owner))


async def list_breaks(  # noqa: PLR0913 - one for each condition
    session: Session,
    tenant_id: UUID,
    *,
    kind: str = "",
    place: str = "",
    day: date | None = None,
    key: str = "",
    with_closed: bool = False,
    limit: int = 1_000,
) -> list[Break]:
    """List breaks by place, day and number."""
    rows = await session.fetch(_LIST, tenant_id, with_closed, kind, place, day, limit, key)
    return [Break(**dict(row)) for row in rows]
