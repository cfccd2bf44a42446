"""Keep store days up to date: what was sold is taken, and gaps are told, minutes after it came."""

from __future__ import annotations

from datetime import timedelta

from app.retail.each_retailer import for_each_retailer
from app.retail.journals.close import take_and_look
from app.retail.journals.records import SOLD
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.ids import lowest_id_at
from infra.keys.vault import Vault

KEEP_EVERY_S = 60.0
# After a longer pause the retailer's next sale, or whoever lists or closes store days, takes the rest.
LOOKED_BACK = timedelta(minutes=15)
# Retailer by retailer, so that each is one look into its own part of the index.
_SELLING = """
select t.id as tenant_id from tenant t where exists (
    select from event e where e.tenant_id = t.id and e.id >= $1 and e.type = any ($2))
"""


async def keep_store_days(database: Database, vault: Vault) -> int:
    """Take what all retailers sold lately; gives how many were looked at. Safe to run twice at once.

    The fault of one retailer is told and keeps no other waiting.
    """
    since = lowest_id_at(clock.now() - LOOKED_BACK)
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_SELLING, since, list(SOLD))

    async def work(scope: TenantScope) -> int:
        await take_and_look(scope, database, vault)
        return 1

    return await for_each_retailer("store_days", [row["tenant_id"] for row in rows], work)
