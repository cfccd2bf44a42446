"""Who said what of an object, when, and under which version of the contract."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.caller import MessageReader
from app.api.decisions import CLEAN
from app.api.shapes import Answer
from app.ownership.facts import facts_of, stated_of
from infra.database.unit import begin
from tenants.roles import Permission

routes = APIRouter(prefix="/v1/facts", tags=["ownership"])

ObjectId = Annotated[str, Query(alias="object", min_length=1, max_length=500, pattern=CLEAN)]


class FactShape(Answer):
    """One event about an object: who said it, when, under which version of the contract."""

    event_id: str
    type: str
    object: str
    version: str
    label: str
    connection_id: str
    said_by: str
    contract: str
    occurred_at: datetime
    accepted_at: datetime
    revision: int = Field(description="How often a person changed or released it.")


class StatedShape(Answer):
    """What a system said last of one attribute that several say something about."""

    attribute: str
    place: str
    connection_id: str
    said_by: str
    value: str | None = Field(description="Null for a key that may not read payloads.")
    stated_at: datetime
    contract: str
    event_id: str
    times: int


class FactPage(Answer):
    """All that is known of who said what of one object, the newest first."""

    object: str
    facts: list[FactShape]
    stated: list[StatedShape]


_FACT = (
    *("type", "version", "label", "said_by", "contract", "occurred_at", "accepted_at"),
    "revision",
)
_STATED = ("attribute", "place", "said_by", "stated_at", "contract", "times")


@routes.get("", summary="Show who said what of an object")
async def show_facts(caller: MessageReader, object_id: ObjectId) -> FactPage:
    """Give what was said of an object, by its source's id or by our number of the article."""
    async with begin(caller.scope, caller.parts.database) as session:
        facts, stated = await facts_of(session, object_id), await stated_of(session, object_id)
    sees_values = caller.may(Permission.PAYLOADS_READ)
    return FactPage(
        object=object_id,
        facts=[
            FactShape(
                event_id=str(each.id),
                object=each.object_id,
                connection_id=str(each.connection_id),
                **{name: getattr(each, name) for name in _FACT},
            )
            for each in facts
        ],
        stated=[
            StatedShape(
                connection_id=str(each.connection_id),
                event_id=str(each.event_id),
                value=each.value if sees_values else None,
                **{name: getattr(each, name) for name in _STATED},
            )
            for each in stated
        ],
    )
