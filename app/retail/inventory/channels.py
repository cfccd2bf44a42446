"""What each channel may show of an article, and which orders there are no goods for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.retail.inventory.commitments import OrderGoods
from app.retail.inventory.facts import DocumentKey, is_account
from app.retail.inventory.promise import ChannelRule, Stock, free_units, kit_units, shown_units
from app.retail.inventory.shelf import Shelf
from infra.ids import Id

NOTHING = Decimal(0)
# Components of a kit with the quantity for one kit.
Kit = Sequence[tuple[str, Decimal]]


@dataclass(frozen=True, slots=True)
class PoolRule:
    """What a channel may show, of one article or (sku '') of all others.

    `pool`: locations, empty for all places of our own. `safety_units` are kept back at each of them.
    """

    connection_id: Id
    sku: str
    pool: tuple[str, ...]
    safety_units: int
    shows: ChannelRule


@dataclass(frozen=True, slots=True)
class PlaceRule:
    """What is special about a place: it fell silent, or only one channel sells what is there."""

    is_dark: bool = False
    dark_keeps: int | None = None
    only_channel: Id | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one retailer: per channel and article, per place, and what kits are made of."""

    channels: Mapping[tuple[Id, str], PoolRule]
    places: Mapping[str, PlaceRule] = field(default_factory=dict)
    kits: Mapping[str, Kit] = field(default_factory=dict)

    def of(self, connection_id: Id, sku: str) -> PoolRule | None:
        """Give the rule that a channel has for an article; None when it does not show it."""
        found = self.channels.get((connection_id, sku))
        return found or self.channels.get((connection_id, ""))

    def showing(self, sku: str) -> list[PoolRule]:
        """List the rules by which channels show an article, one for each channel."""
        channels = sorted({connection_id for connection_id, named in self.channels if not named})
        own = {connection_id for connection_id, named in self.channels if named == sku}
        found = [self.of(each, sku) for each in sorted({*channels, *own})]
        return [rule for rule in found if rule is not None]


@dataclass(frozen=True, slots=True)
class Oversold:
    """An order for which there are no goods: how many units, and who took them."""

    connection_id: Id
    order_id: str
    units: Decimal
    cause: str


def units_shown(sku: str, rule: PoolRule, shelves: Mapping[str, Shelf], rules: Rules) -> int:
    """Give how many units of an article a channel may show; of a kit as many as can be made."""
    kit = rules.kits.get(sku)
    if kit is None:
        return shown_units(_free(sku, rule, shelves, rules), rule.shows)
    of_parts = {
        part: _free(part, rules.of(rule.connection_id, part) or rule, shelves, rules)
        for part, _ in kit
    }
    return shown_units(Decimal(kit_units(kit, of_parts)), rule.shows)


def oversold(shelf: Shelf, rules: Rules) -> list[Oversold]:
    """Name the orders that get nothing: who ordered last waits, goods that left are gone.

    Each order once, with the most units that are missing for it in any pool that serves it. Only of
    channels that have a rule, and where something was ever counted: else nobody says what there is.
    """
    missing: dict[DocumentKey, Decimal] = {}
    orders = {
        key: goods
        for key, goods in shelf.gathered.orders.items()
        if goods.open_units > 0 and rules.of(key[0], shelf.sku) is not None
    }
    counted = shelf.gathered.counted
    for location in shelf.locations():
        if location in counted:
            here = {key: goods for key, goods in orders.items() if goods.location == location}
            _spread(-shelf.available(location), here, missing)
    waiting = {key: goods for key, goods in orders.items() if is_account(goods.location)}
    for connection_id in sorted({key[0] for key in waiting}):
        pool = set(_pool(shelf, rules.of(connection_id, shelf.sku), connection_id, rules))
        if not pool & set(counted):
            continue
        near = _overlapping(shelf, pool, rules)
        supply = sum((max(NOTHING, shelf.available(each)) for each in pool), NOTHING)
        short = sum((_on_account(shelf, each, rules) for each in near), NOTHING) - supply
        _spread(short, {key: each for key, each in waiting.items() if key[0] in near}, missing)
    return [
        Oversold(key[0], key[1], units, _cause(shelf, key))
        for key, units in sorted(missing.items())
    ]


def _free(sku: str, rule: PoolRule, shelves: Mapping[str, Shelf], rules: Rules) -> Decimal:
    shelf = shelves.get(sku)
    if shelf is None:
        return NOTHING
    pool = _pool(shelf, rule, rule.connection_id, rules)
    taken = _spoken_for(shelf, set(pool), rules)
    return free_units((_stock(shelf, location, rule, rules) for location in pool), taken)


def _spoken_for(shelf: Shelf, pool: set[str], rules: Rules) -> Decimal:
    """Sum up what orders and buyers take from a pool without a place being known."""
    if not shelf.gathered.orders and not shelf.kept:
        return NOTHING
    near = _overlapping(shelf, pool, rules)
    taken = sum((_on_account(shelf, each, rules) for each in near), NOTHING)
    return taken + sum(
        (each.quantity for each in shelf.kept if not each.location and each.connection_id in near),
        NOTHING,
    )


def _stock(shelf: Shelf, location: str, rule: PoolRule, rules: Rules) -> Stock:
    place = rules.places.get(location, PlaceRule())
    kept = sum((each.quantity for each in shelf.kept if each.location == location), NOTHING)
    extra = (place.dark_keeps or 0) if place.is_dark else 0
    return Stock(
        shelf.available(location) - kept,
        Decimal(rule.safety_units + extra),
        shelf.uncertain_units(location),
        is_dark=place.is_dark and place.dark_keeps is None,
    )


def _pool(shelf: Shelf, rule: PoolRule | None, connection_id: Id, rules: Rules) -> list[str]:
    """Give the places that serve a channel; what only another channel sells is in no pool."""
    listed: Iterable[str] = rule.pool if rule is not None and rule.pool else shelf.locations()
    return [
        location
        for location in dict.fromkeys(listed)
        if rules.places.get(location, PlaceRule()).only_channel in {None, connection_id}
    ]


def _overlapping(shelf: Shelf, pool: set[str], rules: Rules) -> list[Id]:
    """Name the channels that are served from any of the same places."""
    known = {connection_id for connection_id, _ in rules.channels}
    known |= {key[0] for key in shelf.gathered.orders} | {each.connection_id for each in shelf.kept}
    return sorted(
        each for each in known if pool & set(_pool(shelf, rules.of(each, shelf.sku), each, rules))
    )


def _on_account(shelf: Shelf, connection_id: Id, rules: Rules) -> Decimal:
    """Sum up what a channel sold without a place being known.

    What left is counted until all places that may have sent it were counted afterwards: until then
    nobody knows which of them has less.
    """
    orders = [
        goods
        for key, goods in shelf.gathered.orders.items()
        if key[0] == connection_id and is_account(goods.location)
    ]
    if not orders:
        return NOTHING
    pool = _pool(shelf, rules.of(connection_id, shelf.sku), connection_id, rules)
    counted = [shelf.gathered.counted.get(location, (None, 0))[0] for location in pool]
    # None: some place was never counted, so nothing of what left is known to be gone anywhere.
    since = None if None in counted else min((each for each in counted if each), default=None)
    total = sum((goods.open_units for goods in orders), NOTHING)
    gone = [units for goods in orders for at, units in goods.left if since is None or at > since]
    return total + sum(gone, NOTHING)


def _spread(
    short: Decimal, orders: Mapping[DocumentKey, OrderGoods], missing: dict[DocumentKey, Decimal]
) -> None:
    """Let the last orders go without: who ordered first is served first."""
    newest = sorted(orders, key=lambda key: (orders[key].placed_at, key), reverse=True)
    for key in newest:
        units = min(short, orders[key].open_units)
        if units <= 0:
            continue
        short -= units
        missing[key] = max(missing.get(key, NOTHING), units)


def _cause(shelf: Shelf, key: DocumentKey) -> str:
    """Say who took the goods, as far as the book tells."""
    goods = shelf.gathered.orders[key]
    others = [each for each in shelf.gathered.orders if each[0] != key[0]]
    if any(shelf.gathered.orders[each].open_units for each in others):
        return "another_channel"
    counted = max((at for at, _ in shelf.gathered.counted.values()), default=None)
    if counted is not None and counted > goods.placed_at:
        return "count"
    if shelf.gathered.sold:
        return "store"
    return "stale_stock"
