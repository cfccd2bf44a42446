"""The installed flows of a retailer: which events go from which system to which other."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from app.api.caller import FlowReader
from app.api.shapes import Answer, known_id
from app.flows.routes import Ordering
from infra.database.unit import Row, begin
from infra.errors import NotFound

_COLUMNS = (
    "id, name, blueprint, source_connection_id, target_connection_id, event_types, action,"
    " ordering, class, settings::text, overrides::text, is_enabled,"
    " is_paused, pause_reason, version, created_at, updated_at"
)

routes = APIRouter(prefix="/v1/flows", tags=["flows"])


class FlowShape(Answer):
    """One installed flow."""

    id: str
    name: str
    blueprint: str
    source_connection_id: str
    target_connection_id: str
    event_types: list[str]
    action: str = Field(description="What the target is told to do.")
    ordering: Ordering
    priority: int = Field(
        description="0 orders and payments, 1 stock and fulfilment, 2 prices, 3 bulk.", ge=0, le=3
    )
    settings: dict[str, Any]
    overrides: list[dict[str, Any]] = Field(
        description="What the retailer changed of the mapping, in the order in which it is applied."
    )
    is_enabled: bool
    is_paused: bool = Field(description="Its events are accepted and kept, none is sent.")
    pause_reason: str
    version: int = Field(description="Rises by one with each change.")
    created_at: datetime
    updated_at: datetime


class FlowList(Answer):
    """All flows of the retailer, by name."""

    items: list[FlowShape]


@routes.get("", summary="List flows")
async def list_flows(caller: FlowReader) -> FlowList:
    """Give all flows of the retailer."""
    async with begin(caller.scope, caller.parts.database) as session:
        rows = await session.fetch(
            f"select {_COLUMNS} from flow where tenant_id = $1 order by name",  # noqa: S608
            caller.scope.tenant_id,
        )
    return FlowList(items=[_shape(row) for row in rows])


@routes.get("/{flow_id}", summary="Read a flow")
async def get_flow(caller: FlowReader, flow_id: str) -> FlowShape:
    """Give one flow."""
    async with begin(caller.scope, caller.parts.database) as session:
        row = await session.fetch_one(
            f"select {_COLUMNS} from flow where tenant_id = $1 and id = $2",  # noqa: S608
            caller.scope.tenant_id,
            known_id(flow_id),
        )
    if row is None:
        raise NotFound
    return _shape(row)


def _shape(row: Row) -> FlowShape:
    values: dict[str, Any] = dict(row)
    for name in ("id", "source_connection_id", "target_connection_id"):
        values[name] = str(row[name])
    values["settings"] = json.loads(row["settings"])
    values["overrides"] = json.loads(row["overrides"])
    values["priority"] = values.pop("class")
    return FlowShape(**values)
