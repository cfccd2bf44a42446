"""Which price holds at one place at every instant: steps, each until the next begins. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.retail.prices.versions import PriceVersion
from connectors.canonical.price import (
    Buying,
    Price,
    PriceKind,
    PriceScope,
    begins_at,
    effective_price,
    wall_moment,
)

# What is charged, by list; in each the first kind that holds counts. Others (a maker's advice, the
# lowest advertised price) are never charged.
LISTS: dict[str, tuple[PriceKind, ...]] = {
    "shelf": ("sale", "regular", "cost_plus"),
    "member": ("member",),
}
LIST_OF: dict[PriceKind, str] = {kind: name for name, kinds in LISTS.items() for kind in kinds}


@dataclass(frozen=True, slots=True)
class Place:
    """A place as prices see it: the clock on its wall, its money, the scopes it belongs to."""

    zone: str
    currency: str
    scopes: frozenset[PriceScope] = frozenset()


@dataclass(frozen=True, slots=True)
class Series:
    """What has one price at a time at one place: a list, from a least quantity on, in one unit."""

    list: str
    min_quantity: Decimal
    uom: str

    def __str__(self) -> str:
        """Write it as it is stored."""
        return f"{self.list}/{self.min_quantity.normalize():f}/{self.uom}"


@dataclass(frozen=True, slots=True)
class Step:
    """From `begins_at` (UTC) on this version holds; None: nothing does."""

    begins_at: datetime
    version: PriceVersion | None


def series_of(price: Price) -> Series | None:
    """Say to which series a price belongs; None for one that is never charged."""
    name = LIST_OF.get(price.kind)
    return Series(name, price.min_quantity, price.uom) if name else None


def timeline(versions: Iterable[PriceVersion], series: Series, place: Place) -> tuple[Step, ...]:
    """Give the steps of one article in one series at one place, oldest first.

    Takes:  the versions of one SKU that count, in any order.
    Rules:  at every instant `effective_price` decides, so there is one price or none; neighbours
            differ.
    """
    fitting = [
        each for each in versions if series_of(each.price) == series and _reaches(each.price, place)
    ]
    steps: list[Step] = []
    for at in _moments(fitting, place.zone):
        version = holding(fitting, series, place, at)
        if not steps or steps[-1].version != version:
            steps.append(Step(at, version))
    return tuple(steps)


def holding(
    versions: Sequence[PriceVersion], series: Series, place: Place, at: datetime
) -> PriceVersion | None:
    """Give the version that holds at a moment; None when none does."""
    buying = Buying(place.zone, place.currency, place.scopes, series.min_quantity, series.uom)
    offers = [
        each
        for each in versions
        if series_of(each.price) == series and (each.withdrawn_at is None or at < each.withdrawn_at)
    ]
    # The same id from two systems at the same moment: the lower one counts, whichever came first.
    offers.sort(key=lambda each: (each.price.amount, each.id))
    for kind in LISTS[series.list]:
        prices = [each.price for each in offers]
        found = effective_price(prices, prices[0].sku, kind, buying, at) if prices else None
        if found is not None:
            return next(each for each in offers if each.price is found)
    return None


def _reaches(price: Price, place: Place) -> bool:
    is_here = price.scope.kind == "tenant" or price.scope in place.scopes
    return is_here and price.currency == place.currency


def _moments(versions: Iterable[PriceVersion], zone: str) -> list[datetime]:
    """Give every moment at which something may change."""
    moments: set[datetime] = set()
    for each in versions:
        moments.add(begins_at(each.price, zone))
        if each.price.effective_to is not None:
            moments.add(wall_moment(each.price.effective_to, zone))
        if each.withdrawn_at is not None:
            moments.add(each.withdrawn_at)
    return sorted(moments)
