"""What systems tell about stock: goods that moved, goods that were counted, goods kept for a sale.

How these become positions (folded by business time) is the rule of the retail core; here is only what
is told. Names are those of the fold: `quantity`, `from_place`, `to_place`, `occurred_at`, `as_of`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.money import Money
from connectors.canonical.order_checks import Breach
from connectors.canonical.quantity import PIECE

StockState = Literal[
    "available", "committed", "reserved", "damaged", "quality_control", "safety_stock",
    "incoming", "in_transit",
]  # fmt: skip
MovementReason = Literal[
    "sale", "return", "receipt", "transfer_out", "transfer_in", "count_adjust", "damage", "theft",
    "commitment", "commitment_end", "reserve", "release", "kit_assemble", "kit_break",
    "marketplace", "other",
]  # fmt: skip
CountMethod = Literal["full", "cycle", "system_snapshot"]
ReservationState = Literal["held", "converted", "released", "expired"]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

# Where goods come from and go to when they are at no place of the retailer.
NO_PLACE_OF_OURS = frozenset(
    {"supplier", "customer", "lost_found", "production", "drop", "in_transit"}
)


class StockPlace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A location and the state in which goods stand there."""

    location: str
    state: StockState = "available"


class InventoryMovement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods going from one place to another: as much leaves as arrives.

    `movement_id` is the source's own, such as document and line: the same id is the same movement.
    """

    movement_id: str
    sku: str
    quantity: Decimal
    uom: str = PIECE
    from_place: StockPlace
    to_place: StockPlace
    reason: MovementReason = "other"
    document: str = ""
    occurred_at: Moment
    cost: Money | None = None


class InventoryCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found at a moment, in one state or `on_hand` over all of a location.

    `uncertainty_s`: how far off `as_of` may be, for files that do not know it better.
    """

    count_id: str
    sku: str
    location: str
    state: StockState | Literal["on_hand"] = "available"
    quantity: Decimal
    uom: str = PIECE
    as_of: Moment
    method: CountMethod = "system_snapshot"
    uncertainty_s: int = 0
    counted_by: str = ""


class Reservation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods kept for a sale that is under way, until it is made or the time is over."""

    reservation_id: str
    sku: str
    location: str
    quantity: Decimal
    channel: str
    order_id: str = ""
    created_at: Moment
    expires_at: Moment
    state: ReservationState = "held"


def is_held(reservation: Reservation, at: datetime) -> bool:
    """Say whether goods are still kept at a moment; what has expired keeps nothing, told or not."""
    return reservation.state == "held" and at < reservation.expires_at


def movement_breaches(movement: InventoryMovement) -> list[Breach]:
    """Give every rule that a movement breaks."""
    return broken_rules(movement, MOVEMENT_RULES)


def count_breaches(count: InventoryCount) -> list[Breach]:
    """Give every rule that a count breaks."""
    return broken_rules(count, COUNT_RULES)


def reservation_breaches(reservation: Reservation) -> list[Breach]:
    """Give every rule that a reservation breaks."""
    return broken_rules(reservation, RESERVATION_RULES)


def _moves(movement: InventoryMovement) -> Found:
    if not movement.quantity.is_finite() or movement.quantity <= 0:
        yield (
            "/quantity",
            "A movement moves more than nothing; the direction is in its places.",
        )


def _elsewhere(movement: InventoryMovement) -> Found:
    if movement.from_place == movement.to_place:
        yield "/to_place", "A movement goes from one place to another."


def _touches_us(movement: InventoryMovement) -> Found:
    if {movement.from_place.location, movement.to_place.location} <= NO_PLACE_OF_OURS:
        yield "/to_place", "Neither place is one of the retailer's: no stock changes."


def _counted(count: InventoryCount) -> Found:
    if not count.quantity.is_finite():
        yield "/quantity", "A count is a number."
    elif count.quantity < 0 and count.method != "system_snapshot":
        yield "/quantity", "Nobody finds less than nothing; only a system can state it."


def _uncertain(count: InventoryCount) -> Found:
    if count.uncertainty_s < 0:
        yield "/uncertainty_s", "A time cannot be off by less than nothing."


def _kept(reservation: Reservation) -> Found:
    if reservation.quantity <= 0:
        yield "/quantity", "A reservation keeps more than nothing."


def _limited(reservation: Reservation) -> Found:
    if reservation.expires_at <= reservation.created_at:
        yield "/expires_at", "A reservation ends after it began."


MOVEMENT_RULES: tuple[Rule[InventoryMovement], ...] = (
    Rule("I-1", "error", _moves),
    Rule("I-2", "error", _elsewhere),
    Rule("I-3", "warning", _touches_us),
)
COUNT_RULES: tuple[Rule[InventoryCount], ...] = (
    Rule("I-4", "error", _counted),
    Rule("I-5", "error", _uncertain),
)
RESERVATION_RULES: tuple[Rule[Reservation], ...] = (
    Rule("I-6", "error", _kept),
    Rule("I-7", "error", _limited),
)
