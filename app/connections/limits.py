"""How the limits of one connection stand: its budgets, its breaker, when it was down; for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.connections.credential import budget_key
from app.connections.directory import BookedConnection
from app.connections.health import ConnectionHealth, read_health
from app.connections.outages import Outage, list_outages
from infra.database.unit import Session

# Tokens are as of the last lease; more came since. The last minute slides: of the minute counted before
# the present one, the part that lies within sixty seconds.
_READ = """
select bucket, rate_per_s, burst, floor(parallel)::int as parallel, calls, refused,
    greatest(0, least(burst, tokens
        + rate_per_s * greatest(0, extract(epoch from now() - filled_at)::float8))) as tokens,
    case when paused_until > now() then paused_until end as paused_until,
    least(1, greatest(0, case
        when age_s > 120 then 0
        when age_s > 60 then minute_used * (120 - age_s) / 60
        else minute_used + minute_before * (60 - age_s) / 60 end) / (rate_per_s * 60)) as used_share
from (select *, extract(epoch from now() - minute_at)::float8 as age_s from budget
    where tenant_id = $1 and credential = $2) budget
order by bucket
"""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One budget: tokens per second and at once, what is left now, and how much was used.

    `used_share_0_1` is of the last minute. `parallel`: calls at one time, as found. `calls` and
    `refused` count since the budget was made. Nothing goes before `paused_until` (UTC).
    """

    bucket: str
    rate_per_s: float
    burst: float
    tokens: float
    used_share_0_1: float
    parallel: int
    calls: int
    refused: int
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds a connection's calls back, now and lately; outages newest first."""

    budgets: tuple[BudgetState, ...]
    health: ConnectionHealth
    outages: tuple[Outage, ...]


async def read_limits(session: Session, booked: BookedConnection) -> Limits:
    """Read the limits of a connection; its budgets are those of its credential."""
    key = budget_key(booked, "")
    connection_id = booked.config.id
    rows = await session.fetch(_READ, key.tenant_id, key.credential)
    return Limits(
        tuple(
            BudgetState(
                bucket=row["bucket"],
                rate_per_s=row["rate_per_s"],
                burst=row["burst"],
                tokens=row["tokens"],
                used_share_0_1=row["used_share"],
                parallel=row["parallel"],
                calls=row["calls"],
                refused=row["refused"],
                paused_until=row["paused_until"],
            )
            for row in rows
        ),
        await read_health(session, key.tenant_id, connection_id),
        tuple(await list_outages(session, key.tenant_id, connection_id)),
    )
