"""Release what is held, as it is: because its cause was mended elsewhere, or a person vouches for it."""

from __future__ import annotations

from collections.abc import Callable

from app.exceptions.claim import Decision
from app.exceptions.hold import Hold, find_hold
from app.exceptions.together import close_all, release_all, take_all
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id

ACTION = "exceptions.release_hold"


async def release_hold(
    scope: TenantScope, database: Database, hold_id: Id, reason: str, ring: Callable[[], None]
) -> Hold:
    """Let a held message be read again, or a held delivery be sent again under the same effect key.

    Raises: NotFound, AlreadyDecided.
    """
    async with begin(scope, database) as session:
        taken = await take_all(session, scope, [hold_id])
        hold = taken.one()
        await release_all(session, scope, taken)
        decision = Decision("released", ACTION, reason)
        await close_all(session, scope, taken, decision, {"reason": reason})
        decided = await find_hold(session, scope, hold.id)
    ring()
    return decided
