"""Stock is folded by business time: any order of arrival and any repetition gives the same position.

on_hand(t) is the last count at or before t and every movement after that count, so a movement that
arrives late but happened before the count is inside it already, and an older count changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

State = Literal[
    "available", "committed", "reserved", "damaged", "quality_control", "safety_stock",
    "incoming", "in_transit",
]  # fmt: skip
# What stands on the shelf, in whatever state; `incoming` and `in_transit` do not.
ON_HAND: tuple[State, ...] = (
    "available", "committed", "reserved", "damaged", "quality_control", "safety_stock",
)  # fmt: skip
# Where goods come from and go to when they are at no place of the retailer.
VIRTUAL = frozenset({"supplier", "customer", "lost_found", "production", "drop", "in_transit"})
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)

Place = tuple[str, State]


@dataclass(frozen=True, slots=True)
class Movement:
    """Goods going from one place to another; `quantity` is positive, in the variant's base unit.

    `id` is the source's own: the same id is the same movement, however often it is told.
    """

    id: str
    quantity: Decimal
    from_place: Place
    to_place: Place
    occurred_at: datetime

    def __post_init__(self) -> None:
        if not self.quantity.is_finite() or self.quantity <= 0:
            raise ValueError("A movement moves more than nothing; the direction is in its places.")
        if self.from_place == self.to_place:
            raise ValueError("A movement goes from one place to another.")


@dataclass(frozen=True, slots=True)
class Count:
    """What was found at a moment: in one state, or `on_hand` over all states of a location."""

    id: str
    quantity: Decimal
    location: str
    state: State | Literal["on_hand"]
    as_of: datetime


Fact = Movement | Count
Positions = Mapping[Place, Decimal]


def fold(facts: Iterable[Fact], at: datetime | None = None) -> Positions:
    """Give the quantity at every place of one variant, as of `at` (all that is known when None).

    Facts may come in any order and any number of times. Two facts of one id that differ are an edit
    at the source: the one that sorts last counts, so that all who fold agree. Quantities may be
    negative: more was sold than was on record. Places at which nothing is are left out.
    """
    movements, counts = _sorted_out(facts, at)
    positions: defaultdict[Place, Decimal] = defaultdict(Decimal)
    based_at = _base(positions, movements, counts)
    for movement in movements:
        for place, sign in ((movement.from_place, -1), (movement.to_place, 1)):
            if movement.occurred_at > based_at.get(place, EARLIEST):
                positions[place] += sign * movement.quantity
    return {place: quantity for place, quantity in positions.items() if quantity}


def on_hand(positions: Positions, location: str) -> Decimal:
    """Sum up what stands at a location, in whatever state."""
    return sum((positions.get((location, state), Decimal(0)) for state in ON_HAND), Decimal(0))


def _sorted_out(facts: Iterable[Fact], at: datetime | None) -> tuple[list[Movement], list[Count]]:
    """Tell movements from counts, each once, oldest first."""
    movements: dict[str, Movement] = {}
    counts: dict[str, Count] = {}
    for fact in sorted(set(facts), key=_order):
        moment = fact.occurred_at if isinstance(fact, Movement) else fact.as_of
        if at is not None and moment > at:
            continue
        if isinstance(fact, Movement):
            movements[fact.id] = fact
        else:
            counts[fact.id] = fact
    return sorted(movements.values(), key=_order), sorted(counts.values(), key=_order)


def _order(fact: Fact) -> tuple[datetime, str, str]:
    moment = fact.occurred_at if isinstance(fact, Movement) else fact.as_of
    return (moment, fact.id, repr(fact))


def _base(
    positions: defaultdict[Place, Decimal], movements: list[Movement], counts: list[Count]
) -> dict[Place, datetime]:
    """Set each counted place to its last count; gives when each was counted.

    A count of everything at a location says nothing about the states: what is missing or too much
    against the other states as of that moment is put on `available`.
    """
    based_at: dict[Place, datetime] = {}
    for count in counts:
        if count.state != "on_hand":
            place: Place = (count.location, count.state)
            positions[place] = count.quantity
        else:
            place = (count.location, "available")
            others = [(count.location, state) for state in ON_HAND if state != "available"]
            positions[place] = count.quantity - sum(
                (_as_of(each, count.as_of, positions, movements, based_at) for each in others),
                Decimal(0),
            )
        based_at[place] = count.as_of
    return based_at


def _as_of(
    place: Place,
    moment: datetime,
    positions: Mapping[Place, Decimal],
    movements: list[Movement],
    based_at: Mapping[Place, datetime],
) -> Decimal:
    """Fold one place up to a moment, from its last count before."""
    quantity = positions.get(place, Decimal(0))
    since = based_at.get(place, EARLIEST)
    for movement in movements:
        if since < movement.occurred_at <= moment:
            quantity += movement.quantity * (
                (movement.to_place == place) - (movement.from_place == place)
            )
    return quantity
