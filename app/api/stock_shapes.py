"""Shapes of stock: positions, why an article does not move, rules, places, kits, conversions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from app.api.decisions import CLEAN
from app.api.shapes import Answer, Moment, Request, id_or_none
from app.retail.inventory.kits import Component
from app.retail.inventory.places import StockPlace
from app.retail.inventory.read import ChannelView, PositionRow, Why
from app.retail.inventory.rules import ChannelRuleRow

Sku = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=CLEAN)]
Location = Annotated[str, StringConstraints(max_length=200, pattern=CLEAN)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=CLEAN)]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6, examples=["1"])]
ONE = Decimal(1)


class PositionShape(Answer):
    """What stands in one state at one place."""

    sku: str
    location: str
    state: str
    quantity: str = Field(description="Exact, in the article's own unit; may be negative.")
    as_of: datetime
    counted_at: datetime | None
    moved_at: datetime | None
    negative_since: datetime | None = Field(
        description="Since when more was sold than was on record."
    )


class PositionPage(Answer):
    """Positions by article, place and state."""

    items: list[PositionShape]
    next_cursor: str | None


class ChannelViewShape(Answer):
    """What a channel may show of an article and what it shows."""

    channel: str
    target: int
    target_at: datetime
    shown: int | None
    shown_at: datetime | None
    state: str
    code: str
    tries: int
    next_try_at: datetime | None
    words: str


class WhyShape(Answer):
    """Why an article is where it is."""

    sku: str
    words: list[str] = Field(description="One reason each, the most pressing first.")
    last_told: str
    positions: list[PositionShape]
    channels: list[ChannelViewShape]
    reserved: str


class StockRuleRequest(Request):
    """What a channel may show: of one article, or (without `sku`) of all others."""

    sku: Annotated[str, StringConstraints(max_length=200, pattern=CLEAN)] = ""
    pool: list[Sku] = Field(default=[], max_length=2_000, description="Empty: all places.")
    share: Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)] = ONE
    safety_units: int = Field(default=0, ge=0, le=1_000_000, description="Kept at each place.")
    publish_from: int = Field(default=0, ge=0, le=1_000_000, description="Else nothing is shown.")
    publish_most: int | None = Field(default=None, ge=0, le=1_000_000_000)
    self_decrements: bool = True
    location: Location = Field(default="", description="What the channel calls its location.")
    frozen_until: Moment | None = None
    reason: Words = ""


class RuleShape(Answer):
    """A rule of a channel as it stands."""

    connection_id: str
    channel: str
    sku: str
    pool: list[str]
    share: str
    safety_units: int
    publish_from: int
    publish_most: int | None
    self_decrements: bool
    location: str
    frozen_until: datetime | None
    reason: str
    version: int
    changed_by: str
    changed_at: datetime


class RuleList(Answer):
    """Rules by channel and article."""

    items: list[RuleShape]


class PutRuleShape(Answer):
    """A rule that was set."""

    version: int
    articles: int = Field(description="How many articles are worked out again.")


class PlaceRequest(Request):
    """How a place is watched, and who sells what is there."""

    location: Sku
    heartbeat_s: int | None = Field(
        default=None, ge=1, le=31_536_000, description="Silent after twice this; null: never."
    )
    dark_keeps: int | None = Field(
        default=None, ge=0, le=1_000_000, description="While silent; null: all of it."
    )
    only_channel: str | None = Field(default=None, description="Id of the one connection.")


class PlaceShape(Answer):
    """A place as it stands."""

    location: str
    heartbeat_s: int | None
    heard_at: datetime | None
    dark_since: datetime | None
    dark_keeps: int | None
    only_channel: str | None


class PlaceList(Answer):
    """Places by name."""

    items: list[PlaceShape]


class PartRequest(Request):
    """One part of a kit."""

    sku: Sku
    quantity: Quantity


class KitRequest(Request):
    """What a kit is made of from a moment on; no parts: it is a kit no more."""

    kit_sku: Sku
    parts: list[PartRequest] = Field(max_length=200)
    valid_from: Moment | None = Field(default=None, description="Now when left out.")


class PartShape(Answer):
    """One part of a kit, and from when to when it is one."""

    sku: str
    quantity: str
    valid_from: datetime
    valid_to: datetime | None


class KitShape(Answer):
    """What a kit is and was made of, the present first."""

    kit_sku: str
    parts: list[PartShape]


class ConversionRequest(Request):
    """One `uom` of an article is `numerator`/`denominator` of its `base_uom`."""

    sku: Sku
    uom: Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=CLEAN)]
    base_uom: Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=CLEAN)]
    numerator: int = Field(ge=1, le=10**12)
    denominator: int = Field(default=1, ge=1, le=10**12)


class ConversionShape(Answer):
    """A conversion that was set."""

    sku: str
    uom: str
    factor: str


def position_shape(row: PositionRow) -> PositionShape:
    """Say one position."""
    return PositionShape(
        sku=row.sku,
        location=row.location,
        state=row.state,
        quantity=plain(row.quantity),
        as_of=row.as_of,
        counted_at=row.counted_at,
        moved_at=row.moved_at,
        negative_since=row.negative_since,
    )


def why_shape(why: Why) -> WhyShape:
    """Say why an article is where it is."""
    return WhyShape(
        sku=why.sku,
        words=list(why.words),
        last_told=why.last_told,
        positions=[position_shape(each) for each in why.positions],
        channels=[_channel(each) for each in why.channels],
        reserved=plain(why.reserved),
    )


def _channel(view: ChannelView) -> ChannelViewShape:
    return ChannelViewShape(
        channel=view.channel,
        target=view.target,
        target_at=view.target_at,
        shown=view.shown,
        shown_at=view.shown_at,
        state=view.state,
        code=view.code,
        tries=view.tries,
        next_try_at=view.next_try_at,
        words=view.words,
    )


def rule_shape(rule: ChannelRuleRow) -> RuleShape:
    """Say one rule."""
    return RuleShape(
        connection_id=str(rule.connection_id),
        channel=rule.channel,
        sku=rule.sku,
        pool=list(rule.pool),
        share=plain(rule.share_0_1),
        safety_units=rule.safety_units,
        publish_from=rule.publish_from,
        publish_most=rule.publish_most,
        self_decrements=rule.self_decrements,
        location=rule.location,
        frozen_until=rule.frozen_until,
        reason=rule.reason,
        version=rule.version,
        changed_by=rule.changed_by,
        changed_at=rule.changed_at,
    )


def place_shape(place: StockPlace) -> PlaceShape:
    """Say one place."""
    return PlaceShape(
        location=place.location,
        heartbeat_s=place.heartbeat_s,
        heard_at=place.heard_at,
        dark_since=place.dark_since,
        dark_keeps=place.dark_keeps,
        only_channel=id_or_none(place.only_channel),
    )


def kit_shape(kit_sku: str, parts: list[Component]) -> KitShape:
    """Say what a kit is made of."""
    return KitShape(
        kit_sku=kit_sku,
        parts=[
            PartShape(
                sku=each.sku,
                quantity=plain(each.quantity),
                valid_from=each.valid_from,
                valid_to=each.valid_to,
            )
            for each in parts
        ],
    )


def plain(quantity: Decimal) -> str:
    """Say a quantity without the zeros that only the column's scale added."""
    return f"{quantity.normalize() + 0:f}"
