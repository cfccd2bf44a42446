"""One article as it stands: folded positions, orders that wait for it, what is kept for buyers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from app.retail.inventory.facts import AVAILABLE, UNPLACED, Documents, StockFact, is_account
from app.retail.inventory.fold import VIRTUAL, Fact, Movement, Place, State, fold
from app.retail.inventory.gather import Gathered, gather
from infra.ids import Id

# What a place sold in these days says how fast the article sells there.
VELOCITY_DAYS = 7
_SECONDS = VELOCITY_DAYS * 86_400


@dataclass(frozen=True, slots=True)
class Position:
    """What stands in one state at one location; times in UTC by business time.

    `negative_since`: since when more was sold than was on record.
    """

    location: str
    state: State
    quantity: Decimal
    as_of: datetime
    counted_at: datetime | None
    moved_at: datetime | None
    negative_since: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Goods kept for a buyer of a channel; '' where the whole pool of the channel serves it."""

    connection_id: Id
    location: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shelf:
    """One article: its positions by place, and what was gathered of it."""

    sku: str
    positions: dict[Place, Position]
    gathered: Gathered
    kept: tuple[Kept, ...] = ()

    def available(self, location: str) -> Decimal:
        """Give what can be sold at a location; negative where more was sold than was on record."""
        position = self.positions.get((location, AVAILABLE))
        return position.quantity if position is not None else Decimal(0)

    def locations(self) -> list[str]:
        """List the places of our own at which something is or was to be sold."""
        return [
            location
            for location, state in self.positions
            if state == AVAILABLE and not is_account(location)
        ]

    def uncertain_units(self, location: str) -> Decimal:
        """Give what may have been sold unseen, where the time of the last count is uncertain."""
        as_of, uncertainty_s = self.gathered.counted.get(location, (None, 0))
        if as_of is None or not uncertainty_s:
            return Decimal(0)
        since = as_of - timedelta(days=VELOCITY_DAYS)
        sold = sum(
            quantity
            for at, place, quantity in self.gathered.sold
            if place == location and since < at <= as_of
        )
        return Decimal(sold) * uncertainty_s / _SECONDS


@dataclass(slots=True)
class _Times:
    counted_at: datetime | None = None
    moved_at: datetime | None = None
    movements: list[Movement] = field(default_factory=list)


def shelf_of(
    sku: str, told: Sequence[StockFact], documents: Documents, kept: Sequence[Kept] = ()
) -> Shelf:
    """Fold all that was told of one article; the order of what is told does not matter."""
    gathered = gather(told, documents)
    folded = fold(gathered.facts)
    positions = {
        place: _position(place, folded.get(place, Decimal(0)), times)
        for place, times in sorted(_times(gathered.facts).items())
        if not _is_elsewhere(place)
    }
    return Shelf(sku, positions, gathered, tuple(kept))


def _is_elsewhere(place: Place) -> bool:
    location, state = place
    return (
        location in VIRTUAL or location == UNPLACED or (is_account(location) and state == AVAILABLE)
    )


def _times(facts: Sequence[Fact]) -> dict[Place, _Times]:
    """Give of every place when it was counted and moved last."""
    found: defaultdict[Place, _Times] = defaultdict(_Times)
    for fact in facts:
        if isinstance(fact, Movement):
            for place in (fact.from_place, fact.to_place):
                times = found[place]
                times.moved_at = max(times.moved_at or fact.occurred_at, fact.occurred_at)
                times.movements.append(fact)
        else:
            state = AVAILABLE if fact.state == "on_hand" else fact.state
            times = found[fact.location, state]
            times.counted_at = max(times.counted_at or fact.as_of, fact.as_of)
    return found


def _position(place: Place, quantity: Decimal, times: _Times) -> Position:
    known = [moment for moment in (times.counted_at, times.moved_at) if moment is not None]
    return Position(
        place[0],
        place[1],
        quantity,
        max(known),
        times.counted_at,
        times.moved_at,
        _negative_since(place, quantity, times) if quantity < 0 else None,
    )


def _negative_since(place: Place, quantity: Decimal, times: _Times) -> datetime:
    """Walk back from now to the movement that took the place below nothing."""
    base = times.counted_at
    after = [each for each in times.movements if base is None or each.occurred_at > base]
    for movement in sorted(after, key=lambda each: (each.occurred_at, each.id), reverse=True):
        sign = (movement.to_place == place) - (movement.from_place == place)
        quantity -= sign * movement.quantity
        if quantity >= 0:
            return movement.occurred_at
    return base or min(each.occurred_at for each in after)
