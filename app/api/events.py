"""`GET /v1/events/{event_id}`: one canonical event; its content only for those who may read it."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from app.api.caller import Caller, MessageReader
from app.api.shapes import Answer, MoneyShape, known_id, money_of
from infra.database.unit import Row, Session, begin
from infra.errors import NotFound
from tenants.audit import record
from tenants.roles import Permission

_COLUMNS = (
    "id, message_id, connection_id, type, contract, key, object_id, version, label, occurred_at,"
    " business_day, amount, currency, revision, accepted_at"
)

routes = APIRouter(tags=["events"])


class EventShape(Answer):
    """One business fact about one object."""

    id: str
    message_id: str
    connection_id: str
    type: str = Field(examples=["retail.order.placed.v1"])
    contract: str = Field(description="Shape and version of the content.")
    key: str = Field(description="Events of one key reach one target in order.")
    object_id: str = Field(description="The source's own id of the object.")
    version: str
    label: str
    occurred_at: datetime
    business_day: date | None
    amount: MoneyShape | None = Field(description="The money at stake.")
    revision: int = Field(description="0 as first read; higher after a correction.")
    accepted_at: datetime
    content: dict[str, Any] | None = Field(
        description="`head` and `body` of the event; null for a key without `payloads.read`."
        " Amounts are texts."
    )


@routes.get("/v1/events/{event_id}", summary="Read an event")
async def get_event(caller: MessageReader, event_id: str) -> EventShape:
    """Give an event; each reading of its content stands in the audit log."""
    async with begin(caller.scope, caller.parts.database) as session:
        row = await session.fetch_one(
            f"select {_COLUMNS}, sealed, period from event"  # noqa: S608 - our own names
            " where tenant_id = $1 and id = $2",
            caller.scope.tenant_id,
            known_id(event_id),
        )
        if row is None:
            raise NotFound
        may_read = caller.may(Permission.PAYLOADS_READ)
        content = await _content(session, caller, row) if may_read else None
    return _shape(row, content)


async def _content(session: Session, caller: Caller, row: Row) -> dict[str, Any]:
    key = await caller.parts.vault.of(caller.scope.tenant_id, row["period"], session)
    content: dict[str, Any] = json.loads(key.open(f"event|{row['id']}", row["sealed"]))
    await record(session, "events.read_content", f"event:{row['id']}", {})
    return content


def _shape(row: Row, content: dict[str, Any] | None) -> EventShape:
    left_out = {"sealed", "period", "amount", "currency"}
    values = {name: value for name, value in row.items() if name not in left_out}
    values |= {name: str(row[name]) for name in ("id", "message_id", "connection_id")}
    return EventShape(**values, amount=money_of(row["amount"], row["currency"]), content=content)
