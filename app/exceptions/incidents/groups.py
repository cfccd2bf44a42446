"""The same cause at many retailers: one line for a partner or the operator, without contents."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.exceptions.incidents.incident import State
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import Row, begin

RETAILERS_NAMED = 50

# Which rows there are is decided by the policy of the scope: a partner's retailers, or all.
_GROUPS = """
with open as (
    select i.*, t.name as retailer from incident i join tenant t on t.id = i.tenant_id
    where i.state <> 'resolved' and i.title <> ''
        and ($1::text is null or i.error_class = $1) and ($2::uuid is null or i.tenant_id = $2)
), money as (
    select fingerprint, jsonb_object_agg(currency, total::text) as at_risk from (
        select fingerprint, each.key as currency, sum(each.value::numeric) as total
        from open cross join lateral jsonb_each_text(at_risk) as each group by 1, 2) sums
    group by fingerprint
)
select o.fingerprint, min(o.connector) as connector, min(o.error_class) as error_class,
    min(o.code) as code, min(o.pointer) as pointer, max(o.severity) as severity,
    count(distinct o.tenant_id) as retailers, sum(o.held)::bigint as held,
    sum(o.waiting)::bigint as waiting, min(o.since_at) as oldest_at, min(o.deadline_at) as deadline_at,
    array_agg(distinct o.owner) filter (where o.owner <> '') as owners,
    count(*) filter (where o.owner = '') as unowned, money.at_risk::text,
    jsonb_agg(jsonb_build_object('tenant_id', o.tenant_id, 'name', o.retailer, 'incident_id', o.id,
        'state', o.state, 'severity', o.severity, 'records', o.held + o.waiting, 'at_risk', o.at_risk)
        order by o.weight desc, o.id)::text as members
from open o left join money using (fingerprint)
group by o.fingerprint, money.at_risk order by sum(o.weight) desc, o.fingerprint limit $3
"""


@dataclass(frozen=True, slots=True)
class Member:
    """One retailer's part of a group."""

    tenant_id: UUID
    name: str
    incident_id: UUID
    state: State
    severity: int
    records: int
    at_risk: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class IncidentGroup:
    """One cause, wherever it is; times are UTC, `members` are the most pressing retailers."""

    fingerprint: bytes
    connector: str
    error_class: str
    code: str
    pointer: str
    severity: int
    retailers: int
    held: int
    waiting: int
    oldest_at: datetime
    deadline_at: datetime | None
    unowned: int
    owners: tuple[str, ...] = ()
    at_risk: dict[str, Decimal] = field(default_factory=dict)
    members: tuple[Member, ...] = ()


async def list_groups(
    scope: TenantScope | PartnerScope | OperatorScope,
    database: Database,
    *,
    error_class: str | None,
    limit: int,
) -> list[IncidentGroup]:
    """Give the open causes that the scope reaches, the most pressing first."""
    tenant_id = scope.tenant_id if isinstance(scope, TenantScope) else None
    async with begin(scope, database) as session:
        rows = await session.fetch(_GROUPS, error_class, tenant_id, limit)
    return [_group(row) for row in rows]


def _group(row: Row) -> IncidentGroup:
    values: dict[str, Any] = dict(row)
    values["owners"] = tuple(row["owners"] or ())
    values["at_risk"] = _money(json.loads(row["at_risk"] or "{}"))
    named = json.loads(row["members"])[:RETAILERS_NAMED]
    values["members"] = tuple(
        Member(**{**each, "at_risk": _money(each["at_risk"])}) for each in named
    )
    return IncidentGroup(**values)


def _money(amounts: dict[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in sorted(amounts.items())}
