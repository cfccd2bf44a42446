"""Pause a connection: nothing is sent to that system, what comes for it is kept in order."""

from __future__ import annotations

from app.connections.changes import Change, note_change
from app.connections.tenant import acting_tenant
from infra.clock import now
from infra.database.unit import Row, Session
from infra.errors import Conflict, NotFound
from infra.ids import Id, new_id
from tenants.audit import record

_ROW = (
    "select name, connector, state from connection"
    " where tenant_id = $1 and id = $2 for no key update"
)
_SET = "update connection set state = $3, updated_at = $4 where tenant_id = $1 and id = $2"
_BEGIN = (
    "insert into connection_outage (tenant_id, id, connection_id, kind, reason)"
    " values ($1, $2, $3, 'paused', $4)"
    " on conflict (tenant_id, connection_id, kind) where ended_at is null do nothing"
)
_END = (
    "update connection_outage set ended_at = now()"
    " where tenant_id = $1 and connection_id = $2 and kind = 'paused' and ended_at is null"
)


async def pause_connection(session: Session, connection_id: Id, reason: str) -> bool:
    """Take no more lanes for a connection; what is under way ends. False when it was paused already.

    Raises: NotFound; Conflict for a connection that is switched off.
    """
    row = await _locked(session, connection_id)
    if row["state"] == "paused":
        return False
    await session.execute(_BEGIN, acting_tenant(session), new_id(), connection_id, reason)
    await _set(session, connection_id, "paused")
    words = f"The connection {row['name']} was paused: {reason}"
    await _told(session, row, connection_id, words, "connections.pause_connection", reason)
    return True


async def resume_connection(session: Session, connection_id: Id, reason: str) -> bool:
    """Let a connection's lanes be taken again, as they were. False when it was not paused.

    Raises: NotFound; Conflict for a connection that is switched off.
    """
    row = await _locked(session, connection_id)
    if row["state"] == "active":
        return False
    await session.execute(_END, acting_tenant(session), connection_id)
    await _set(session, connection_id, "active")
    words = f"The connection {row['name']} was resumed: {reason}"
    await _told(session, row, connection_id, words, "connections.resume_connection", reason)
    return True


async def _locked(session: Session, connection_id: Id) -> Row:
    row = await session.fetch_one(_ROW, acting_tenant(session), connection_id)
    if row is None:
        raise NotFound
    if row["state"] == "disabled":
        raise Conflict(
            f"The connection {row['name']} is switched off. Switch it on in its configuration first.",
            code="connection.disabled",
        )
    return row


async def _set(session: Session, connection_id: Id, state: str) -> None:
    await session.execute(_SET, acting_tenant(session), connection_id, state, now())


async def _told(
    session: Session, row: Row, connection_id: Id, words: str, action: str, reason: str
) -> None:
    change = Change("connection", words, connector=row["connector"], connection_id=connection_id)
    await note_change(session, change)
    detail = {"name": row["name"], "reason": reason}
    await record(session, action, f"connection:{connection_id}", detail)
