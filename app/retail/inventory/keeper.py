"""The keeper: folds what was told of stock into positions, and says what each channel may show.

Any number may run; one works on a retailer at a time. Killed anywhere, nothing has happened: what is
due stays due until the same transaction wrote what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.retail.inventory.cases import write_cases
from app.retail.inventory.stockroom import open_stockroom
from app.retail.inventory.write import Changed, write_channels, write_positions
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Session, begin
from infra.errors import PlatformError
from infra.telemetry.tell_fault import tell_fault
from infra.wake import Wake

# So many articles of one retailer in one transaction, and so many of those before the next retailer.
BATCH = 250
BATCHES_IN_TURN = 8

_TENANTS = "select distinct tenant_id from stock_due order by tenant_id"
_ONE_AT_A_TIME = "select pg_try_advisory_xact_lock(hashtextextended('stock:' || $1::text, 0))"
# What was told longest ago first; nobody waits for these rows while they are worked on.
_DUE = """
select sku, array_agg(id) as ids, min(occurred_at) as occurred_at
from (select id, sku, occurred_at from stock_due where tenant_id = $1 order by id limit $2) oldest
group by sku order by sku
"""
# What was told meanwhile stays due.
_DONE = "delete from stock_due where tenant_id = $1 and id = any ($2)"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one batch did: rows that were due, articles folded, positions and channel rows changed."""

    due: int = 0
    articles: int = 0
    positions: int = 0
    shown: int = 0
    has_news: bool = False


class Keeper:
    """Works on what is due, retailer by retailer in turn; rings the publisher when there is news."""

    def __init__(self, database: Database, wake: Wake, publisher: Wake, poll_s: float) -> None:
        self._database = database
        self._wake = wake
        self._publisher = publisher
        self._poll_s = poll_s

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                done = await self.round()
            except PlatformError:
                done = 0  # the book is away; nothing was lost, nothing was done
            if not done:
                await self._wake.wait(self._poll_s)

    async def round(self) -> int:
        """Give every retailer that has something due a turn; gives how many articles were folded."""
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_TENANTS)
        return sum([await self._turn(row["tenant_id"]) for row in rows])

    async def _turn(self, tenant_id: UUID) -> int:
        articles = 0
        for _ in range(BATCHES_IN_TURN):
            try:
                kept = await keep_batch(TenantScope(tenant_id, "engine"), self._database)
            except PlatformError:
                break  # a lock or the book was not to be had; it stays due
            except Exception as fault:  # noqa: BLE001 - one retailer's fault must not stop the others
                tell_fault("stock.failed", fault, tenant=str(tenant_id))
                break
            articles += kept.articles
            if kept.has_news:
                self._publisher.set()
            if kept.due < BATCH:
                break
        return articles


async def keep_batch(scope: TenantScope, database: Database, limit: int = BATCH) -> Kept:
    """Fold the articles of one retailer that are due, at most `limit`; safe to run twice at once."""
    async with begin(scope, database) as session:
        if not await session.fetch_value(_ONE_AT_A_TIME, str(scope.tenant_id)):
            return Kept()
        return await _keep(session, scope.tenant_id, limit)


async def _keep(session: Session, tenant_id: UUID, limit: int) -> Kept:
    due = await session.fetch(_DUE, tenant_id, limit)
    if not due:
        return Kept()
    room = await open_stockroom(session, tenant_id, [row["sku"] for row in due])
    positions = await write_positions(session, tenant_id, room)
    await write_cases(session, tenant_id, room)
    done = sorted(number for row in due for number in row["ids"])
    await session.execute(_DONE, tenant_id, done)
    since = {row["sku"]: row["occurred_at"] for row in due}
    changed: Changed = await write_channels(session, tenant_id, room, since, clock.now())
    return Kept(len(done), len(due), positions, changed.shown, bool(changed.channels))
