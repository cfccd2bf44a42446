"""What the pages of connections show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.connections.breaker import BreakerState
from app.connections.directory import ConnectionConfig, read_connections
from app.connections.health import ConnectionHealth, read_health
from app.connections.limits import read_limits
from infra.database.unit import Session, begin
from infra.errors import NotFound
from infra.ids import Id
from portal.door.desk import Desk
from tenants.roles import Permission

# State of a connection and of its breaker -> tone, words.
BREAKER: dict[BreakerState, tuple[str, str]] = {
    "closed": ("ok", "works"),
    "open": ("bad", "does not answer"),
    "half_open": ("warn", "being tried again"),
    "authorization_lost": ("bad", "needs a new authorization"),
}
OUTAGES = {
    "open": "did not answer",
    "authorization_lost": "authorization lost",
    "paused": "paused by a person",
}
_WAITING = (
    "select connection_id, count(*) as waiting, min(accepted_at) as oldest_at from ("
    " select connection_id, accepted_at from delivery where tenant_id = $1 and is_open"
    " and state <> 'held' limit 20000) open group by 1"
)
_POLLS = (
    "select stream, every_s, next_at, last_run_at, last_problem from poll_cursor"
    " where tenant_id = $1 and connection_id = $2 order by stream"
)
_SECRETS = (
    "select distinct field from connection_secret where tenant_id = $1 and connection_id = $2"
    " order by field"
)
_CHANGES = (
    "select at, words, actor from change where tenant_id = $1 and connection_id = $2"
    " order by at desc limit 8"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One connection in the list; `waiting` counts what is to be sent there (at most 20,000)."""

    config: ConnectionConfig
    health: ConnectionHealth
    waiting: int
    oldest_at: datetime | None

    @property
    def name(self) -> str:
        """Give what people call it."""
        return self.config.title or self.config.name

    @property
    def state(self) -> tuple[str, str]:
        """Give tone and words."""
        if self.config.state == "paused":
            return "warn", "paused"
        if self.config.state == "disabled":
            return "mute", "switched off"
        return BREAKER[self.health.state]


async def listed(desk: Desk) -> dict[str, Any]:
    """Give all connections, those that do not work first."""
    async with begin(desk.scope, desk.parts.database) as session:
        lines = await _lines(session, desk.scope.tenant_id)
    order = {"bad": 0, "warn": 1, "mute": 2, "ok": 3}
    ranked = sorted(lines, key=lambda each: (order[each.state[0]], each.name))
    ill = sum(each.state[0] in ("bad", "warn") for each in lines)
    return {"lines": ranked, "ill": ill}


async def one(desk: Desk, connection_id: Id) -> dict[str, Any]:
    """Give one connection with its limits, outages, streams and latest changes."""
    tenant_id = desk.scope.tenant_id
    booked = await desk.parts.connections.find(tenant_id, connection_id)
    if booked is None:
        raise NotFound
    async with begin(desk.scope, desk.parts.database) as session:
        lines = await _lines(session, tenant_id)
        limits = await read_limits(session, booked)
        polls = await session.fetch(_POLLS, tenant_id, connection_id)
        secrets = await session.fetch(_SECRETS, tenant_id, connection_id)
        changes = await session.fetch(_CHANGES, tenant_id, connection_id)
    return {
        "line": next(each for each in lines if each.config.id == connection_id),
        "limits": limits,
        "polls": polls,
        "secrets": [row["field"] for row in secrets],
        "changes": changes,
        "outages": OUTAGES,
        "may_manage": desk.may(Permission.CONNECTIONS_MANAGE),
        "link": None,
    }


async def _lines(session: Session, tenant_id: Id) -> list[Line]:
    configs = await read_connections(session)
    waiting = {row["connection_id"]: row for row in await session.fetch(_WAITING, tenant_id)}
    return [
        Line(
            each,
            await read_health(session, tenant_id, each.id),
            waiting[each.id]["waiting"] if each.id in waiting else 0,
            waiting[each.id]["oldest_at"] if each.id in waiting else None,
        )
        for each in configs
    ]
