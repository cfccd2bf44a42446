"""How prices, places and what became of them are answered and asked for."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.api.decisions import CLEAN, Reason
from app.api.shapes import Answer, MoneyShape, Request, money_of
from app.retail.prices.book import Stored, VersionState
from app.retail.prices.read import PlaceState, PriceAt, Propagation
from app.retail.prices.states import State
from app.retail.prices.targets import LEAD_USUAL_S, Target, TargetKind, WantedTarget

SCOPES_MAX = 100
LEAD_MAX_S = 2_592_000
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=CLEAN)]


class PriceAtShape(Answer):
    """What an article costs at one place at the moment asked for."""

    place: str = Field(description="Number of the store, or name of the shop.")
    connection: str
    series: str = Field(description="List, least quantity and unit: shelf/1/EA.")
    version_id: str = Field(description="The version that holds; see GET /v1/prices/{price_id}.")
    price_id: str = Field(description="What its source calls the price.")
    kind: str
    amount: MoneyShape | None = Field(description="Null when it cannot be told there; see words.")
    state: State | None = Field(description="How far the place has come; null: not planned.")
    begins_at: datetime | None
    ends_at: datetime | None
    words: str


class PricesAtPlaces(Answer):
    """What an article costs, place by place."""

    items: list[PriceAtShape]


class PlaceStateShape(Answer):
    """How far one place has come with a version."""

    place: str
    connection: str
    phone: str
    series: str
    is_end: bool = Field(description="True for the end of a promotion, or of a stop-sale.")
    state: State
    begins_at: datetime
    ends_at: datetime | None
    amount: MoneyShape | None
    sent_at: datetime | None
    accepted_at: datetime | None
    verified_at: datetime | None
    verified_by: str = Field(description="first_sale, or empty.")
    code: str
    words: str
    wrong_sales: int = Field(description="Lines sold at another price in its time.")
    leakage: MoneyShape | None = Field(description="Money lost by that so far; negative: gained.")


class PropagationShape(Answer):
    """One version of a price, promotion or recall, with every place it goes to."""

    id: str
    subject: str
    object_id: str
    item: str = Field(description="The SKU of a price, else the id of the promotion or product.")
    version: str
    state: VersionState
    told_at: datetime
    says: str = Field(description="The sentence for the person in charge.")
    approved_by: str
    expired_at: datetime | None = Field(description="When a person ended it everywhere.")
    body: dict[str, Any]
    places: list[PlaceStateShape]


class WaitingPriceShape(Answer):
    """A price that waits for approval."""

    id: str
    object_id: str
    item: str
    version: str
    told_at: datetime
    words: str = Field(description="Why it waits.")
    body: dict[str, Any]


class WaitingPrices(Answer):
    """What waits for approval, newest first."""

    items: list[WaitingPriceShape]


class PriceDecisionRequest(Request):
    """Approve a price, or end it."""

    reason: Reason = Field(description="Why; stands in the audit log.")


class PriceDecisionShape(Answer):
    """It is decided; places are told within seconds."""

    id: str
    is_decided: bool = True


class PriceTargetShape(Answer):
    """One place that takes prices."""

    id: str
    connection: str
    place: str
    kind: TargetKind
    scopes: list[str]
    zone: str
    currency: str
    is_tax_inclusive: bool
    tax_rate: str | None
    schedules_ahead: bool
    lead_s: int
    phone: str
    is_active: bool


class PriceTargets(Answer):
    """Places that take prices, by number."""

    items: list[PriceTargetShape]


class PriceTargetRequest(Request):
    """A place as it shall be; the same connection and place again changes it."""

    connection: Name = Field(description="Name of the connection that brings it prices.")
    place: Name = Field(description="Number of the store, or name of the shop.")
    kind: TargetKind = "store"
    scopes: list[Name] = Field(default=[], max_length=SCOPES_MAX, examples=[["region:west"]])
    zone: Name = Field(examples=["America/New_York"])
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    is_tax_inclusive: bool = False
    tax_rate: Decimal | None = Field(default=None, ge=0, le=1, examples=["0.19"])
    schedules_ahead: bool = Field(
        default=False, description="True when it takes prices ahead and begins them by itself."
    )
    lead_s: int = Field(default=LEAD_USUAL_S, ge=0, le=LEAD_MAX_S, description="How long ahead.")
    phone: str = Field(default="", max_length=50, pattern=CLEAN)
    is_active: bool = True


class SetTargetShape(Answer):
    """The place takes prices as wanted."""

    id: str


def price_at_shape(found: PriceAt) -> PriceAtShape:
    """Answer what holds at one place."""
    return PriceAtShape(
        place=found.place,
        connection=found.connection,
        series=found.series,
        version_id=str(found.version_id),
        price_id=found.price_id,
        kind=found.kind,
        amount=money_of(found.amount, found.currency),
        state=found.state,
        begins_at=found.begins_at,
        ends_at=found.ends_at,
        words=found.words,
    )


def propagation_shape(found: Propagation) -> PropagationShape:
    """Answer one version with its places."""
    version = found.version
    return PropagationShape(
        id=str(version.id),
        subject=found.subject,
        object_id=version.object_id,
        item=version.item,
        version=version.version,
        state=version.state,
        told_at=version.told_at,
        says=found.says,
        approved_by=version.approved_by,
        expired_at=version.withdrawn_at,
        body=json.loads(version.body),
        places=[_place(each) for each in found.places],
    )


def waiting_shape(version: Stored) -> WaitingPriceShape:
    """Answer one price that waits."""
    return WaitingPriceShape(
        id=str(version.id),
        object_id=version.object_id,
        item=version.item,
        version=version.version,
        told_at=version.told_at,
        words=version.words,
        body=json.loads(version.body),
    )


def target_shape(target: Target) -> PriceTargetShape:
    """Answer one place."""
    return PriceTargetShape(
        id=str(target.id),
        connection=target.connection,
        place=target.place,
        kind=target.kind,
        scopes=target.further_scopes,
        zone=target.zone,
        currency=target.currency,
        is_tax_inclusive=target.is_tax_inclusive,
        tax_rate=None if target.tax_rate is None else f"{target.tax_rate.normalize():f}",
        schedules_ahead=target.schedules_ahead,
        lead_s=target.lead_s,
        phone=target.phone,
        is_active=target.is_active,
    )


def wanted_of(request: PriceTargetRequest) -> WantedTarget:
    """Read what a place shall be."""
    values = request.model_dump()
    return WantedTarget(**{**values, "scopes": tuple(values["scopes"])})


def _place(state: PlaceState) -> PlaceStateShape:
    return PlaceStateShape(
        place=state.place,
        connection=state.connection,
        phone=state.phone,
        series=state.series,
        is_end=state.is_end,
        state=state.state,
        begins_at=state.begins_at,
        ends_at=state.ends_at,
        amount=money_of(state.amount, state.currency),
        sent_at=state.sent_at,
        accepted_at=state.accepted_at,
        verified_at=state.verified_at,
        verified_by=state.verified_by,
        code=state.code,
        words=state.words,
        wrong_sales=state.wrong_sales,
        leakage=money_of(state.leakage, state.currency),
    )
