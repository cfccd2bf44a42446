"""What shall hold at one place: steps of prices, beginning and end of promotions, stop-sales. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.retail.prices.book import Stored
from app.retail.prices.decide import Wanted
from app.retail.prices.targets import Target
from app.retail.prices.timeline import series_of, timeline
from app.retail.prices.versions import PriceVersion
from connectors.canonical.price import NotTransferable, Price, told_amount, wall_moment
from connectors.canonical.product import Product
from connectors.canonical.promotion import Promotion

# What a place is told of a price is at most this fine.
UNIT_PRICE = Decimal("0.000001")
RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class Told:
    """What a place is told in money; `words` say why it cannot be told."""

    amount: Decimal | None = None
    words: str = ""


def wanted_prices(versions: Sequence[Stored], target: Target) -> dict[str, list[Wanted]]:
    """Give the steps of one article at one place by series; moments without a price are left out."""
    offers = [
        PriceVersion(each.id, each.read(Price), each.withdrawn_at)
        for each in versions
        if each.state == "current"
    ]
    series = {found for each in offers if (found := series_of(each.price)) is not None}
    return {
        str(each): [
            Wanted(step.begins_at, step.version.id)
            for step in timeline(offers, each, target.as_place)
            if step.version is not None
        ]
        for each in series
    }


def wanted_promotion(versions: Sequence[Stored], target: Target) -> list[Wanted]:
    """Give when a promotion begins and ends at one place; nothing where it is not meant for it."""
    current = [each for each in versions if each.state == "current"]
    if not current:
        return []
    version, promotion = current[-1], current[-1].read(Promotion)
    if not _is_meant_for(promotion, target):
        return []
    starts = wall_moment(promotion.effective_from, target.zone)
    ends = wall_moment(promotion.effective_to, target.zone) if promotion.effective_to else None
    if version.withdrawn_at is not None:
        ends = min(ends, version.withdrawn_at) if ends else version.withdrawn_at
    if ends is not None and ends <= starts:
        return []
    wanted = [Wanted(starts, version.id)]
    if ends is not None:
        wanted.append(Wanted(ends, version.id, is_end=True))
    return wanted


def wanted_stop(versions: Sequence[Stored]) -> list[Wanted]:
    """Give when a product must not be sold any more, and when it may be again; the same everywhere."""
    wanted: list[Wanted] = []
    for each in sorted(versions, key=lambda one: (one.told_at, one.content_hash)):
        is_recalled = each.read(Product).status == RECALLED
        was_recalled = bool(wanted) and not wanted[-1].is_end
        if is_recalled != was_recalled:
            wanted.append(Wanted(each.told_at, each.id, is_end=not is_recalled))
    return wanted


def told_to(price: Price, target: Target) -> Told:
    """Give what a place is told of a price: its own currency, with or without tax as it takes it."""
    try:
        return Told(told_amount(price, target.destination).quantize(UNIT_PRICE))
    except NotTransferable as fault:
        return Told(words=str(fault))


def _is_meant_for(promotion: Promotion, target: Target) -> bool:
    eligible = promotion.eligibility
    names = {each.name for each in target.scopes}
    by_kind = {"store": eligible.stores, "channel": eligible.channels}
    other = {"store": eligible.channels, "channel": eligible.stores}
    listed = by_kind[target.kind]
    if not listed:
        # Named for the other kind of place only, it is not for this one.
        return not other[target.kind]
    return bool(names.intersection(listed))
