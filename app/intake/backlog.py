"""Back-pressure: a retailer with too much under way is asked to come again later, nobody else.

What is under way is counted by the schedulers, not for every request; between two counts more may
come in, which is harmless: the limit protects the disk, not an invariant. Whether Redis lives makes
no difference.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from uuid import UUID

from app.connections.freshness import FreshMemory
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Row, begin
from infra.errors import PlatformError
from infra.ids import Id
from infra.telemetry.events import log_event

# Of every retailer whose plan says nothing else (`tenant.entitlements`, written by billing).
ENTITLEMENT = "backlog_max"
DEFAULT_MOST = 1_000_000
# Seconds between two counts, and how old what a door knows may be.
COUNT_EVERY_S = 15.0
FRESH_S = 5.0
RETRY_AFTER_S = 60
# Shares of the limit at which people are told, in percent.
ALARMS_PERCENT = (50, 80, 100)

_COUNT = """
with counted as (
    select tenant_id, count(*) as open from message where is_waiting group by tenant_id
    union all
    select tenant_id, count(*) from delivery where is_open group by tenant_id
), summed as (
    select tenant_id, sum(open)::bigint as open from counted group by tenant_id
)
select tenant.id, coalesce(summed.open, 0) as open, coalesce(known.alarm_percent, 0) as alarm,
    case when jsonb_typeof(tenant.entitlements -> $1) = 'number'
        then (tenant.entitlements ->> $1)::numeric::bigint else $2 end as most
from tenant left join summed on summed.tenant_id = tenant.id
left join backlog known on known.tenant_id = tenant.id
where summed.open is not null or known.open > 0
"""
_KEEP = """
insert into backlog (tenant_id, open, most, alarm_percent)
select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::smallint[])
on conflict (tenant_id) do update set open = excluded.open, most = excluded.most,
    alarm_percent = excluded.alarm_percent, counted_at = now()
"""


class BacklogFull(PlatformError):
    """A retailer has as much under way as its plan allows; nothing of this request is stored."""

    status = 429
    code = "backlog.full"

    def __init__(self) -> None:
        super().__init__(
            "Too much of this retailer still waits to be delivered. Send it again later.",
            retry_after_s=RETRY_AFTER_S,
        )


class Backlogs:
    """Knows, for the doors of one process, which retailers have too much under way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._full: FreshMemory[Id, bool] = FreshMemory(self._is_full, fresh_s=FRESH_S)

    async def refuse_when_full(self, tenant_id: Id) -> None:
        """Raise BacklogFull, before anything is stored; what cannot be known refuses nobody."""
        is_full = False
        with contextlib.suppress(PlatformError):
            is_full = await self._full.get(tenant_id)
        if is_full:
            raise BacklogFull

    async def _is_full(self, tenant_id: Id) -> bool:
        async with begin(TenantScope(tenant_id), self._database) as session:
            found = await session.fetch_value(
                "select open >= most from backlog where tenant_id = $1", tenant_id
            )
        return bool(found)


@dataclass(frozen=True, slots=True)
class _Counted:
    """One retailer's backlog, and the alarm that it is at (percent of the limit; 0 is none)."""

    tenant_id: UUID
    open: int
    most: int
    alarm_percent: int


async def count_backlogs(database: Database) -> int:
    """Count what is under way of every retailer; gives how many are at their limit."""
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_COUNT, ENTITLEMENT, DEFAULT_MOST)
        counted = [_counted(row) for row in rows]
        await session.execute(
            _KEEP,
            [each.tenant_id for each in counted],
            [each.open for each in counted],
            [each.most for each in counted],
            [each.alarm_percent for each in counted],
        )
    before = {row["id"]: row["alarm"] for row in rows}
    for each in counted:
        if each.alarm_percent > before[each.tenant_id]:
            _tell(each)
    return sum(each.alarm_percent == ALARMS_PERCENT[-1] for each in counted)


def _counted(row: Row) -> _Counted:
    most = max(1, row["most"])
    reached = [each for each in ALARMS_PERCENT if row["open"] * 100 >= most * each]
    return _Counted(row["id"], row["open"], row["most"], max(reached, default=0))


def _tell(backlog: _Counted) -> None:
    log_event(
        "backlog.grew",
        level="warning" if backlog.alarm_percent == ALARMS_PERCENT[0] else "error",
        tenant=str(backlog.tenant_id),
        queue_depth=backlog.open,
        case=f"{backlog.alarm_percent} % of {backlog.most}",
    )
