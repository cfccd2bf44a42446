"""Read movements, counts and positions as facts; what cannot be is held. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from app.retail.inventory.facts import AVAILABLE, StockFact
from app.retail.inventory.said import AHEAD, KEY_MAX, SKU_MAX, Booking, Heard, Said, source_of
from app.retail.told import Told
from connectors.canonical.inventory import (
    InventoryCount,
    InventoryMovement,
    count_breaches,
    movement_breaches,
)
from connectors.canonical.order_checks import Breach
from connectors.canonical.stock import StockPosition
from connectors.sdk.message import HoldRecord


def hear_movement(told: Told, _: Booking) -> Heard:
    """Read goods that moved; raises HoldRecord for what goes nowhere."""
    moved = cast("InventoryMovement", told.event.body)
    _refuse(movement_breaches(moved), code="stock.movement_invalid")
    _refuse_future(told, "/occurred_at")
    _refuse_names("/movement_id", moved.movement_id, moved.sku)
    return _alone(
        moved.uom,
        StockFact(
            sku=moved.sku,
            source_key=f"m/{moved.movement_id}",
            kind="movement",
            quantity=moved.quantity,
            from_location=moved.from_place.location,
            from_state=moved.from_place.state,
            to_location=moved.to_place.location,
            to_state=moved.to_place.state,
            occurred_at=moved.occurred_at,
            reason=moved.reason,
            document=moved.document[:KEY_MAX],
            **source_of(told),
        ),
    )


def hear_count(told: Told, _: Booking) -> Heard:
    """Read what was found at a moment; raises HoldRecord for what nobody can find."""
    counted = cast("InventoryCount", told.event.body)
    _refuse(count_breaches(counted), code="stock.count_invalid")
    _refuse_future(told, "/as_of")
    _refuse_names("/count_id", counted.count_id, counted.sku)
    return _alone(
        counted.uom,
        StockFact(
            sku=counted.sku,
            source_key=f"c/{counted.count_id}",
            kind="count",
            quantity=counted.quantity,
            to_location=counted.location,
            to_state=counted.state,
            occurred_at=counted.as_of,
            uncertainty_s=counted.uncertainty_s,
            reason=counted.method,
            **source_of(told),
        ),
    )


def hear_position(told: Told, _: Booking) -> Heard:
    """Read what a system states that can be sold; raises HoldRecord for a time to come."""
    stated = cast("StockPosition", told.event.body)
    _refuse_future(told, "/as_of")
    _refuse_names("/sku", stated.location, stated.sku)
    return _alone(
        stated.uom,
        StockFact(
            sku=stated.sku,
            source_key=f"p/{stated.location}/{stated.as_of.isoformat()}",
            kind="count",
            quantity=stated.available,
            to_location=stated.location,
            to_state=AVAILABLE,
            occurred_at=stated.as_of,
            reason="system_snapshot",
            **source_of(told),
        ),
    )


def _alone(uom: str, fact: StockFact) -> Heard:
    return Heard((Said(fact, uom),))


def _refuse(breaches: Sequence[Breach], *, code: str) -> None:
    for breach in breaches:
        if breach.severity == "error":
            raise HoldRecord(code, breach.pointer, breach.words)


def _refuse_future(told: Told, pointer: str) -> None:
    if told.event.occurred_at > told.received_at + AHEAD:
        raise HoldRecord(
            "stock.from_future",
            pointer,
            f"{told.event.label} is of {told.event.occurred_at:%Y-%m-%d %H:%M} UTC, which is still to"
            " come. Set the clock of the system that told it, then release this with the right time.",
        )


def _refuse_names(pointer: str, name: str, sku: str) -> None:
    if not 1 <= len(sku) <= SKU_MAX or not 1 <= len(name) <= KEY_MAX:
        raise HoldRecord(
            "stock.name_unusable",
            pointer,
            f"An article has 1 to {SKU_MAX} characters, and a movement or count 1 to {KEY_MAX}."
            " Correct the record and release it.",
        )
