"""Messages as they were received: list, one with its deliveries, and its raw body."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from app.api.caller import BodyReader, Caller, MessageReader
from app.api.deliveries import COLUMNS as DELIVERY_COLUMNS
from app.api.deliveries import DeliveryShape, delivery_of
from app.api.paging import LIMIT_USUAL, CursorText, Limit, page_of, read_cursor
from app.api.shapes import Answer, PositionShape, id_or_none, known_id, position_of
from app.intake.incoming import body_context
from infra.database.unit import Row, begin
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import record

_LIST = "messages"
_COLUMNS = (
    "id, connection_id, topic, dedup_label, state, fate, code, routes, open_routes, revision,"
    " size_bytes, file_id, position::text, received_at, prepared_at"
)
_DELIVERIES_SHOWN = 200

MessageState = Literal["received", "held", "prepared", "settled", "discarded", "cancelled"]

routes = APIRouter(tags=["messages"])


class MessageShape(Answer):
    """One raw message: when it came, from where, and how far it has got."""

    id: str
    connection_id: str
    topic: str = Field(description="The sender's word for what it is.")
    dedup_label: str = Field(description="The sender's own id of it, by which repeats are known.")
    state: MessageState
    fate: str = Field(description="What became of it: `routed`, `skipped`, `merged`, ... or empty.")
    code: str = Field(description="Why it is held or was skipped, as `area.reason`.")
    routes: int = Field(description="Deliveries it led to.")
    open_routes: int = Field(description="Of these, how many are not final yet.")
    revision: int = Field(description="How often a person released or edited it.")
    size_bytes: int
    file_id: str | None
    position: PositionShape | None = Field(description="Where it stood, when it came in a file.")
    received_at: datetime
    prepared_at: datetime | None


class MessagePage(Answer):
    """Messages, newest first."""

    items: list[MessageShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class MessageDetail(MessageShape):
    """One message with the deliveries it led to, oldest first, at most 200."""

    deliveries: list[DeliveryShape]


@routes.get("/v1/messages", summary="List messages")
async def list_messages(
    caller: MessageReader,
    state: MessageState | None = None,
    connection: Annotated[UUID | None, Query(description="Id of the source.")] = None,
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> MessagePage:
    """Give messages, newest first."""
    before = read_cursor(_LIST, cursor)
    async with begin(caller.scope, caller.parts.database) as session:
        rows = await session.fetch(
            f"select {_COLUMNS} from message where tenant_id = $1"  # noqa: S608 - our own names
            " and ($2::uuid is null or id < $2) and ($3::text is null or state = $3)"
            " and ($4::uuid is null or connection_id = $4) order by id desc limit $5",
            caller.scope.tenant_id,
            before,
            state,
            connection,
            limit + 1,
        )
    page, next_cursor = page_of(_LIST, rows, limit)
    return MessagePage(
        items=[MessageShape(**_values(row)) for row in page], next_cursor=next_cursor
    )


@routes.get("/v1/messages/{message_id}", summary="Read a message")
async def get_message(caller: MessageReader, message_id: str) -> MessageDetail:
    """Give what is known of a message, without its body."""
    known = known_id(message_id)
    async with begin(caller.scope, caller.parts.database) as session:
        row = await session.fetch_one(
            f"select {_COLUMNS} from message where tenant_id = $1 and id = $2",  # noqa: S608
            caller.scope.tenant_id,
            known,
        )
        if row is None:
            raise NotFound
        deliveries = await session.fetch(
            f"select {DELIVERY_COLUMNS} from delivery"  # noqa: S608 - our own names
            " where tenant_id = $1 and message_id = $2 order by id limit $3",
            caller.scope.tenant_id,
            known,
            _DELIVERIES_SHOWN,
        )
    return MessageDetail(**_values(row), deliveries=[delivery_of(each) for each in deliveries])


@routes.get(
    "/v1/messages/{message_id}/body",
    summary="Read a message's raw body",
    response_class=Response,
    responses={
        200: {
            "description": "The body exactly as it was received, or as a person last edited it.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def get_message_body(caller: BodyReader, message_id: str) -> Response:
    """Give the raw body in its newest revision; each reading stands in the audit log."""
    body = await _opened_body(caller, known_id(message_id))
    headers = {
        "cache-control": "no-store",
        "content-disposition": "attachment",
        "x-content-type-options": "nosniff",
    }
    return Response(body, media_type="application/octet-stream", headers=headers)


async def _opened_body(caller: Caller, message_id: Id) -> bytes:
    tenant_id = caller.scope.tenant_id
    async with begin(caller.scope, caller.parts.database) as session:
        row = await session.fetch_one(
            "select revision, sealed, period from message_body"
            " where tenant_id = $1 and message_id = $2 order by revision desc limit 1",
            tenant_id,
            message_id,
        )
        if row is None:
            raise NotFound
        key = await caller.parts.vault.of(tenant_id, row["period"], session)
        body = key.open(body_context(message_id, row["revision"]), row["sealed"])
        detail = {"revision": row["revision"]}
        await record(session, "messages.read_body", f"message:{message_id}", detail)
    return body


def _values(row: Row) -> dict[str, Any]:
    return {
        **dict(row),
        "id": str(row["id"]),
        "connection_id": str(row["connection_id"]),
        "file_id": id_or_none(row["file_id"]),
        "position": position_of(row["position"]),
    }
