"""The deadlines that a channel sets on an order: when it must be acknowledged, and when shipped.

They come from the vendor's clocks in the connector's manifest, or for systems that publish none from
the settings of the connection, in hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.canonical.event import ORDER_PLACED
from connectors.sdk.manifest import Manifest

ACKNOWLEDGE, SHIP = "acknowledge", "ship"
# Setting of a connection -> the clock that it sets, counted from when the order was placed.
SETTINGS = {ACKNOWLEDGE: "acknowledge_within_h", SHIP: "ship_within_h"}
LONGEST_H = 24 * 365


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When an order must be acknowledged and shipped (UTC), and from when the clock runs."""

    started_at: datetime
    acknowledge_by: datetime | None = None
    ship_by: datetime | None = None


def deadlines_of(
    manifest: Manifest, settings: Mapping[str, Any], placed_at: datetime, received_at: datetime
) -> Deadlines:
    """Give the deadlines of an order placed on a channel; None where the channel sets none."""
    ends: dict[str, datetime] = {}
    started_at = placed_at
    for clock in manifest.clocks:
        if clock.event == ORDER_PLACED and clock.name in SETTINGS:
            ends[clock.name] = clock.ends_at(placed_at, received_at)
            started_at = placed_at if clock.counted_from == "occurred" else received_at
    for name, setting in SETTINGS.items():
        hours = _hours(settings.get(setting))
        if hours is not None:
            ends[name] = placed_at + timedelta(hours=float(hours))
    return Deadlines(started_at, ends.get(ACKNOWLEDGE), ends.get(SHIP))


def share_gone(started_at: datetime, ends_at: datetime, now: datetime) -> float:
    """Say how much of a clock has run, 1 and more when it is over."""
    whole_s = (ends_at - started_at).total_seconds()
    return (now - started_at).total_seconds() / whole_s if whole_s > 0 else 1.0


def _hours(told: object) -> Decimal | None:
    try:
        hours = Decimal(str(told))
    except InvalidOperation:
        return None
    return hours if hours.is_finite() and 0 < hours <= LONGEST_H else None
