"""When a connection was down, and why: written by whoever moves its breaker, read by people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from infra.database.unit import Session
from infra.ids import Id, new_id

OutageKind = Literal["open", "authorization_lost", "paused"]

LISTED = 50

_BEGIN = """
insert into connection_outage (tenant_id, id, connection_id, kind, reason) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, connection_id, kind) where ended_at is null do nothing
"""
# A pause is a person's act and ends by one.
_END = """
update connection_outage set ended_at = now()
where tenant_id = $1 and connection_id = $2 and ended_at is null and kind = any($3)
returning began_at
"""
_LIST = """
select kind, reason, began_at, ended_at from connection_outage
where tenant_id = $1 and connection_id = $2 order by began_at desc, id desc limit $3
"""
_OF_THE_BREAKER: tuple[OutageKind, ...] = ("open", "authorization_lost")


@dataclass(frozen=True, slots=True)
class Outage:
    """One time in which nothing was sent (UTC); `ended_at` is None while it lasts."""

    kind: OutageKind
    reason: str
    began_at: datetime
    ended_at: datetime | None


async def begin_outage(
    session: Session, tenant_id: Id, connection_id: Id, kind: OutageKind, reason: str
) -> None:
    """Write that a connection went down; one that lasts already goes on as it is."""
    await session.execute(_BEGIN, tenant_id, new_id(), connection_id, kind, reason)


async def end_outages(
    session: Session,
    tenant_id: Id,
    connection_id: Id,
    kinds: tuple[OutageKind, ...] = _OF_THE_BREAKER,
) -> datetime | None:
    """Write that a connection works again; gives since when it was down, None when it was not."""
    rows = await session.fetch(_END, tenant_id, connection_id, list(kinds))
    return min((row["began_at"] for row in rows), default=None)


async def list_outages(session: Session, tenant_id: Id, connection_id: Id) -> list[Outage]:
    """Read the latest outages of a connection, the newest first."""
    rows = await session.fetch(_LIST, tenant_id, connection_id, LISTED)
    return [Outage(row["kind"], row["reason"], row["began_at"], row["ended_at"]) for row in rows]
