"""Rules of channels: which places serve a channel, and how much of what is there it may show.

A rule never changes what there is; it lets articles be worked out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.connections.tenant import acting_tenant
from infra.database.unit import Session
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import Detail, record

_CONNECTION = "select id from connection where tenant_id = $1 and id = $2"
_PUT = """
insert into channel_rule (tenant_id, connection_id, sku, pool, share_0_1, safety_units, publish_from,
    publish_most, self_decrements, location, frozen_until, reason, changed_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (tenant_id, connection_id, sku) do update set pool = excluded.pool,
    share_0_1 = excluded.share_0_1, safety_units = excluded.safety_units,
    publish_from = excluded.publish_from, publish_most = excluded.publish_most,
    self_decrements = excluded.self_decrements, location = excluded.location,
    frozen_until = excluded.frozen_until, reason = excluded.reason,
    version = channel_rule.version + 1, changed_by = excluded.changed_by, changed_at = now()
returning version
"""
_READ = """
select r.connection_id, c.name as channel, r.sku, r.pool, r.share_0_1, r.safety_units, r.publish_from,
    r.publish_most, r.self_decrements, r.location, r.frozen_until, r.reason, r.version, r.changed_by,
    r.changed_at
from channel_rule r join connection c on c.tenant_id = r.tenant_id and c.id = r.connection_id
where r.tenant_id = $1 and ($2::uuid is null or r.connection_id = $2)
order by c.name, r.sku limit $3
"""
# Every article that has stock or can be made, or the one that the rule is about.
_DUE = """
insert into stock_due (tenant_id, sku, occurred_at)
select $1, sku, now() from (
    select distinct sku from stock_position where tenant_id = $1
    union select distinct kit_sku from kit_component where tenant_id = $1) as known
where $2 = '' or sku = $2
order by sku
"""


@dataclass(frozen=True, slots=True)
class NewRule:
    """What a channel may show: of which places, how much, and how much is kept back at each."""

    pool: tuple[str, ...] = ()
    share_0_1: Decimal = Decimal(1)
    safety_units: int = 0
    publish_from: int = 0
    publish_most: int | None = None
    self_decrements: bool = True
    location: str = ""
    frozen_until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChannelRuleRow:
    """A rule as it stands, with who changed it last and why; times in UTC."""

    connection_id: Id
    channel: str
    sku: str
    pool: tuple[str, ...]
    share_0_1: Decimal
    safety_units: int
    publish_from: int
    publish_most: int | None
    self_decrements: bool
    location: str
    frozen_until: datetime | None
    reason: str
    version: int
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Put:
    """A rule that was put: its version, and how many articles are worked out again."""

    version: int
    articles: int


async def put_rule(session: Session, connection_id: Id, sku: str, rule: NewRule) -> Put:
    """Set the rule of a channel for one article, or (sku '') for all others; raises NotFound."""
    tenant_id = acting_tenant(session)
    if await session.fetch_value(_CONNECTION, tenant_id, connection_id) is None:
        raise NotFound
    actor = getattr(session.scope, "actor", "")
    version: int = await session.fetch_value(
        _PUT, tenant_id, connection_id, sku, list(rule.pool), rule.share_0_1, rule.safety_units,
        rule.publish_from, rule.publish_most, rule.self_decrements, rule.location,
        rule.frozen_until, rule.reason, actor,
    )  # fmt: skip
    articles = await mark_all_due(session, tenant_id, sku)
    detail: Detail = {
        "sku": sku,
        "pool": list(rule.pool),
        "share": str(rule.share_0_1),
        "safety_units": rule.safety_units,
        "reason": rule.reason,
        "articles": articles,
    }
    await record(session, "stock.put_rule", f"connection:{connection_id}", detail)
    return Put(version, articles)


async def mark_all_due(session: Session, tenant_id: UUID, sku: str = "") -> int:
    """Let all articles be worked out again, or one; gives how many."""
    return await session.execute(_DUE, tenant_id, sku)


async def list_rules(
    session: Session, connection_id: Id | None = None, limit: int = 1_000
) -> list[ChannelRuleRow]:
    """List rules by channel and article; '' is the rule for all others."""
    rows = await session.fetch(_READ, acting_tenant(session), connection_id, limit)
    return [ChannelRuleRow(**{**dict(row), "pool": tuple(row["pool"])}) for row in rows]
