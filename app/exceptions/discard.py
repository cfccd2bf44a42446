"""Discard what is held: it reaches nobody, and the books say that a person decided so."""

from __future__ import annotations

from collections.abc import Callable

from app.exceptions.claim import Decision, close_hold, take_delivery, take_message, unblock_lane
from app.exceptions.hold import Hold, find_hold
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id


async def discard_hold(
    scope: TenantScope, database: Database, hold_id: Id, reason: str, ring: Callable[[], None]
) -> Hold:
    """Give up a held message, or a held delivery to one target; what waits behind it goes on.

    Cannot be undone. Raises NotFound, AlreadyDecided.
    """
    async with begin(scope, database) as session:
        hold = await find_hold(session, scope, hold_id)
        discard = _discard_message if hold.delivery_id is None else _discard_delivery
        await discard(session, scope, hold)
        decision = Decision("discarded", "exceptions.discard_hold", reason)
        decided = await close_hold(session, scope, hold, decision, {"reason": reason})
    ring()
    return decided


async def _discard_message(session: Session, scope: TenantScope, hold: Hold) -> None:
    await take_message(session, scope, hold)
    await session.execute(
        "update message set state = 'discarded', fate = 'discarded'"
        " where tenant_id = $1 and id = $2",
        scope.tenant_id,
        hold.message_id,
    )


async def _discard_delivery(session: Session, scope: TenantScope, hold: Hold) -> None:
    held = await take_delivery(session, scope, hold)
    await session.execute(
        "update delivery set state = 'discarded', settled_at = now()"
        " where tenant_id = $1 and id = $2",
        scope.tenant_id,
        held.id,
    )
    await unblock_lane(session, scope, held, 1)
    # Decided from the row alone, as when the engine settles a message's last delivery.
    await session.execute(
        "update message set open_routes = open_routes - 1,"
        " state = case when open_routes = 1 and state = 'prepared' then 'settled' else state end"
        " where tenant_id = $1 and id = $2",
        scope.tenant_id,
        held.message_id,
    )
