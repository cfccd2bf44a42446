"""What our own books say at the end: everything settled, nothing unaccounted, no lane left behind."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

from app.health.ledger import read_ledger
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from tests.chaos.world import ACTOR, Shop

LOOK_EVERY_S = 0.2

_OPEN = """
select 'message ' || state as what, count(*) as count from message
where state in ('received', 'held', 'prepared') group by 1
union all
select 'delivery ' || state || ' ' || code, count(*) from delivery
where state in ('ready', 'delivering', 'waiting', 'checking', 'held') group by 1
"""
# Nothing is open any more, so no lane may be due, leased, blocked or believe that something is open.
_LANES_LEFT = """
select count(*) from lane where open_count <> 0 or ready_at is not null or blocked_by is not null
"""


@dataclass(frozen=True, slots=True)
class Books:
    """The books of all retailers together: `open` counts what is still under way or held."""

    open: dict[str, int] = field(default_factory=dict)
    accepted: int = 0
    delivered: int = 0
    unaccounted: int = 0
    lanes_left: int = 0


async def drain(database: Database, at_most_s: float) -> dict[str, int]:
    """Wait until nothing is under way; gives what still is when the time is over."""
    deadline_s = time.monotonic() + at_most_s
    while True:
        left = await _open(database)
        is_moving = any("held" not in what for what in left)
        if not is_moving or time.monotonic() > deadline_s:
            return left
        await asyncio.sleep(LOOK_EVERY_S)


async def read_books(database: Database, shops: list[Shop], left: dict[str, int]) -> Books:
    """Count the books of every retailer, as `tillwire ledger` does."""
    now = clock.now()
    totals = []
    for shop in shops:
        ledger = await read_ledger(
            TenantScope(shop.tenant_id, ACTOR),
            database,
            now - timedelta(days=1),
            now + timedelta(hours=1),
        )
        totals.append(ledger)
    async with begin(EngineScope(), database) as session:
        lanes_left = await session.fetch_value(_LANES_LEFT)
    return Books(
        open=left,
        accepted=sum(ledger.total.accepted for ledger in totals),
        delivered=sum(ledger.total.fates.get("delivered", 0) for ledger in totals),
        unaccounted=sum(ledger.unaccounted for ledger in totals),
        lanes_left=lanes_left,
    )


async def _open(database: Database) -> dict[str, int]:
    try:
        async with begin(EngineScope(), database) as session:
            rows = await session.fetch(_OPEN)
    except PlatformError:
        return {"the book is away": 1}
    return {row["what"].strip(): row["count"] for row in rows}
