"""What people were told: the list of alerts, with what did not arrive and why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.alert_caller import AlertReader
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.shapes import Answer, id_or_none
from app.health.alerts.listing import AlertEntry, AlertFilter, AlertState, list_alerts
from app.health.alerts.notice import AlertKind
from app.health.alerts.severity import NAMES, SeverityName

_LIST = "alerts"

routes = APIRouter(prefix="/v1/alerts", tags=["alerts"])


class AlertShape(Answer):
    """One alert to one channel."""

    id: str
    channel_id: str
    channel: str = Field(description="What the channel is called; empty when it was removed.")
    incident_id: str | None = Field(description="Null for a test, and for what tells of several.")
    kind: AlertKind
    severity: SeverityName
    state: AlertState = Field(
        description="pending; sent; joined or digested: told together with others by `told_by`;"
        " failed: not taken within 24 hours, or never; unneeded: what happened next made it so."
    )
    subject: str
    words: str = Field(description="What it says, one fact on each line.")
    told_by: str | None = Field(description="The alert that told it together with others.")
    due_at: datetime = Field(description="When it was, or will next be, sent.")
    tries: int
    last_problem: str = Field(description="Why it was not taken, or not needed.")
    created_at: datetime
    sent_at: datetime | None


class AlertPage(Answer):
    """Alerts, newest first."""

    items: list[AlertShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


@routes.get("", summary="List alerts", name="list_alerts")
async def get_alerts(
    caller: AlertReader,
    state: AlertState | Literal["any"] = "any",
    channel: Annotated[UUID | None, Query(description="Id of the channel.")] = None,
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> AlertPage:
    """Give what was told to the channels of a retailer or partner, newest first."""
    wanted = AlertFilter(None if state == "any" else state, channel, read_cursor(_LIST, cursor))
    found = await list_alerts(caller.scope, caller.parts.database, wanted, limit + 1)
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return AlertPage(items=[_shape(each) for each in page], next_cursor=next_cursor)


def _shape(entry: AlertEntry) -> AlertShape:
    values: dict[str, Any] = asdict(entry)
    values["severity"] = NAMES[entry.severity]
    for name in ("id", "channel_id", "incident_id", "told_by"):
        values[name] = id_or_none(values[name])
    return AlertShape(**values)
