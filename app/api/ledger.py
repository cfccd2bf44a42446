"""`GET /v1/ledger`: the books of one retailer, counted at the moment of the request."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.caller import LedgerReader
from app.api.shapes import Answer, Moment
from app.health.books import FATES, Balance
from app.health.ledger import LedgerLine, read_ledger
from infra import clock
from infra.errors import FieldError, Unprocessable

USUAL_RANGE = timedelta(hours=24)
LARGEST_RANGE = timedelta(days=31)

routes = APIRouter(tags=["ledger"])


class BalanceShape(Answer):
    """Of the accepted records: what became of each."""

    accepted: int = Field(description="Records for which an answer of acceptance was given.")
    delivered: int
    superseded: int
    skipped: int
    merged: int
    cancelled: int
    discarded: int
    held: int = Field(description="Records that wait for a person.")
    in_flight: int = Field(description="Records under way.")
    unaccounted: int = Field(description="Must be 0; anything else is an incident.")


class LedgerLineShape(BalanceShape):
    """One hour of one connection (accepted there) or of one flow (routed through it)."""

    kind: Literal["connection", "flow"]
    id: str
    name: str
    hour: datetime = Field(description="Begin of the hour, UTC.")


class LedgerShape(Answer):
    """The books of a time range; `total` sums the connections."""

    since: datetime
    until: datetime = Field(description="Excluded.")
    counted_at: datetime
    total: BalanceShape
    unaccounted: int = Field(description="Sum of all differences, none cancelling another.")
    lines: list[LedgerLineShape]


@routes.get("/v1/ledger", summary="Count the books")
async def get_ledger(
    caller: LedgerReader,
    since: Annotated[Moment | None, Query(description="Usually 24 hours before `until`.")] = None,
    until: Annotated[Moment | None, Query(description="Usually now; excluded.")] = None,
) -> LedgerShape:
    """Give for each hour what was accepted and what became of it; at most 31 days at once."""
    end = until or clock.now()
    begin = since or end - USUAL_RANGE
    _check_range(begin, end)
    ledger = await read_ledger(caller.scope, caller.parts.database, begin, end)
    return LedgerShape(
        since=ledger.since,
        until=ledger.until,
        counted_at=ledger.counted_at,
        total=BalanceShape(**counts_of(ledger.total)),
        unaccounted=ledger.unaccounted,
        lines=[_line(line) for line in ledger.lines],
    )


def counts_of(balance: Balance) -> dict[str, int]:
    """Give all numbers of a balance by name, fates that did not happen as 0."""
    return {
        "accepted": balance.accepted,
        **{fate: balance.fates.get(fate, 0) for fate in FATES},
        "held": balance.held,
        "in_flight": balance.in_flight,
        "unaccounted": balance.unaccounted,
    }


def _check_range(begin: datetime, end: datetime) -> None:
    if timedelta(0) < end - begin <= LARGEST_RANGE:
        return
    words = "`since` must be before `until`, by at most 31 days."
    raise Unprocessable(
        words,
        code="time.range_invalid",
        errors=(FieldError("/query/since", "time.range_invalid", words),),
    )


def _line(line: LedgerLine) -> LedgerLineShape:
    kind: Literal["connection", "flow"] = "flow" if line.kind == "flow" else "connection"
    return LedgerLineShape(
        kind=kind, id=str(line.id), name=line.name, hour=line.hour, **counts_of(line.balance)
    )
