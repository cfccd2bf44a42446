"""The state of connections that all workers share: breaker, lost authorization, last success.

Every move is decided from the locked row it changes, so that workers who see the same moment
cannot both win.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.connections.breaker import MOVES, PROBE_FIRST_S, BreakerState, Event, next_probe_s
from app.connections.outages import begin_outage, end_outages
from app.connections.waking import wake_all_lanes, wake_one_lane
from infra.clock import now
from infra.database.unit import Row, Session
from infra.ids import Id

# A prober that dies leaves its turn to the next after this time: longer than any lease.
PROBE_LEASE = timedelta(seconds=60)
# One look an hour whether somebody renewed the authorization at the other side.
AUTHORIZATION_PROBE = timedelta(hours=1)
# The first failures came before the breaker opened, and sent their lanes to rest.
RESTED_BEFORE = timedelta(minutes=5)

_SELECT = (
    "select state, closed_until, probe_s, reason, changed_at, last_success_at"
    " from connection_health where tenant_id = $1 and connection_id = $2"
)


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """What workers know of a connection; nothing is sent before `closed_until` (UTC)."""

    state: BreakerState = "closed"
    closed_until: datetime | None = None
    probe_s: float = PROBE_FIRST_S
    reason: str = ""
    changed_at: datetime | None = None
    last_success_at: datetime | None = None


async def read_health(session: Session, tenant_id: Id, connection_id: Id) -> ConnectionHealth:
    """Read the state of one connection; one never written is closed and healthy."""
    row = await session.fetch_one(_SELECT, tenant_id, connection_id)
    return _health(row) if row else ConnectionHealth()


async def open_breaker(session: Session, tenant_id: Id, connection_id: Id, reason: str) -> bool:
    """Stop all calls for 15 seconds; False when they were stopped already."""
    await _ensure_row(session, tenant_id, connection_id)
    until = now() + timedelta(seconds=PROBE_FIRST_S)
    if not await _move(session, (tenant_id, connection_id), "tripped", _Rest(until, reason)):
        return False
    await begin_outage(session, tenant_id, connection_id, "open", reason)
    await wake_one_lane(session, tenant_id, connection_id, until)
    return True


async def take_probe(session: Session, tenant_id: Id, connection_id: Id) -> bool:
    """Win the right to one trial call; False when it is too early or another worker has it."""
    health = await _locked(session, tenant_id, connection_id)
    if health.closed_until is None or health.closed_until > now():
        return False
    rest = _Rest(now() + PROBE_LEASE, health.reason, health.probe_s)
    return await _move(session, (tenant_id, connection_id), "probe_due", rest)


async def fail_probe(session: Session, tenant_id: Id, connection_id: Id, reason: str) -> bool:
    """Stay closed for twice the last pause; False when no probe was running."""
    health = await _locked(session, tenant_id, connection_id)
    probe_s = next_probe_s(health.probe_s)
    until = now() + timedelta(seconds=probe_s)
    rest = _Rest(until, reason, probe_s)
    if not await _move(session, (tenant_id, connection_id), "probe_failed", rest):
        return False
    # Another trouble than a lost authorization, if it was one: the target is not there at all.
    await end_outages(session, tenant_id, connection_id, ("authorization_lost",))
    await begin_outage(session, tenant_id, connection_id, "open", reason)
    await wake_one_lane(session, tenant_id, connection_id, until)
    return True


async def close_breaker(session: Session, tenant_id: Id, connection_id: Id) -> datetime | None:
    """Let calls go again after a probe worked; None when no probe was running.

    Gives since when lanes were sent to rest; the caller wakes them (`waking.wake_lanes`), in
    transactions of their own.
    """
    if not await _move(session, (tenant_id, connection_id), "probe_worked", _Rest()):
        return None
    began_at = await end_outages(session, tenant_id, connection_id)
    return (began_at or now()) - RESTED_BEFORE


async def lose_authorization(
    session: Session, tenant_id: Id, connection_id: Id, reason: str
) -> bool:
    """Stop all calls until new credentials come or an hourly look works; True for who says it first."""
    await _ensure_row(session, tenant_id, connection_id)
    until = now() + AUTHORIZATION_PROBE
    if not await _move(session, (tenant_id, connection_id), "denied", _Rest(until, reason)):
        return False
    await end_outages(session, tenant_id, connection_id, ("open",))
    await begin_outage(session, tenant_id, connection_id, "authorization_lost", reason)
    await wake_one_lane(session, tenant_id, connection_id, until)
    return True


async def restore_authorization(session: Session, tenant_id: Id, connection_id: Id) -> bool:
    """Let calls go again after credentials were renewed; False when authorization was not lost."""
    is_restored = await _move(session, (tenant_id, connection_id), "admitted", _Rest())
    if is_restored:
        began_at = await end_outages(session, tenant_id, connection_id)
        since = (began_at or now()) - RESTED_BEFORE
        await wake_all_lanes(session, tenant_id, connection_id, since)
    return is_restored


async def note_success(session: Session, tenant_id: Id, connection_id: Id) -> None:
    """Remember when the connection last worked; callers do so once a minute, not for each call."""
    await session.execute(
        "insert into connection_health (tenant_id, connection_id, last_success_at)"
        " values ($1, $2, $3) on conflict (tenant_id, connection_id)"
        " do update set last_success_at = $3",
        tenant_id,
        connection_id,
        now(),
    )


@dataclass(frozen=True, slots=True)
class _Rest:
    """Until when nothing is sent, why, and the pause before the next probe."""

    until: datetime | None = None
    reason: str = ""
    probe_s: float = PROBE_FIRST_S


async def _ensure_row(session: Session, tenant_id: Id, connection_id: Id) -> None:
    await session.execute(
        "insert into connection_health (tenant_id, connection_id) values ($1, $2)"
        " on conflict do nothing",
        tenant_id,
        connection_id,
    )


async def _locked(session: Session, tenant_id: Id, connection_id: Id) -> ConnectionHealth:
    row = await session.fetch_one(f"{_SELECT} for update", tenant_id, connection_id)
    return _health(row) if row else ConnectionHealth()


async def _move(session: Session, key: tuple[Id, Id], event: Event, rest: _Rest) -> bool:
    """Make one move of the table; False when the row is in a state that this event does not move."""
    before, after = MOVES[event]
    touched = await session.execute(
        "update connection_health set state = $4, closed_until = $5, probe_s = $6, reason = $7,"
        " changed_at = $8 where tenant_id = $1 and connection_id = $2 and state = any($3)",
        *key,
        sorted(before),
        after,
        rest.until,
        rest.probe_s,
        rest.reason,
        now(),
    )
    return touched > 0


def _health(row: Row) -> ConnectionHealth:
    return ConnectionHealth(
        state=row["state"],
        closed_until=row["closed_until"],
        probe_s=row["probe_s"],
        reason=row["reason"],
        changed_at=row["changed_at"],
        last_success_at=row["last_success_at"],
    )
