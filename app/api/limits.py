"""What holds the calls to a system back: its budget, its breaker, its outages."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from app.api.caller import ConnectionManager, ConnectionReader
from app.api.shapes import Answer, known_id
from app.connections.breaker import BreakerState
from app.connections.limits import read_limits
from app.connections.outages import OutageKind
from app.connections.reconnect import make_reconnect_link
from infra.database.unit import begin
from infra.errors import NotFound

routes = APIRouter(prefix="/v1/connections", tags=["connections"])


class BudgetShape(Answer):
    """One budget of the connection's credential, shared by everything that uses it."""

    bucket: str = Field(description="The operations it is for; empty for all others.")
    rate_per_s: float = Field(
        description="What comes back per second, in calls or the vendor's points."
    )
    burst: float = Field(description="The most that is allowed at once.")
    tokens: float = Field(description="What is left now.")
    used_share_0_1: float = Field(description="Of the rate, in the last minute.")
    parallel: int = Field(description="Calls at one time, as found.")
    calls: int = Field(description="Since the budget was first used.")
    refused: int = Field(description="Of these, refused by the system for coming too fast.")
    paused_until: datetime | None = Field(description="The system asked for silence until then.")


class OutageShape(Answer):
    """A time in which nothing was sent."""

    kind: OutageKind
    reason: str
    began_at: datetime
    ended_at: datetime | None


class LimitsShape(Answer):
    """What holds calls back now, and held them back lately."""

    state: BreakerState
    closed_until: datetime | None = Field(description="Nothing is sent before.")
    reason: str
    changed_at: datetime | None
    budgets: list[BudgetShape]
    outages: list[OutageShape] = Field(description="The latest 50, newest first.")


class ReconnectLinkShape(Answer):
    """A link for the owner of the system; shown only now."""

    path: str = Field(
        description="Path on this host. Whoever has it can give a new credential, once."
    )
    expires_at: datetime


@routes.get("/{connection_id}/limits", summary="Read the limits of a connection")
async def get_limits(caller: ConnectionReader, connection_id: str) -> LimitsShape:
    """Give budgets, breaker and outages of one connection."""
    known = known_id(connection_id)
    booked = await caller.parts.files.connections.find(caller.scope.tenant_id, known)
    if booked is None:
        raise NotFound
    async with begin(caller.scope, caller.parts.database) as session:
        limits = await read_limits(session, booked)
    return LimitsShape(
        state=limits.health.state,
        closed_until=limits.health.closed_until,
        reason=limits.health.reason,
        changed_at=limits.health.changed_at,
        budgets=[
            BudgetShape(
                bucket=each.bucket,
                rate_per_s=round(each.rate_per_s, 4),
                burst=round(each.burst, 1),
                tokens=round(each.tokens, 1),
                used_share_0_1=round(each.used_share_0_1, 3),
                parallel=each.parallel,
                calls=each.calls,
                refused=each.refused,
                paused_until=each.paused_until,
            )
            for each in limits.budgets
        ],
        outages=[
            OutageShape(
                kind=each.kind,
                reason=each.reason,
                began_at=each.began_at,
                ended_at=each.ended_at,
            )
            for each in limits.outages
        ],
    )


@routes.post(
    "/{connection_id}/reconnect-link", status_code=201, summary="Make a link to give a credential"
)
async def post_reconnect_link(caller: ConnectionManager, connection_id: str) -> ReconnectLinkShape:
    """Make a link by which the owner of the system gives its new credential, without a key."""
    async with begin(caller.scope, caller.parts.database) as session:
        link = await make_reconnect_link(session, known_id(connection_id))
    return ReconnectLinkShape(path=link.path, expires_at=link.expires_at)
