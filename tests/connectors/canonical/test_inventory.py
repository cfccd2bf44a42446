"""What is told about stock fits the fold of the retail core, word for word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest

from app.retail.inventory.fold import VIRTUAL, Count, Movement, State, fold
from connectors.canonical.inventory import (
    NO_PLACE_OF_OURS,
    InventoryCount,
    InventoryMovement,
    Reservation,
    StockPlace,
    StockState,
    count_breaches,
    is_held,
    movement_breaches,
    reservation_breaches,
)

D = Decimal
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHELF, SOLD = StockPlace(location="main"), StockPlace(location="customer")


def movement(**fields: Any) -> InventoryMovement:
    told: dict[str, Any] = {
        "movement_id": "1",
        "sku": "A",
        "quantity": D(2),
        "occurred_at": NOON,
        "from_place": SHELF,
        "to_place": SOLD,
        "reason": "sale",
    }
    return InventoryMovement(**told | fields)


def count(**fields: Any) -> InventoryCount:
    told: dict[str, Any] = {
        "count_id": "2",
        "sku": "A",
        "location": "main",
        "quantity": D(5),
        "as_of": NOON - timedelta(hours=1),
        "method": "full",
    }
    return InventoryCount(**told | fields)


def reservation(**fields: Any) -> Reservation:
    told: dict[str, Any] = {
        "reservation_id": "3",
        "sku": "A",
        "location": "main",
        "quantity": D(1),
        "channel": "web",
        "created_at": NOON,
        "expires_at": NOON + timedelta(minutes=15),
    }
    return Reservation(**told | fields)


def test_states_and_places_are_those_of_the_fold() -> None:
    assert get_args(StockState) == get_args(State)
    assert NO_PLACE_OF_OURS == VIRTUAL


def test_what_is_told_can_be_folded() -> None:
    moved, counted = movement(), count()

    positions = fold(
        [
            Movement(
                moved.movement_id,
                moved.quantity,
                (moved.from_place.location, moved.from_place.state),
                (moved.to_place.location, moved.to_place.state),
                moved.occurred_at,
            ),
            Count(
                counted.count_id, counted.quantity, counted.location, counted.state, counted.as_of
            ),
        ]
    )

    assert positions == {("main", "available"): D(3), ("customer", "available"): D(2)}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (movement(quantity=D(0)), ["I-1"]),
        (movement(quantity=D("NaN")), ["I-1"]),
        (movement(to_place=SHELF), ["I-2"]),
        (movement(from_place=StockPlace(location="supplier")), ["I-3"]),
        (movement(), []),
    ],
)
def test_every_rule_of_a_movement_is_noticed(told: InventoryMovement, wanted: list[str]) -> None:
    assert [breach.rule for breach in movement_breaches(told)] == wanted


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (count(quantity=D(-1)), ["I-4"]),
        (count(quantity=D(-1), method="system_snapshot"), []),
        (count(quantity=D("Infinity")), ["I-4"]),
        (count(uncertainty_s=-1), ["I-5"]),
        (count(state="on_hand"), []),
    ],
)
def test_every_rule_of_a_count_is_noticed(told: InventoryCount, wanted: list[str]) -> None:
    assert [breach.rule for breach in count_breaches(told)] == wanted


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (reservation(quantity=D(0)), ["I-6"]),
        (reservation(expires_at=NOON), ["I-7"]),
        (reservation(), []),
    ],
)
def test_every_rule_of_a_reservation_is_noticed(told: Reservation, wanted: list[str]) -> None:
    assert [breach.rule for breach in reservation_breaches(told)] == wanted


def test_a_reservation_that_expired_keeps_nothing_although_nobody_released_it() -> None:
    kept = reservation()

    assert is_held(kept, NOON + timedelta(minutes=14, seconds=59))
    assert not is_held(kept, NOON + timedelta(minutes=15))
    assert not is_held(reservation(state="converted"), NOON)


def test_a_moment_without_a_zone_is_no_moment() -> None:
    written = msgspec.json.encode(movement()).replace(b"12:00:00Z", b"12:00:00")

    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.json.decode(written, type=InventoryMovement)
