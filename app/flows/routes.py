"""Where the events of a connection go: the enabled flows of one retailer, as the pipeline asks."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from app.connections.freshness import FreshMemory
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id

Ordering = Literal["strict", "latest_wins", "none"]


@dataclass(frozen=True, slots=True)
class Route:
    """One flow: which events of its source become which action at its target.

    What is routed to a flow that is switched off is stored and held, never lost. `class_` is the
    priority: 0 orders and payments, 1 stock and fulfilment, 2 prices, 3 bulk.
    """

    flow_id: Id
    source_connection_id: Id
    target_connection_id: Id
    event_types: frozenset[str]
    action: str
    ordering: Ordering
    class_: int
    settings: dict[str, Any]
    version: int = 1
    is_enabled: bool = True
    is_paused: bool = False
    # What the retailer changed of the mapping, in order; see app/flows/overrides.py.
    overrides: tuple[dict[str, Any], ...] = ()


Routes = dict[Id, tuple[Route, ...]]


class RouteBook:
    """Routes of each retailer in process memory, at most two seconds old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: FreshMemory[Id, Routes] = FreshMemory(self._read)

    async def routes(self, tenant_id: Id, *, not_before_s: float = -math.inf) -> Routes:
        """Give the routes by source connection, read not before a moment; sources without flows miss."""
        return await self._held.get(tenant_id, not_before_s=not_before_s)

    def forget(self, tenant_id: Id) -> None:
        """Drop the routes of one retailer after a change made by this process."""
        self._held.forget(tenant_id)

    async def _read(self, tenant_id: Id) -> Routes:
        async with begin(TenantScope(tenant_id), self._database) as session:
            return await read_routes(session, tenant_id)


async def read_routes(session: Session, tenant_id: Id) -> Routes:
    """Read the routes of a retailer, in the order their flows were made."""
    rows = await session.fetch(
        "select id, source_connection_id, target_connection_id, event_types, action, ordering,"
        " class, settings, version, is_enabled, is_paused, overrides from flow"
        " where tenant_id = $1 order by id",
        tenant_id,
    )
    routes: dict[Id, list[Route]] = defaultdict(list)
    for row in rows:
        routes[row["source_connection_id"]].append(_route(row))
    return {source: tuple(found) for source, found in routes.items()}


def by_flow(routes: Routes) -> dict[Id, Route]:
    """Give the same routes by flow, those switched off among them."""
    return {route.flow_id: route for found in routes.values() for route in found}


def _route(row: Row) -> Route:
    return Route(
        flow_id=row["id"],
        source_connection_id=row["source_connection_id"],
        target_connection_id=row["target_connection_id"],
        event_types=frozenset(row["event_types"]),
        action=row["action"],
        ordering=row["ordering"],
        class_=row["class"],
        settings=json.loads(row["settings"]),
        version=row["version"],
        is_enabled=row["is_enabled"],
        is_paused=row["is_paused"],
        overrides=tuple(json.loads(row["overrides"])),
    )
