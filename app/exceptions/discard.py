"""Discard what is held: it reaches nobody, and the books say that a person decided so."""

from __future__ import annotations

from collections.abc import Callable

from app.exceptions.claim import Decision
from app.exceptions.hold import Hold, find_hold
from app.exceptions.together import close_all, discard_all, take_all
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id

ACTION = "exceptions.discard_hold"


async def discard_hold(
    scope: TenantScope, database: Database, hold_id: Id, reason: str, ring: Callable[[], None]
) -> Hold:
    """Give up a held message, or a held delivery to one target; what waits behind it goes on.

    Cannot be undone. Raises NotFound, AlreadyDecided.
    """
    async with begin(scope, database) as session:
        taken = await take_all(session, scope, [hold_id])
        hold = taken.one()
        await discard_all(session, scope, taken)
        decision = Decision("discarded", ACTION, reason)
        await close_all(session, scope, taken, decision, {"reason": reason})
        decided = await find_hold(session, scope, hold.id)
    ring()
    return decided
