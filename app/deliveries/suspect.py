"""Suspects: deliveries that were in the hands of a worker that died are sent one at a time.

A worker holds hundreds of lanes when it is killed; one of them at most was the cause. Only what was
being sent alone when its worker died again is blamed, so that killing workers, however often, sets
nothing aside that is innocent.
"""

from __future__ import annotations

from app.deliveries.claim import Claimed
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin

_BLAME = """
update delivery set crash_count = crash_count + 1
where tenant_id = $1 and id = $2 and state = 'delivering'
"""


async def blame_if_we_die(delivery: Claimed, database: Database) -> None:
    """Count a crash before the suspect is sent; settling it takes the count back to zero."""
    async with begin(EngineScope(), database) as session:
        await session.execute(_BLAME, delivery.tenant_id, delivery.id)
