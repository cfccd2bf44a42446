"""`GET /v1/trace`: the life line of one order, ticket or article."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.caller import ExceptionReader
from app.api.shapes import Answer, id_or_none
from app.health.life_line import Entry, Kind
from app.health.trace import trace

routes = APIRouter(tags=["trace"])


class EntryShape(Answer):
    """One thing that happened."""

    at: datetime
    kind: Kind
    words: str
    message_id: str | None
    event_id: str | None
    delivery_id: str | None
    facts: dict[str, str | int | None] = Field(description="Its particulars by name.")


class TraceShape(Answer):
    """Everything known about a reference, oldest first; empty when nothing is."""

    reference: str
    traced_at: datetime
    is_cut: bool = Field(description="Older events were left out.")
    entries: list[EntryShape]


@routes.get("/v1/trace", summary="Trace an object")
async def get_trace(
    caller: ExceptionReader,
    reference: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
            description="An order number, article number or id.",
            examples=["#1001"],
        ),
    ],
) -> TraceShape:
    """Tell what happened to an object, by its id or the end of its name."""
    traced = await trace(caller.scope, caller.parts.database, reference)
    return TraceShape(
        reference=traced.reference,
        traced_at=traced.traced_at,
        is_cut=traced.is_cut,
        entries=[_shape(entry) for entry in traced.entries],
    )


def _shape(entry: Entry) -> EntryShape:
    return EntryShape(
        at=entry.at,
        kind=entry.kind,
        words=entry.words,
        message_id=id_or_none(entry.message_id),
        event_id=id_or_none(entry.event_id),
        delivery_id=id_or_none(entry.delivery_id),
        facts=dict(entry.facts),
    )
