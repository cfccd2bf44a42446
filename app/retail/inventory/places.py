"""Places: how often each is heard of, what happens when it falls silent, and who alone sells from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from infra.database.unit import Session
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import record

_CONNECTION = "select id from connection where tenant_id = $1 and id = $2"
_PUT = """
insert into stock_place (tenant_id, location, heartbeat_s, dark_keeps, only_channel)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, location) do update set heartbeat_s = excluded.heartbeat_s,
    dark_keeps = excluded.dark_keeps, only_channel = excluded.only_channel
"""
_DUE = """
insert into stock_due (tenant_id, sku, occurred_at)
select $1::uuid, sku, now() from stock_position
where tenant_id = $1 and location = $2 group by sku order by sku
"""
_LIST = """
select p.location, p.heartbeat_s, p.heard_at, p.dark_since, p.dark_keeps, p.only_channel
from stock_place p where p.tenant_id = $1 order by p.location limit $2
"""


@dataclass(frozen=True, slots=True)
class StockPlace:
    """A place: last heard of as of `heard_at`; silent since `dark_since` (UTC).

    `heartbeat_s` None: nobody waits for it. `dark_keeps` None: while silent it gives nothing at all.
    """

    location: str
    heartbeat_s: int | None = None
    heard_at: datetime | None = None
    dark_since: datetime | None = None
    dark_keeps: int | None = None
    only_channel: Id | None = None


async def put_place(session: Session, place: StockPlace) -> None:
    """Say how a place is watched and who sells from it; raises NotFound for a foreign channel."""
    tenant_id = acting_tenant(session)
    if place.only_channel is not None:
        known = await session.fetch_value(_CONNECTION, tenant_id, place.only_channel)
        if known is None:
            raise NotFound
    await session.execute(
        _PUT, tenant_id, place.location, place.heartbeat_s, place.dark_keeps, place.only_channel
    )
    await session.execute(_DUE, tenant_id, place.location)
    detail = {
        "heartbeat_s": place.heartbeat_s,
        "dark_keeps": place.dark_keeps,
        "only_channel": str(place.only_channel or ""),
    }
    await record(session, "stock.put_place", f"place:{place.location}", detail)


async def list_places(session: Session, limit: int = 1_000) -> list[StockPlace]:
    """List places by name."""
    rows = await session.fetch(_LIST, acting_tenant(session), limit)
    return [StockPlace(**dict(row)) for row in rows]
