"""How the channels stand: exposure in units and money, what waits, what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from app.api.body import body_as, takes
from app.api.caller import ConnectionManager, ConnectionReader
from app.api.decisions import Reason
from app.api.shapes import Answer, MoneyShape, Request, known_id, money_of
from app.retail.publishing.exposure import ChannelState, read_channels, with_quota
from app.retail.publishing.release import release_refused
from infra.database.unit import begin

routes = APIRouter(prefix="/v1/channels", tags=["channels"])


class ChannelShape(Answer):
    """One channel that is told its stock."""

    connection_id: str
    name: str
    title: str
    words: str = Field(description="What a person has to know, in one sentence.")
    articles: int
    due: int = Field(description="Articles that wait to be told.")
    refused: int = Field(description="Articles that the channel does not take; see the breaks.")
    frozen: int = Field(description="Articles that a rule keeps as they are for now.")
    exposed_articles: int
    exposed_units: int = Field(description="Shown although they may not be sold.")
    exposed: list[MoneyShape] = Field(description="The money of these units, by currency.")
    oldest_at: datetime | None = Field(description="The earliest change that is not shown yet.")
    shown_at: datetime | None = Field(description="When the channel was last told anything.")
    limited_until: datetime | None = Field(description="Its quota holds exposed units until then.")
    held: str = Field(description="Why nothing is published to it at all; empty when it is.")


class ReleaseArticlesRequest(Request):
    """What is tried again, and why."""

    sku: str | None = Field(
        default=None, min_length=1, max_length=200, description="One article; all when left out."
    )
    reason: Reason = Field(description="Why; stands in the audit log.")


class ReleasedShape(Answer):
    """What came of it."""

    released: int = Field(description="Articles that are tried again.")


Asked = Annotated[ReleaseArticlesRequest, Depends(body_as(ReleaseArticlesRequest))]


@routes.get("", summary="List the channels with their exposure")
async def get_channels(caller: ConnectionReader) -> list[ChannelShape]:
    """Give every channel with what it shows too much of, in units and money."""
    async with begin(caller.scope, caller.parts.database) as session:
        states = await read_channels(session)
    book = caller.parts.files.connections
    booked = [await book.find(caller.scope.tenant_id, each.connection_id) for each in states]
    async with begin(caller.scope, caller.parts.database) as session:
        found = zip(states, booked, strict=True)
        return [_shape(await with_quota(session, state, connection)) for state, connection in found]


@routes.post(
    "/{connection_id}/release",
    summary="Tell a channel again what it refused",
    openapi_extra=takes(ReleaseArticlesRequest),
)
async def release_listings(
    caller: ConnectionManager, connection_id: str, asked: Asked
) -> ReleasedShape:
    """Let refused articles wait again, after their listing was mended at the channel."""
    known = known_id(connection_id)
    async with begin(caller.scope, caller.parts.database) as session:
        count = await release_refused(session, known, asked.sku, asked.reason)
    return ReleasedShape(released=count)


def _shape(state: ChannelState) -> ChannelShape:
    money = [money_of(each.amount, each.currency) for each in state.exposed]
    return ChannelShape(
        connection_id=str(state.connection_id),
        name=state.name,
        title=state.title,
        words=state.words,
        articles=state.articles,
        due=state.due,
        refused=state.refused,
        frozen=state.frozen,
        exposed_articles=state.exposed_articles,
        exposed_units=state.exposed_units,
        exposed=[each for each in money if each is not None],
        oldest_at=state.oldest_at,
        shown_at=state.shown_at,
        limited_until=state.limited_until,
        held=state.held,
    )
