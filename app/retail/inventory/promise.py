"""What a channel may be shown: derived from what there is, never written back as truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal


@dataclass(frozen=True, slots=True)
class Stock:
    """What a location can give: `available` units, less what the rule keeps back there.

    `safety` is kept always; `unpicked_risk` is what walk-in customers may take before promised
    goods are picked. A location that went silent (`is_dark`) gives nothing.
    """

    available: Decimal
    safety: Decimal = Decimal(0)
    unpicked_risk: Decimal = Decimal(0)
    is_dark: bool = False


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """How much of its pool a channel may show.

    `share_0_1` of the pool; at least `publish_from` units or nothing at all; at most `publish_most`
    (None: no limit). `self_decrements`: the channel has taken its own new orders off already.
    """

    share_0_1: Decimal = Decimal(1)
    publish_from: int = 0
    publish_most: int | None = None
    self_decrements: bool = True


def promise(
    pool: Iterable[Stock], rule: ChannelRule, *, reserved: int = 0, in_flight: int = 0
) -> int:
    """Give how many whole units a channel may show; never negative.

    `reserved`: open reservations of this channel. `in_flight`: orders that the channel took and we
    know of but have not folded; subtracted only where its own counter has not done so.
    """
    return shown_units(free_units(pool), rule, reserved=reserved, in_flight=in_flight)


def free_units(pool: Iterable[Stock], taken: Decimal = Decimal(0)) -> Decimal:
    """Give what a pool has left; `taken` of it is spoken for without a place being known."""
    return max(Decimal(0), sum((_free(stock) for stock in pool), Decimal(0)) - taken)


def shown_units(free: Decimal, rule: ChannelRule, *, reserved: int = 0, in_flight: int = 0) -> int:
    """Give how many whole units of what is free a channel may show; never negative."""
    units = int((rule.share_0_1 * free).to_integral_value(ROUND_FLOOR)) - reserved
    if not rule.self_decrements:
        units -= in_flight
    units = max(0, units)
    if units < rule.publish_from:
        return 0
    return units if rule.publish_most is None else min(units, rule.publish_most)


def kit_units(components: Sequence[tuple[str, Decimal]], units: Mapping[str, Decimal]) -> int:
    """Give how many kits can be made: (SKU, quantity for one kit) against what there is of each."""
    if not components:
        return 0
    return min(
        max(0, int((units.get(sku, Decimal(0)) / quantity).to_integral_value(ROUND_FLOOR)))
        for sku, quantity in components
    )


def _free(stock: Stock) -> Decimal:
    if stock.is_dark:
        return Decimal(0)
    return max(Decimal(0), stock.available - stock.safety - stock.unpicked_risk)
