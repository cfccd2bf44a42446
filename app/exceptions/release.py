"""Release what is held, as it is: because its cause was mended elsewhere, or a person vouches for it."""

from __future__ import annotations

from collections.abc import Callable

from app.exceptions.claim import Decision, close_hold, take_delivery, take_message, unblock_lane
from app.exceptions.hold import Hold, find_hold
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id


async def release_hold(
    scope: TenantScope, database: Database, hold_id: Id, reason: str, ring: Callable[[], None]
) -> Hold:
    """Let a held message be read again, or a held delivery be sent again under the same effect key.

    A message is read as a new revision, so that the facts it states count anew. A delivery starts
    its retry schedule from the beginning; its lane goes on.
    Raises: NotFound, AlreadyDecided.
    """
    async with begin(scope, database) as session:
        hold = await find_hold(session, scope, hold_id)
        release = _release_message if hold.delivery_id is None else _release_delivery
        await release(session, scope, hold)
        decision = Decision("released", "exceptions.release_hold", reason)
        decided = await close_hold(session, scope, hold, decision, {"reason": reason})
    ring()
    return decided


async def _release_message(session: Session, scope: TenantScope, hold: Hold) -> None:
    await take_message(session, scope, hold)
    await session.execute(
        "update message set state = 'received', revision = revision + 1, crash_count = 0, code = ''"
        " where tenant_id = $1 and id = $2",
        scope.tenant_id,
        hold.message_id,
    )


async def _release_delivery(session: Session, scope: TenantScope, hold: Hold) -> None:
    held = await take_delivery(session, scope, hold)
    # Its code stays until the next attempt writes another: the next worker can see from it whether
    # the last attempt ended without an answer.
    await session.execute(
        "update delivery set state = 'ready', attempt_count = 0, not_before = null"
        " where tenant_id = $1 and id = $2",
        scope.tenant_id,
        held.id,
    )
    await unblock_lane(session, scope, held, 0)
