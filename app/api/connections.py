"""The systems of a retailer as configured, and how they are; never a credential."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from app.api.caller import ConnectionReader
from app.api.shapes import Answer, known_id
from app.connections.breaker import BreakerState
from app.connections.directory import (
    ConnectionConfig,
    ConnectionState,
    read_connection,
    read_connections,
)
from app.connections.health import read_health
from infra.database.unit import Session, begin
from infra.errors import NotFound
from infra.ids import Id

routes = APIRouter(prefix="/v1/connections", tags=["connections"])


class ConnectionShape(Answer):
    """One system of the retailer."""

    id: str
    name: str
    connector: str = Field(description="The software it is.")
    title: str
    state: ConnectionState


class ConnectionList(Answer):
    """All connections of the retailer, by name."""

    items: list[ConnectionShape]


class HealthShape(Answer):
    """What the engine learned about a connection as a target."""

    state: BreakerState
    closed_until: datetime | None = Field(description="Nothing is sent before.")
    reason: str
    changed_at: datetime | None
    last_success_at: datetime | None


class PollShape(Answer):
    """One stream that is asked for regularly."""

    stream: str
    every_s: float
    next_at: datetime
    last_run_at: datetime | None
    last_problem: str


class ConnectionDetail(ConnectionShape):
    """One system with its settings; of credentials only which ones are stored."""

    settings: dict[str, Any]
    credentials: list[str] = Field(description="Names of the stored credentials, never values.")
    health: HealthShape
    polls: list[PollShape]


@routes.get("", summary="List connections")
async def list_connections(caller: ConnectionReader) -> ConnectionList:
    """Give all connections of the retailer."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await read_connections(session)
    return ConnectionList(items=[ConnectionShape(**_values(each)) for each in found])


@routes.get("/{connection_id}", summary="Read a connection")
async def get_connection(caller: ConnectionReader, connection_id: str) -> ConnectionDetail:
    """Give one connection with its settings and health."""
    known = known_id(connection_id)
    tenant_id = caller.scope.tenant_id
    async with begin(caller.scope, caller.parts.database) as session:
        config = await read_connection(session, known)
        if config is None:
            raise NotFound
        health = await read_health(session, tenant_id, known)
        polls = await _polls(session, tenant_id, known)
        stored = await session.fetch(
            "select distinct field from connection_secret"
            " where tenant_id = $1 and connection_id = $2 order by field",
            tenant_id,
            known,
        )
    return ConnectionDetail(
        **_values(config),
        settings=config.settings,
        credentials=[row["field"] for row in stored],
        health=HealthShape(
            state=health.state,
            closed_until=health.closed_until,
            reason=health.reason,
            changed_at=health.changed_at,
            last_success_at=health.last_success_at,
        ),
        polls=polls,
    )


async def _polls(session: Session, tenant_id: Id, connection_id: Id) -> list[PollShape]:
    rows = await session.fetch(
        "select stream, every_s, next_at, last_run_at, last_problem from poll_cursor"
        " where tenant_id = $1 and connection_id = $2 order by stream",
        tenant_id,
        connection_id,
    )
    return [PollShape(**dict(row)) for row in rows]


def _values(config: ConnectionConfig) -> dict[str, Any]:
    return {
        "id": str(config.id),
        "name": config.name,
        "connector": config.connector,
        "title": config.title,
        "state": config.state,
    }
