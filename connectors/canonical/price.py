"""Price: an amount for a variant in a scope, for a time that begins and ends on the scope's own clock.

A price says `2026-11-27T00:00` without a zone: it begins when the clock on the wall of each place in
its scope says so. So one price for all stores begins four times in four zones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from connectors.canonical.quantity import PIECE

PriceKind = Literal["regular", "sale", "member", "cost_plus", "msrp", "map"]
ScopeKind = Literal["tenant", "region", "store_group", "store", "channel", "customer_group"]
# The clock on the wall, without a zone.
WallTime = Annotated[datetime, msgspec.Meta(tz=False)]

# At the same priority the narrower scope counts.
NARROWNESS: dict[ScopeKind, int] = {
    "tenant": 0,
    "region": 1,
    "channel": 2,
    "store_group": 3,
    "store": 4,
    "customer_group": 5,
}


class PriceScope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where, or for whom, a price is; `name` is empty for the whole retailer."""

    kind: ScopeKind = "tenant"
    name: str = ""


EVERYWHERE = PriceScope()


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one unit of a variant costs; from `effective_from` until just before `effective_to`.

    A unit price may have up to six decimals. `approved_by` names who let it pass although it is below
    cost, below the lowest advertised price, or not below the regular one.
    """

    price_id: str
    sku: str
    kind: PriceKind = "regular"
    scope: PriceScope = EVERYWHERE
    amount: Decimal
    currency: str
    tax_inclusive: bool = False
    min_quantity: Decimal = Decimal(1)
    uom: str = PIECE
    effective_from: WallTime
    effective_to: WallTime | None = None
    priority: int = 0
    reason: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Buying:
    """Who buys where: the place's zone (IANA name), its scopes besides the retailer's, how much."""

    zone: str
    currency: str
    scopes: frozenset[PriceScope] = frozenset()
    quantity: Decimal = Decimal(1)
    uom: str = PIECE


@dataclass(frozen=True, slots=True)
class Destination:
    """What a channel or till takes: its currency, and whether its prices contain tax of which rate."""

    currency: str
    tax_inclusive: bool
    tax_rate: Decimal | None = None


class NotTransferable(ValueError):
    """A price that may not be told to a destination: it would mean something else there."""


def wall_moment(wall: datetime, zone: str) -> datetime:
    """Give the moment (UTC) at which the clock on a wall in this zone shows a time.

    Of a time that the clock shows twice the first counts; one that it skips lies after the gap.
    """
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def begins_at(price: Price, zone: str) -> datetime:
    """Give the moment (UTC) at which a price begins at a place in this zone."""
    return wall_moment(price.effective_from, zone)


def is_effective(price: Price, at: datetime, zone: str) -> bool:
    """Say whether a price holds at a moment (aware) at a place in this zone."""
    if at < begins_at(price, zone):
        return False
    return price.effective_to is None or at < wall_moment(price.effective_to, zone)


def effective_price(
    prices: Iterable[Price], sku: str, kind: PriceKind, buying: Buying, at: datetime
) -> Price | None:
    """Give the price of one kind that holds; None when there is none in that currency.

    The highest priority counts, then the narrower scope, then the greater least quantity, then the
    one that began last, then the greater id: the same for everybody who asks.
    """
    fitting = [
        price
        for price in prices
        if (price.sku, price.kind, price.currency) == (sku, kind, buying.currency)
        and (price.scope == EVERYWHERE or price.scope in buying.scopes)
        and price.uom == buying.uom
        and price.min_quantity <= buying.quantity
        and is_effective(price, at, buying.zone)
    ]
    return max(fitting, key=_standing, default=None)


def overlapping(prices: Sequence[Price]) -> list[tuple[Price, Price]]:
    """Find pairs that would hold at one time at one priority, for the same sale; earlier one first."""
    sales: dict[tuple[object, ...], list[Price]] = {}
    for price in sorted(prices, key=lambda price: (price.effective_from, price.price_id)):
        sales.setdefault(_sale(price), []).append(price)
    return [
        (price, later)
        for ordered in sales.values()
        for place, price in enumerate(ordered)
        for later in ordered[place + 1 :]
        if price.effective_to is None or later.effective_from < price.effective_to
    ]


def told_amount(price: Price, to: Destination) -> Decimal:
    """Give the amount to tell a destination, exact or with 28 digits; raises NotTransferable.

    Currencies are never exchanged, and tax is taken out or put in only by a rate that is known.
    """
    if price.currency != to.currency:
        words = f"{price.sku} has no price in {to.currency}; {price.currency} is not exchanged."
        raise NotTransferable(words)
    if price.tax_inclusive == to.tax_inclusive:
        return price.amount
    if to.tax_rate is None:
        words = f"The price of {price.sku} and its destination differ about tax; state the rate."
        raise NotTransferable(words)
    return (
        price.amount * (1 + to.tax_rate) if to.tax_inclusive else price.amount / (1 + to.tax_rate)
    )


def _standing(price: Price) -> tuple[int, int, Decimal, datetime, str]:
    narrow = NARROWNESS[price.scope.kind]
    return price.priority, narrow, price.min_quantity, price.effective_from, price.price_id


def _sale(price: Price) -> tuple[object, ...]:
    return (
        *(price.sku, price.kind, price.scope, price.currency),
        *(price.min_quantity, price.uom, price.priority),
    )
