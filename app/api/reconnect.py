"""The reconnect link: who owns a system gives its new credential here; the link itself is the key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field, SecretStr

from app.api.body import body_as, takes
from app.api.parts import ApiParts
from app.api.shapes import Answer
from app.api.shapes import Request as Body
from app.connections.reconnect import PREFIX, read_link, use_link

routes = APIRouter(prefix=PREFIX.rstrip("/"), tags=["connections"])

FIELDS_MAX = 10

Token = Annotated[str, Path(description="As the link says; good once, for seven days.")]


class AskedShape(Answer):
    """One credential that is asked for."""

    name: str
    words: str = Field(description="What it is.")


class LinkShape(Answer):
    """What a reconnect link asks for; no credential is shown."""

    retailer: str = Field(description="Whose system it is.")
    connection: str = Field(description="Which system.")
    fields: list[AskedShape]
    expires_at: datetime


class CredentialsRequest(Body):
    """The new credentials, by the names that were asked for."""

    credentials: dict[str, SecretStr] = Field(min_length=1, max_length=FIELDS_MAX)


class ReconnectedShape(Answer):
    """The credentials are stored; what waited for them goes on."""

    is_stored: bool = True


@routes.get("/{token}", summary="Read a reconnect link")
async def read_reconnect_link(request: Request, token: Token) -> LinkShape:
    """Say what the link asks for; a wrong, used or ended link is not found."""
    parts: ApiParts = request.app.state.parts
    asked = await read_link(token, parts.database)
    return LinkShape(
        retailer=asked.retailer,
        connection=asked.connection,
        fields=[AskedShape(name=field.name, words=field.words) for field in asked.fields],
        expires_at=asked.expires_at,
    )


@routes.post("/{token}", summary="Give new credentials", openapi_extra=takes(CredentialsRequest))
async def reconnect(
    request: Request,
    token: Token,
    given: Annotated[CredentialsRequest, Depends(body_as(CredentialsRequest))],
) -> ReconnectedShape:
    """Store the credentials, once; after a refusal the link stays good."""
    parts: ApiParts = request.app.state.parts
    await use_link(token, given.credentials, parts.database, parts.vault, parts.ring)
    return ReconnectedShape()
