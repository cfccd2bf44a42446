"""Suspects: deliveries that were in the hands of a worker that died are sent one at a time.

A worker holds hundreds of lanes when it is killed; one of them at most was the cause. Only what was
being sent alone when its worker died again is blamed, so that killing workers, however often, sets
nothing aside that is innocent.
"""

from __future__ import annotations

import contextlib

from app.deliveries.claim import Claimed
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.errors import PlatformError

# Both have to outlive the worker, not the database: nobody waits for the disk.
_BLAME = """
update delivery set crash_count = crash_count + 1
from set_config('synchronous_commit', 'off', true)
where tenant_id = $1 and id = $2 and state = 'delivering'
"""
# Each takes back its own count alone, also where another worker has the delivery by now.
_ACQUIT = """
update delivery set crash_count = crash_count - 1
from set_config('synchronous_commit', 'off', true)
where tenant_id = $1 and id = $2 and state = 'delivering' and crash_count > 1
"""


async def blame_if_we_die(delivery: Claimed, database: Database) -> None:
    """Count a crash before the suspect is sent; settling it takes the count back to zero."""
    async with begin(EngineScope(), database) as session:
        await session.execute(_BLAME, delivery.tenant_id, delivery.id)


async def acquit(delivery: Claimed, database: Database) -> None:
    """Take the count back: the worker lives. Before the next suspect is sent, not when it is settled.

    A result waits for its commit while the next suspect is sent already. One that blocks the worker
    then would have its predecessor blamed each time, although that was delivered.
    """
    # The book may be away; what was done must be settled all the same, which clears the count too.
    with contextlib.suppress(PlatformError):
        async with begin(EngineScope(), database) as session:
            await session.execute(_ACQUIT, delivery.tenant_id, delivery.id)
