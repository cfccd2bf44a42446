"""Decide many holds in one transaction: release them, or give them up.

Rows are locked set by set in the order of the engine (lanes, deliveries, holds, messages), each set in
the order of its keys: neither a worker nor a second person can block a decision for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.exceptions.claim import AlreadyDecided, Decision
from app.exceptions.hold import Hold, find_holds
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import Detail, Line, record_many

_LANES = (
    "select 1 from lane where tenant_id = $1 and (connection_id, lane_hash) in"
    " (select connection_id, lane_hash from delivery where tenant_id = $1 and id = any($2))"
    " order by connection_id, lane_hash for update"
)
_DELIVERIES = (
    "select id, message_id, connection_id, lane_hash, state from delivery"
    " where tenant_id = $1 and id = any($2) order by id for update"
)
_MESSAGES = (
    "select id, state from message where tenant_id = $1 and id = any($2) order by id for update"
)
# `gone` deliveries of a lane are final now. An empty lane rests; a parked one is parked again by
# whoever takes it.
_UNBLOCK = (
    "update lane set open_count = open_count - mine.gone, blocked_by = null,"
    " ready_at = case when open_count = mine.gone then null"
    " when holder is not null then ready_at else now() end"
    " from unnest($2::uuid[], $3::bytea[], $4::int[]) as mine (connection_id, lane_hash, gone)"
    " where lane.tenant_id = $1 and lane.connection_id = mine.connection_id"
    " and lane.lane_hash = mine.lane_hash"
)
# Decided from the row alone, as when the engine settles a message's last delivery.
_CLOSE_ROUTES = (
    "update message set open_routes = open_routes - mine.gone,"
    " state = case when open_routes = mine.gone and state = 'prepared' then 'settled' else state end"
    " from unnest($2::uuid[], $3::int[]) as mine (id, gone)"
    " where message.tenant_id = $1 and message.id = mine.id"
)
# A message may be held for several reasons at once; a decision about it settles all of them.
_CLOSE_HOLDS = (
    "update hold set state = $2, reason = $3, decided_by = $4, decided_at = now()"
    " where tenant_id = $1 and state = 'open'"
    " and (id = any($5) or (delivery_id is null and message_id = any($6)))"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """Holds locked for a decision, and those that cannot be decided any more."""

    holds: tuple[Hold, ...]
    deliveries: tuple[Row, ...]
    decided: tuple[Id, ...] = ()
    missing: tuple[Id, ...] = ()
    messages: tuple[Id, ...] = field(default=())

    def one(self) -> Hold:
        """Give the only hold that was asked for; raises NotFound, AlreadyDecided."""
        if self.missing:
            raise NotFound
        if self.decided:
            raise AlreadyDecided
        return self.holds[0]


async def take_all(session: Session, scope: TenantScope, ids: Sequence[Id]) -> Taken:
    """Lock holds with what they hold; of two people at once one gets each of them."""
    known = await find_holds(session, scope, ids)
    delivery_ids = sorted(hold.delivery_id for hold in known if hold.delivery_id is not None)
    await session.fetch(_LANES, scope.tenant_id, delivery_ids)
    deliveries = await session.fetch(_DELIVERIES, scope.tenant_id, delivery_ids)
    locked = await find_holds(session, scope, ids, are_locked=True)
    # Of deliveries too: their messages count their routes.
    message_ids = sorted({hold.message_id for hold in locked})
    messages = await session.fetch(_MESSAGES, scope.tenant_id, message_ids)
    held = {row["id"] for row in (*deliveries, *messages) if row["state"] == "held"}
    open_holds = tuple(
        hold
        for hold in locked
        if hold.state == "open" and (hold.delivery_id or hold.message_id) in held
    )
    chosen = {hold.id for hold in open_holds}
    of_open = {hold.delivery_id for hold in open_holds}
    return Taken(
        open_holds,
        tuple(row for row in deliveries if row["id"] in of_open),
        tuple(hold.id for hold in locked if hold.id not in chosen),
        tuple(sorted(set(ids) - {hold.id for hold in locked})),
        tuple(sorted({hold.message_id for hold in open_holds if hold.delivery_id is None})),
    )


async def release_all(session: Session, scope: TenantScope, taken: Taken) -> None:
    """Let messages be read again and deliveries be sent again under their old keys.

    A message is read as a new revision, so that the facts it states count anew. A delivery starts its
    retry schedule from the beginning; its code stays until the next attempt writes another: the next
    worker can see from it whether the last attempt ended without an answer.
    """
    await session.execute(
        "update message set state = 'received', revision = revision + 1, crash_count = 0, code = ''"
        " where tenant_id = $1 and id = any($2)",
        scope.tenant_id,
        list(taken.messages),
    )
    await session.execute(
        "update delivery set state = 'ready', attempt_count = 0, not_before = null"
        " where tenant_id = $1 and id = any($2)",
        scope.tenant_id,
        [row["id"] for row in taken.deliveries],
    )
    await _unblock(session, scope, taken, are_gone=False)


async def discard_all(session: Session, scope: TenantScope, taken: Taken) -> None:
    """Give up messages and deliveries; what waits behind them goes on. Cannot be undone."""
    await session.execute(
        "update message set state = 'discarded', fate = 'discarded'"
        " where tenant_id = $1 and id = any($2)",
        scope.tenant_id,
        list(taken.messages),
    )
    await session.execute(
        "update delivery set state = 'discarded', settled_at = now()"
        " where tenant_id = $1 and id = any($2)",
        scope.tenant_id,
        [row["id"] for row in taken.deliveries],
    )
    await _unblock(session, scope, taken, are_gone=True)
    routes = Counter(row["message_id"] for row in taken.deliveries)
    await session.execute(
        _CLOSE_ROUTES, scope.tenant_id, list(routes.keys()), list(routes.values())
    )


async def close_all(
    session: Session, scope: TenantScope, taken: Taken, decision: Decision, detail: Detail
) -> None:
    """Write the decision on all holds, and one line of the audit log for each (last of all)."""
    await session.execute(
        _CLOSE_HOLDS,
        scope.tenant_id,
        decision.state,
        decision.reason,
        scope.actor,
        [hold.id for hold in taken.holds],
        list(taken.messages),
    )
    lines = [
        Line(
            decision.action,
            f"hold:{hold.id}",
            {"message": str(hold.message_id), "code": hold.code, **detail},
        )
        for hold in taken.holds
    ]
    await record_many(session, lines)


async def _unblock(session: Session, scope: TenantScope, taken: Taken, *, are_gone: bool) -> None:
    lanes = Counter((row["connection_id"], row["lane_hash"]) for row in taken.deliveries)
    await session.execute(
        _UNBLOCK,
        scope.tenant_id,
        [connection_id for connection_id, _ in lanes],
        [lane_hash for _, lane_hash in lanes],
        [count if are_gone else 0 for count in lanes.values()],
    )
