"""Take a hold for a decision: of two people at once, one decides and the other is told so.

Locks in the order of the engine: lane, then delivery, hold, message; so that neither a worker nor a
second person can block a decision for good.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.exceptions.hold import Hold, HoldState, find_hold
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session
from infra.errors import Conflict
from infra.ids import Id
from tenants.audit import Detail, record


class AlreadyDecided(Conflict):
    """Somebody else was faster, or the hold went away by itself."""

    code = "hold.already_decided"

    def __init__(self) -> None:
        super().__init__("This was already decided. Read its present state.")


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided (the scope's actor) what about a hold, and why."""

    state: HoldState
    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class HeldDelivery:
    """The delivery behind a hold, its lane locked."""

    id: Id
    event_id: Id
    message_id: Id
    flow_id: Id
    connection_id: Id
    lane_hash: bytes


_DELIVERY = (
    "select id, event_id, message_id, flow_id, connection_id, lane_hash, state from delivery"
    " where tenant_id = $1 and id = $2"
)


async def take_message(session: Session, scope: TenantScope, hold: Hold) -> Row:
    """Lock a held message and its hold; gives the message's `revision`; raises AlreadyDecided."""
    row = await session.fetch_one(
        "select revision, state from message where tenant_id = $1 and id = $2 for update",
        scope.tenant_id,
        hold.message_id,
    )
    await _still_open(session, scope, hold)
    if row is None or row["state"] != "held":
        raise AlreadyDecided
    return row


async def take_delivery(session: Session, scope: TenantScope, hold: Hold) -> HeldDelivery:
    """Lock the lane of a held delivery, then the hold; raises AlreadyDecided."""
    row = await session.fetch_one(_DELIVERY, scope.tenant_id, hold.delivery_id)
    if row is None:
        raise AlreadyDecided
    await session.fetch_one(
        "select 1 from lane where tenant_id = $1 and connection_id = $2 and lane_hash = $3"
        " for update",
        scope.tenant_id,
        row["connection_id"],
        row["lane_hash"],
    )
    locked = await session.fetch_one(
        f"{_DELIVERY} for update",
        scope.tenant_id,
        hold.delivery_id,
    )
    await _still_open(session, scope, hold)
    if locked is None or locked["state"] != "held":
        raise AlreadyDecided
    return HeldDelivery(**{name: locked[name] for name in HeldDelivery.__slots__})


async def close_hold(
    session: Session, scope: TenantScope, hold: Hold, decision: Decision, detail: Detail
) -> Hold:
    """Write the decision on the hold and in the audit log; gives the hold as it is now.

    A message may be held for several reasons at once; a decision about it settles all of them.
    """
    await session.execute(
        "update hold set state = $3, reason = $4, decided_by = $5, decided_at = now()"
        " where tenant_id = $1 and state = 'open' and (id = $2"
        " or ($6 and message_id = $7 and delivery_id is null))",
        scope.tenant_id,
        hold.id,
        decision.state,
        decision.reason,
        scope.actor,
        hold.delivery_id is None,
        hold.message_id,
    )
    facts: Detail = {"message": str(hold.message_id), "code": hold.code, **detail}
    await record(session, decision.action, f"hold:{hold.id}", facts)
    return await find_hold(session, scope, hold.id)


async def unblock_lane(session: Session, scope: TenantScope, held: HeldDelivery, gone: int) -> None:
    """Let a lane go on; `gone` deliveries of it are final now. An empty lane rests."""
    await session.execute(
        "update lane set open_count = open_count - $4, blocked_by = null,"
        " ready_at = case when open_count = $4 then null"
        " when holder is not null then ready_at else now() end"
        " where tenant_id = $1 and connection_id = $2 and lane_hash = $3",
        scope.tenant_id,
        held.connection_id,
        held.lane_hash,
        gone,
    )


async def _still_open(session: Session, scope: TenantScope, hold: Hold) -> None:
    state = await session.fetch_value(
        "select state from hold where tenant_id = $1 and id = $2 for update",
        scope.tenant_id,
        hold.id,
    )
    if state != "open":
        raise AlreadyDecided
