"""Approve a price that waits: it is distributed, and the record that brought it goes on."""

from __future__ import annotations

from collections.abc import Callable

from app.exceptions.claim import AlreadyDecided
from app.exceptions.release import release_hold
from app.retail.prices.approval import approve_version
from app.retail.prices.judge import APPROVAL_NEEDED
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound
from infra.ids import Id

_OPEN = """
select id from hold where tenant_id = $1 and message_id = $2 and state = 'open' and code = $3
"""


async def approve_price(
    scope: TenantScope, database: Database, version_id: Id, reason: str, ring: Callable[[], None]
) -> None:
    """Let a held price pass, and release its record if that still waits.

    Killed between the two, the price is distributed and the record waits to be released by hand.
    Raises: NotFound; Conflict when it does not wait.
    """
    async with begin(scope, database) as session:
        version = await approve_version(session, version_id, scope.actor, reason)
        hold_id = await session.fetch_value(
            _OPEN, scope.tenant_id, version.message_id, APPROVAL_NEEDED
        )
    ring()
    if hold_id is None:
        return
    try:
        await release_hold(scope, database, hold_id, reason, ring)
    except (AlreadyDecided, NotFound):
        return  # somebody was quicker
