"""Names that probably mean an object of the retailer: a person says which do."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.caller import ConnectionManager, ConnectionReader
from app.api.paging import LIMIT_USUAL, Limit
from app.api.shapes import Answer, known_id
from app.identities.bindings import Kind
from app.identities.review import accept_match, open_matches, reject_matches
from infra.database.unit import begin

routes = APIRouter(prefix="/v1/name-matches", tags=["names"])


class MatchShape(Answer):
    """A name and the object that it probably means."""

    id: str
    connection_id: str
    kind: Kind
    external_id: str
    object_id: str
    score: str
    reasons: list[str]


class MatchPage(Answer):
    """What waits for a person, the most probable first."""

    items: list[MatchShape]


class MatchAnswer(Answer):
    """What was decided."""

    id: str
    state: str


@routes.get("", summary="List probable names")
async def list_matches(
    caller: ConnectionReader,
    connection: Annotated[UUID, Query(description="Id of the connection.")],
    limit: Limit = LIMIT_USUAL,
) -> MatchPage:
    """Give what a person has to say about the names of a system."""
    async with begin(caller.scope, caller.parts.database) as session:
        found = await open_matches(session, connection, limit)
    return MatchPage(
        items=[
            MatchShape(
                id=str(each.id),
                connection_id=str(each.name.connection_id),
                kind=each.name.kind,
                external_id=each.name.external_id,
                object_id=str(each.candidate_id),
                score=str(each.score_0_1),
                reasons=list(each.reasons),
            )
            for each in found
        ]
    )


@routes.post("/{match_id}/accept", summary="Accept a probable name")
async def accept_one(caller: ConnectionManager, match_id: str) -> MatchAnswer:
    """Let the name mean the object; what waits for it goes on by itself within ten seconds."""
    async with begin(caller.scope, caller.parts.database) as session:
        await accept_match(session, known_id(match_id))
    return MatchAnswer(id=match_id, state="accepted")


@routes.post("/{match_id}/reject", summary="Reject a probable name")
async def reject_one(caller: ConnectionManager, match_id: str) -> MatchAnswer:
    """Say that the name does not mean the object; nobody is asked about the two again."""
    async with begin(caller.scope, caller.parts.database) as session:
        await reject_matches(session, [known_id(match_id)])
    return MatchAnswer(id=match_id, state="rejected")
