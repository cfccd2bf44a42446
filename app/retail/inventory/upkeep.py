"""What time itself changes of stock: reservations end, places fall silent and are heard again."""

from __future__ import annotations

from uuid import UUID

from app.retail.breaks import Seen, close_breaks, see_breaks
from app.retail.each_retailer import for_each_retailer
from app.retail.inventory.reservations import PAYING_GRACE
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Session, begin

# Reservations end within a minute of their time; a place is missed after twice its heartbeat.
KEEP_EVERY_S = 10.0
MISSED_BEATS = 2
DARK_BREAK = "place_dark"

_TENANTS = f"""
select tenant_id from reservation where state = 'held' and expires_at <= now()
union select tenant_id from stock_place where heartbeat_s is not null and (dark_since is not null
    or heard_at < now() - make_interval(secs => {MISSED_BEATS} * heartbeat_s))
"""  # noqa: S608 - a number of ours
_EXPIRE = """
with ended as (
    update reservation set state = 'expired', ended_at = now()
    where tenant_id = $1 and state = 'held'
        and expires_at + case when paying_at is null then interval '0' else $2::interval end <= now()
    returning sku)
insert into stock_due (tenant_id, sku, occurred_at)
select $1::uuid, sku, now() from ended group by sku order by sku
"""
_DARKEN = """
update stock_place set dark_since = now()
where tenant_id = $1 and heartbeat_s is not null and dark_since is null
    and heard_at < now() - make_interval(secs => $2 * heartbeat_s)
returning location, heard_at, dark_keeps
"""
_LIGHTEN = """
update stock_place set dark_since = null
where tenant_id = $1 and dark_since is not null and (heartbeat_s is null
    or heard_at >= now() - make_interval(secs => $2 * heartbeat_s))
returning location
"""
_DUE_AT = """
insert into stock_due (tenant_id, sku, occurred_at)
select $1::uuid, sku, now() from stock_position
where tenant_id = $1 and location = any ($2) group by sku order by sku
"""
_WORTH = """
select p.location, count(*) as articles, sum(p.quantity) as units,
    sum(p.quantity * c.unit_price) as amount, min(c.currency) as currency,
    count(distinct c.currency) as currencies
from stock_position p left join lateral (
    select unit_price, currency from channel_position c
    where c.tenant_id = p.tenant_id and c.sku = p.sku and unit_price is not null limit 1) c on true
where p.tenant_id = $1 and p.location = any ($2) and p.state = 'available' and p.quantity > 0
group by p.location
"""


async def keep_stock(database: Database) -> int:
    """Do what is due by the clock at all retailers; gives at how many. Safe to run twice at once.

    The fault of one retailer is told and keeps no other waiting.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_TENANTS)

    async def work(scope: TenantScope) -> int:
        async with begin(scope, database) as session:
            await _keep(session, scope.tenant_id)
        return 1

    return await for_each_retailer("stock", [row["tenant_id"] for row in rows], work)


async def _keep(session: Session, tenant_id: UUID) -> None:
    await session.execute(_EXPIRE, tenant_id, PAYING_GRACE)
    await _darken(session, tenant_id)
    lit = [row["location"] for row in await session.fetch(_LIGHTEN, tenant_id, MISSED_BEATS)]
    if lit:
        await close_breaks(session, tenant_id, DARK_BREAK, lit, "It is heard of again.")
        await session.execute(_DUE_AT, tenant_id, lit)


async def _darken(session: Session, tenant_id: UUID) -> None:
    """Let what stands at silent places be shown no more, or less; unknown sales happen there."""
    silent = await session.fetch(_DARKEN, tenant_id, MISSED_BEATS)
    if not silent:
        return
    places = sorted(row["location"] for row in silent)
    await session.execute(_DUE_AT, tenant_id, places)
    worth = {row["location"]: row for row in await session.fetch(_WORTH, tenant_id, places)}
    found = []
    for row in silent:
        stock = worth.get(row["location"])
        articles = stock["articles"] if stock else 0
        keeps = row["dark_keeps"]
        shown = (
            "Nothing that stands there is shown for sale elsewhere"
            if keeps is None
            else f"{keeps} units of each article there are kept back"
        )
        is_one = stock is not None and stock["currencies"] == 1
        found.append(
            Seen(
                DARK_BREAK,
                row["location"],
                f"{row['location']} was last heard of {row['heard_at']:%Y-%m-%d %H:%M} UTC. {shown}"
                f" until it is back; that concerns {articles} articles. Ask the place whether its"
                " line or its till is down.",
                place=row["location"],
                amount=round(stock["amount"], 2) if is_one and stock else None,
                currency=stock["currency"] if is_one and stock else None,
            )
        )
    await see_breaks(session, tenant_id, found)
