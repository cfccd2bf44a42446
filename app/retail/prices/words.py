"""What one place is told: the event of an activation, addressed to its connection alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from app.retail.prices.book import Stored, SubjectName
from app.retail.prices.targets import Target
from connectors.canonical.event import PRICE_SET, PRODUCT_SET, PROMOTION_SET, Event
from connectors.canonical.money import Money
from connectors.canonical.price import Price, PriceScope
from connectors.canonical.product import Product
from connectors.canonical.promotion import Promotion
from infra.ids import Id


@dataclass(frozen=True, slots=True)
class Activation:
    """What begins at one place, as far as it has to be told."""

    id: Id
    target: Target
    subject: SubjectName
    item: str
    series: str
    begins_at: datetime
    version: Stored
    is_end: bool
    amount: Decimal | None
    revision: int


def event_of(activation: Activation) -> Event:
    """Write what one place is told.

    A price says: from this moment on it costs this, until another comes. Places that schedule have a
    lane for each moment, others one for each article, so that an old value never follows a new one.
    """
    return _EVENTS[activation.subject](activation)


def _price(activation: Activation) -> Event:
    target, price = activation.target, activation.version.read(Price)
    amount = price.amount if activation.amount is None else activation.amount
    body = msgspec.structs.replace(
        price,
        scope=PriceScope(kind=target.kind, name=target.place),
        amount=amount,
        currency=target.currency,
        tax_inclusive=target.is_tax_inclusive,
        effective_from=_wall(activation.begins_at, target.zone),
        effective_to=None,
        priority=0,
    )
    lane = f"price:{target.place}/{activation.item}/{activation.series}"
    return Event(
        type=PRICE_SET,
        key=f"{lane}@{_stamp(activation)}" if target.schedules_ahead else lane,
        object_id=_object_id(activation),
        version=_version(activation),
        label=f"Price of {activation.item} at {target.title}",
        occurred_at=activation.begins_at,
        amount=Money(amount=amount, currency=target.currency),
        to=str(target.connection_id),
        body=body,
    )


def _promotion(activation: Activation) -> Event:
    target, told = activation.target, activation.version.read(Promotion)
    ended = _wall(activation.begins_at, target.zone) if activation.is_end else told.effective_to
    return Event(
        type=PROMOTION_SET,
        key=f"promotion:{target.place}/{told.promotion_id}",
        object_id=_object_id(activation),
        version=_version(activation),
        label=f"{'End' if activation.is_end else 'Begin'} of {told.name} at {target.title}"[:200],
        occurred_at=activation.begins_at,
        to=str(target.connection_id),
        body=msgspec.structs.replace(told, effective_to=ended),
    )


def _product(activation: Activation) -> Event:
    target, product = activation.target, activation.version.read(Product)
    # What an article costs the retailer is told to no channel.
    variants = tuple(msgspec.structs.replace(each, cost=None) for each in product.variants)
    what = "Sale allowed again" if activation.is_end else "Stop sale"
    return Event(
        type=PRODUCT_SET,
        key=f"product:{target.place}/{product.product_id}",
        object_id=_object_id(activation),
        version=_version(activation),
        label=f"{what}: {product.title} at {target.title}"[:200],
        occurred_at=activation.begins_at,
        to=str(target.connection_id),
        body=msgspec.structs.replace(product, variants=variants),
    )


def _object_id(activation: Activation) -> str:
    return "/".join(
        part for part in (str(activation.target.id), activation.item, activation.series) if part
    )


def _version(activation: Activation) -> str:
    return f"{_stamp(activation)}.{activation.revision}"


def _stamp(activation: Activation) -> str:
    return f"{activation.begins_at:%Y%m%dT%H%M%S.%fZ}"


def _wall(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


_EVENTS = {"price": _price, "promotion": _promotion, "product": _product}
