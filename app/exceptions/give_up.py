"""Give a held delivery up because a process decided what becomes of its object."""

from __future__ import annotations

from app.exceptions.claim import Decision
from app.exceptions.discard import ACTION
from app.exceptions.together import close_all, discard_all, take_all
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.ids import Id


async def give_up(session: Session, scope: TenantScope, hold_id: Id, reason: str) -> bool:
    """Discard one hold in the open transaction; False when somebody decided it meanwhile."""
    taken = await take_all(session, scope, [hold_id])
    if not taken.holds:
        return False
    await discard_all(session, scope, taken)
    await close_all(
        session, scope, taken, Decision("discarded", ACTION, reason), {"reason": reason}
    )
    return True
