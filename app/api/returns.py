"""Returns: where each stands and whose turn it is; start one, tell what was seen, answer a question."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.body import body_as, takes
from app.api.caller import ExceptionDecider, ExceptionReader, FlowManager, FlowReader, Sender
from app.api.paging import LIMIT_USUAL, CursorText, Limit, cursor_after, read_cursor
from app.api.return_requests import (
    AnswerReturnRequest,
    ReturnTermsRequest,
    StartReturnRequest,
    TellReturnRequest,
)
from app.api.return_shapes import (
    ReturnBacklogList,
    ReturnDetail,
    ReturnPage,
    ReturnTermsShape,
    backlog_shape,
    return_detail,
    return_shape,
    terms_shape,
)
from app.api.shapes import known_id
from app.retail.returns.backlog import read_backlog
from app.retail.returns.decide import decide
from app.retail.returns.listing import ReturnFilter, WaitsFor, list_returns
from app.retail.returns.read import read_return
from app.retail.returns.start import start_return
from app.retail.returns.steps import StepId
from app.retail.returns.tell_by_hand import tell_by_hand
from app.retail.returns.terms import read_terms, set_terms
from infra import clock

_LIST = "returns"

routes = APIRouter(prefix="/v1", tags=["returns"])


@routes.get("/returns", summary="List returns")
async def list_all_returns(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    caller: ExceptionReader,
    state: Annotated[str, Query(pattern="^(open|any)$")] = "open",
    step: StepId | None = None,
    turn: Annotated[WaitsFor | None, Query(description="Whose turn it is.")] = None,
    stuck: Annotated[bool | None, Query(description="Only stuck ones, or only others.")] = None,
    older_than_days: Annotated[int | None, Query(ge=0, le=3650)] = None,
    order_id: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = LIMIT_USUAL,
    cursor: CursorText = None,
) -> ReturnPage:
    """Give returns, newest first; `state=any` also those that are over."""
    age = None if older_than_days is None else clock.now() - timedelta(days=older_than_days)
    wanted = ReturnFilter(
        only_open=state == "open",
        step=step or "",
        waits_for=turn or "",
        is_stuck=stuck,
        opened_before=age,
        order_id=order_id,
        before=read_cursor(_LIST, cursor),
    )
    found = await list_returns(
        caller.scope, caller.parts.database, wanted=wanted, limit=limit + 1, newest_first=True
    )
    page = found[:limit]
    next_cursor = cursor_after(_LIST, page[-1].id) if len(found) > limit else None
    return ReturnPage(items=[return_shape(each) for each in page], next_cursor=next_cursor)


@routes.get("/return-backlog", summary="Read the backlog of returns")
async def get_return_backlog(caller: ExceptionReader) -> ReturnBacklogList:
    """Count open returns by step and age, with their money."""
    found = await read_backlog(caller.scope, caller.parts.database)
    return ReturnBacklogList(items=[backlog_shape(each) for each in found])


@routes.get("/return-terms", summary="Read the terms of returns")
async def get_return_terms(caller: FlowReader) -> ReturnTermsShape:
    """Give the terms, and the steps that the retailer's own systems do without being asked."""
    return terms_shape(await read_terms(caller.scope, caller.parts.database))


@routes.put(
    "/return-terms", summary="Set the terms of returns", openapi_extra=takes(ReturnTermsRequest)
)
async def put_return_terms(
    caller: FlowManager,
    request: Annotated[ReturnTermsRequest, Depends(body_as(ReturnTermsRequest))],
) -> ReturnTermsShape:
    """Set the terms; returns that are under way keep theirs."""
    return terms_shape(await set_terms(caller.scope, caller.parts.database, request.as_terms()))


@routes.post(
    "/returns", summary="Start a return", status_code=201, openapi_extra=takes(StartReturnRequest)
)
async def post_return(
    caller: Sender,
    request: Annotated[StartReturnRequest, Depends(body_as(StartReturnRequest))],
) -> ReturnDetail:
    """Begin a return in a store or by a portal; the same id twice is one return."""
    parts = caller.parts
    return_id = await start_return(caller.scope, parts.database, parts.vault, request.as_return())
    parts.ring()
    return return_detail(await read_return(caller.scope, parts.database, return_id))


@routes.get("/returns/{return_id}", summary="Read a return")
async def get_return(caller: ExceptionReader, return_id: str) -> ReturnDetail:
    """Give one return with its steps in words, its money by tender, its facts and its questions."""
    view = await read_return(caller.scope, caller.parts.database, known_id(return_id))
    return return_detail(view)


@routes.post(
    "/returns/{return_id}/facts",
    summary="Tell what was seen",
    openapi_extra=takes(TellReturnRequest),
)
async def post_return_fact(
    caller: ExceptionDecider,
    return_id: str,
    request: Annotated[TellReturnRequest, Depends(body_as(TellReturnRequest))],
) -> ReturnDetail:
    """Tell what a person saw: goods, how they look, money. Stands in the audit log."""
    database, known = caller.parts.database, known_id(return_id)
    await tell_by_hand(caller.scope, database, known, request.as_fact())
    return return_detail(await read_return(caller.scope, database, known))


@routes.post(
    "/returns/{return_id}/answer",
    summary="Answer a question of a return",
    openapi_extra=takes(AnswerReturnRequest),
)
async def post_return_answer(
    caller: ExceptionDecider,
    return_id: str,
    request: Annotated[AnswerReturnRequest, Depends(body_as(AnswerReturnRequest))],
) -> ReturnDetail:
    """Answer what a return asks; it goes on at once. Stands in the audit log."""
    database, known = caller.parts.database, known_id(return_id)
    asked = (request.question, request.subject)
    await decide(caller.scope, database, known, asked, request.choice, request.remark)
    return return_detail(await read_return(caller.scope, database, known))
