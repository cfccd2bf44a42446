"""Reservations: goods kept for a buyer, answered at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field, StringConstraints

from app.api.body import body_as, takes
from app.api.caller import Caller, Reserver
from app.api.decisions import CLEAN
from app.api.shapes import Answer, Request, known_id
from app.api.stock_shapes import Location, Quantity, Sku, plain
from app.retail.inventory.reservations import (
    MOST_S,
    USUAL_S,
    Reservation,
    Wish,
    convert_reservation,
    note_paying,
    read_reservation,
    release_reservation,
    reserve,
)
from infra.database.unit import begin

routes = APIRouter(prefix="/v1", tags=["reservations"])

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=CLEAN)]


class ReserveRequest(Request):
    """What a buyer wants kept; the same `client_key` again is the same reservation."""

    connection_id: str = Field(description="Id of the channel that sells.")
    client_key: Name
    sku: Sku
    quantity: Quantity
    ttl_s: int = Field(default=USUAL_S, ge=60, le=MOST_S, description="Kept so long (seconds).")
    location: Location = Field(default="", description="Only from this place.")
    order_id: Annotated[str, StringConstraints(max_length=200, pattern=CLEAN)] = ""


class ConvertRequest(Request):
    """The order that takes what was kept."""

    order_id: Name


class ReservationShape(Answer):
    """Goods kept for a buyer, and what became of them."""

    id: str
    connection_id: str
    client_key: str
    sku: str
    location: str
    quantity: str
    order_id: str
    state: str = Field(description="held, converted, released or expired.")
    created_at: datetime
    expires_at: datetime
    paying_at: datetime | None
    ended_at: datetime | None


class ReservedShape(Answer):
    """Whether the goods are kept; if not, `left` says how many there are."""

    is_held: bool
    left: int = Field(description="What the channel could still have at that moment.")
    reservation: ReservationShape | None


@routes.post(
    "/reservations",
    summary="Reserve goods",
    openapi_extra=takes(ReserveRequest),
    responses={201: {"model": ReservedShape, "description": "The goods are kept."}},
)
async def make_reservation(
    caller: Reserver,
    response: Response,
    asked: Annotated[ReserveRequest, Depends(body_as(ReserveRequest))],
) -> ReservedShape:
    """Keep goods for a buyer (201), or say how many are left (200); a repeat is 200 as well."""
    wish = Wish(
        known_id(asked.connection_id),
        asked.client_key,
        asked.sku,
        asked.quantity,
        asked.ttl_s,
        asked.location,
        asked.order_id,
    )
    async with begin(caller.scope, caller.parts.database) as session:
        answer = await reserve(session, wish)
    kept = answer.reservation
    if kept is not None and answer.is_new:
        response.status_code = 201
        caller.parts.ring()
    return ReservedShape(
        is_held=kept is not None and kept.state == "held",
        left=answer.left,
        reservation=_shape(kept) if kept is not None else None,
    )


@routes.get("/reservations/{reservation_id}", summary="Read a reservation")
async def get_reservation(caller: Reserver, reservation_id: str) -> ReservationShape:
    """Give what is kept for a buyer, and until when."""
    async with begin(caller.scope, caller.parts.database) as session:
        return _shape(await read_reservation(session, known_id(reservation_id)))


@routes.post(
    "/reservations/{reservation_id}/convert",
    summary="Let an order take it",
    openapi_extra=takes(ConvertRequest),
)
async def convert(
    caller: Reserver,
    reservation_id: str,
    asked: Annotated[ConvertRequest, Depends(body_as(ConvertRequest))],
) -> ReservationShape:
    """Give what was kept to an order; it stays kept until the order itself is known."""
    known = known_id(reservation_id)
    async with begin(caller.scope, caller.parts.database) as session:
        ended = await convert_reservation(session, known, asked.order_id)
    return _rung(caller, ended)


@routes.post("/reservations/{reservation_id}/paying", summary="Say that the buyer is paying")
async def paying(caller: Reserver, reservation_id: str) -> ReservationShape:
    """Keep the goods 60 s beyond the end, so that a payment under way can finish."""
    async with begin(caller.scope, caller.parts.database) as session:
        noted = await note_paying(session, known_id(reservation_id))
    return _shape(noted)


@routes.post("/reservations/{reservation_id}/release", summary="Give it back")
async def release(caller: Reserver, reservation_id: str) -> ReservationShape:
    """Give back what was kept; twice is harmless."""
    async with begin(caller.scope, caller.parts.database) as session:
        ended = await release_reservation(session, known_id(reservation_id))
    return _rung(caller, ended)


def _rung(caller: Caller, ended: Reservation) -> ReservationShape:
    caller.parts.ring()
    return _shape(ended)


def _shape(kept: Reservation) -> ReservationShape:
    return ReservationShape(
        id=str(kept.id),
        connection_id=str(kept.connection_id),
        client_key=kept.client_key,
        sku=kept.sku,
        location=kept.location,
        quantity=plain(kept.quantity),
        order_id=kept.order_id,
        state=kept.state,
        created_at=kept.created_at,
        expires_at=kept.expires_at,
        paying_at=kept.paying_at,
        ended_at=kept.ended_at,
    )
