"""Replays: ask for one, see what it promises, start, approve or cancel it, and fetch its receipt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from app.api.body import body_as, takes
from app.api.caller import Caller, ExceptionReader, ReplayApprover, ReplayRunner
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.replay_shapes import (
    PromiseName,
    ReplayItemPage,
    ReplayPage,
    ReplayReceiptPage,
    ReplayRequest,
    ReplayShape,
    item_shape,
    replay_shape,
)
from app.api.shapes import known_id
from app.exceptions.replay.create import create_replay
from app.exceptions.replay.read import ItemFilter, Replay, list_items, list_replays, read_replay
from app.exceptions.replay.receipt import all_items, receipt_csv
from app.exceptions.replay.start import approve_replay, cancel_replay, start_replay

_LIST = "replays"
_CSV = "text/csv"
_MAY_CONFLICT: dict[str, Any] = {"x-refusals": [409]}
# The last number that an item can have, and more than enough.
_NUMBER_MAX = 2**31 - 1

routes = APIRouter(prefix="/v1/replays", tags=["replays"])


@routes.post("", status_code=202, summary="Preview a replay", openapi_extra=takes(ReplayRequest))
async def preview_replay(
    caller: ReplayRunner,
    request: Annotated[ReplayRequest, Depends(body_as(ReplayRequest))],
) -> ReplayShape:
    """Choose records and say why. Nothing is sent: read it again until it is `previewed`."""
    made = await create_replay(
        caller.scope,
        caller.parts.database,
        request.selection,
        request.mapping,
        request.reason,
    )
    return replay_shape(made)


@routes.get("", summary="List replays")
async def list_all_replays(
    caller: ExceptionReader, limit: Limit = LIMIT_USUAL, cursor: CursorText = None
) -> ReplayPage:
    """Give replays, newest first."""
    before = read_cursor(_LIST, cursor)
    found = await list_replays(caller.scope, caller.parts.database, before, limit + 1)
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return ReplayPage(items=[replay_shape(each) for each in page], next_cursor=next_cursor)


@routes.get("/{replay_id}", summary="Read a replay")
async def get_replay(caller: ExceptionReader, replay_id: str) -> ReplayShape:
    """Give one replay with its progress, what it promises, and what happened."""
    return replay_shape(await _read(caller, replay_id))


@routes.get("/{replay_id}/items", summary="List the records of a replay")
async def list_replay_items(
    caller: ExceptionReader,
    replay_id: str,
    *,
    promised: PromiseName | None = None,
    difference: Annotated[
        bool, Query(description="Only those to which something else happened than promised.")
    ] = False,
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> ReplayItemPage:
    """Give its records in the order of acceptance."""
    replay = await _read(caller, replay_id)
    of_list = f"items of {replay.id}"
    after = min(_NUMBER_MAX, getattr(read_cursor(of_list, cursor), "int", 0))
    wanted = ItemFilter(promised, difference, after)
    found = await list_items(caller.scope, caller.parts.database, replay.id, wanted, limit + 1)
    page = found[:limit]
    more = len(found) > limit
    next_cursor = cursor_after(of_list, UUID(int=page[-1].number)) if more else None
    return ReplayItemPage(items=[item_shape(each) for each in page], next_cursor=next_cursor)


@routes.post("/{replay_id}/start", summary="Start a replay", openapi_extra=_MAY_CONFLICT)
async def start(caller: ReplayRunner, replay_id: str) -> ReplayShape:
    """Let it run, or wait for the second person it needs. Conflicts are left out."""
    return replay_shape(
        await start_replay(caller.scope, caller.parts.database, known_id(replay_id))
    )


@routes.post("/{replay_id}/approve", summary="Approve a replay", openapi_extra=_MAY_CONFLICT)
async def approve(caller: ReplayApprover, replay_id: str) -> ReplayShape:
    """Let it run, as somebody other than whoever asked for it or started it."""
    return replay_shape(
        await approve_replay(caller.scope, caller.parts.database, known_id(replay_id))
    )


@routes.post("/{replay_id}/cancel", summary="Cancel a replay", openapi_extra=_MAY_CONFLICT)
async def cancel(caller: ReplayRunner, replay_id: str) -> ReplayShape:
    """Stop what has not begun; what has begun goes on to its end, which the receipt tells."""
    return replay_shape(
        await cancel_replay(caller.scope, caller.parts.database, known_id(replay_id))
    )


@routes.get(
    "/{replay_id}/receipt",
    summary="Fetch the receipt",
    response_class=StreamingResponse,
    responses={
        200: {"model": ReplayReceiptPage, "content": {_CSV: {"schema": {"type": "string"}}}}
    },
)
async def get_receipt(
    caller: ExceptionReader,
    replay_id: str,
    file_format: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> StreamingResponse:
    """Give the replay with every record, as JSON or CSV; before its end with what is known."""
    replay = await _read(caller, replay_id)
    if file_format == "csv":
        lines = receipt_csv(caller.scope, caller.parts.database, replay.id)
        return StreamingResponse(lines, media_type=_CSV)
    return StreamingResponse(_as_json(caller, replay), media_type="application/json")


async def _as_json(caller: Caller, replay: Replay) -> AsyncIterator[str]:
    """Write the document piece by piece: it may have a hundred thousand records."""
    yield f'{{"replay":{replay_shape(replay).model_dump_json()},"items":['
    between = ""
    async for page in all_items(caller.scope, caller.parts.database, replay.id):
        yield between + ",".join(item_shape(item).model_dump_json() for item in page)
        between = ","
    yield "]}"


async def _read(caller: Caller, replay_id: str) -> Replay:
    return await read_replay(caller.scope, caller.parts.database, known_id(replay_id))
