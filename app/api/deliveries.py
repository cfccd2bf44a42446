"""Deliveries: one event on its way to one target, with every attempt that was made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.caller import DeliveryReader
from app.api.paging import LIMIT_USUAL, CursorText, Limit, page_of, read_cursor
from app.api.shapes import Answer, known_id
from app.deliveries.states import State
from infra.database.unit import Row, begin
from infra.errors import NotFound

_LIST = "deliveries"
_ATTEMPTS_SHOWN = 200
COLUMNS = (
    "id, event_id, message_id, flow_id, source_connection_id, connection_id, state, attempt_count,"
    " not_before, external_ref, code, words, replay_no, accepted_at, settled_at"
)
_IDS = ("id", "event_id", "message_id", "flow_id", "source_connection_id")

routes = APIRouter(tags=["deliveries"])


class DeliveryShape(Answer):
    """One event for one target through one flow."""

    id: str
    event_id: str
    message_id: str
    flow_id: str
    source_connection_id: str
    target_connection_id: str
    state: State
    attempt_count: int = Field(description="Attempts that count against the retry schedule.")
    not_before: datetime | None = Field(description="When the next attempt is due.")
    external_ref: str = Field(description="What the target calls it, once it is there.")
    code: str = Field(description="Why it waits or is held, as `area.reason`.")
    words: str = Field(description="The same in plain words.")
    replay_no: int
    accepted_at: datetime
    settled_at: datetime | None


class DeliveryPage(Answer):
    """Deliveries, newest first."""

    items: list[DeliveryShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class AttemptShape(Answer):
    """One call to the target."""

    id: str
    number: int
    started_at: datetime
    took_ms: int
    outcome: str
    status: int | None = Field(description="HTTP status of the target, when there was one.")
    code: str
    words: str


class DeliveryDetail(DeliveryShape):
    """One delivery with its attempts, oldest first, at most 200."""

    attempts: list[AttemptShape]


@routes.get("/v1/deliveries", summary="List deliveries")
async def list_deliveries(
    caller: DeliveryReader,
    state: State | None = None,
    flow: Annotated[UUID | None, Query(description="Id of the flow.")] = None,
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> DeliveryPage:
    """Give deliveries, newest first."""
    before = read_cursor(_LIST, cursor)
    async with begin(caller.scope, caller.parts.database) as session:
        rows = await session.fetch(
            f"select {COLUMNS} from delivery where tenant_id = $1"  # noqa: S608 - our own names
            " and ($2::uuid is null or id < $2) and ($3::text is null or state = $3)"
            " and ($4::uuid is null or flow_id = $4) order by id desc limit $5",
            caller.scope.tenant_id,
            before,
            state,
            flow,
            limit + 1,
        )
    page, next_cursor = page_of(_LIST, rows, limit)
    return DeliveryPage(items=[delivery_of(row) for row in page], next_cursor=next_cursor)


@routes.get("/v1/deliveries/{delivery_id}", summary="Read a delivery")
async def get_delivery(caller: DeliveryReader, delivery_id: str) -> DeliveryDetail:
    """Give a delivery with every attempt."""
    known = known_id(delivery_id)
    async with begin(caller.scope, caller.parts.database) as session:
        row = await session.fetch_one(
            f"select {COLUMNS} from delivery where tenant_id = $1 and id = $2",  # noqa: S608
            caller.scope.tenant_id,
            known,
        )
        if row is None:
            raise NotFound
        attempts = await session.fetch(
            "select id, number, started_at, took_ms, outcome, status, code, words from attempt"
            " where tenant_id = $1 and delivery_id = $2 order by id limit $3",
            caller.scope.tenant_id,
            known,
            _ATTEMPTS_SHOWN,
        )
    shown = [AttemptShape(**{**dict(each), "id": str(each["id"])}) for each in attempts]
    return DeliveryDetail(**_values(row), attempts=shown)


def delivery_of(row: Row) -> DeliveryShape:
    """Say one row (`COLUMNS`) as it is answered."""
    return DeliveryShape(**_values(row))


def _values(row: Row) -> dict[str, Any]:
    values = {**dict(row), **{name: str(row[name]) for name in _IDS}}
    values["target_connection_id"] = str(values.pop("connection_id"))
    return values
