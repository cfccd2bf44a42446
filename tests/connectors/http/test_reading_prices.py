"""Prices that others send: one unit may cost a fraction of a cent, and begins by a clock on a wall."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import registry
from connectors.canonical.event import Event
from connectors.canonical.price import Price
from connectors.catalog.http.struct_in import AMOUNTS, NAMES, UNIT_PRICES, read_carefully
from connectors.catalog.http.struct_quick import Kinds, Unsure, quick_struct
from connectors.sdk.message import HoldRecord, RawMessage
from connectors.sdk.payload import Part

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
KINDS = Kinds(amounts=AMOUNTS, names=NAMES, unit_prices=UNIT_PRICES)
PRICE: dict[str, Any] = {
    "price_id": "P-1",
    "sku": "FUEL-95",
    "amount": "1.839",
    "currency": "USD",
    "effective_from": "2026-11-27T00:00",
    "effective_to": "2026-11-30T06:00:00",
    "priority": 3,
}
TIMES = [
    "2026-11-27T00:00",
    "2026-11-27T00:00:00",
    "2026-11-27 00:00",
    "2026-11-27T00:00:00Z",
    "2026-11-27T00:00:00+00:00",
    "2026-11-27T00:00:00-05:00",
    "2026-11-27",
    "2026-02-30T00:00",
]
NUMBERS = ["1.839", "1.8391234", "1.839123", "-1", "0", 2, "1E2", "NaN", "", True]


def read(**changes: Any) -> Event:
    payload = {
        "specversion": "1.0",
        "id": "evt-1",
        "source": "/erp",
        "type": "retail.price.set.v1",
        "time": "2026-11-20T10:00:00Z",
        "data": PRICE | changes,
    }
    message = RawMessage("event", msgspec.json.encode(payload), AT, settings={})
    (event,) = registry.load("http").read(message).events
    return event


def held(**changes: Any) -> HoldRecord:
    with pytest.raises(HoldRecord) as caught:
        read(**changes)
    return caught.value


def test_the_price_of_one_unit_may_be_finer_than_its_currency() -> None:
    event = read(amount="0.012345")

    assert isinstance(event.body, Price)
    assert event.body.amount == Decimal("0.012345")
    assert event.amount is not None
    assert event.amount.amount == Decimal("0.012345")


def test_a_price_with_more_than_six_decimals_is_held_at_its_field() -> None:
    hold = held(amount="0.0123456")

    assert (hold.code, hold.pointer) == ("amount.scale", "/data/amount")
    assert "at most 6 decimals" in hold.words


def test_a_yen_price_may_be_a_fraction_of_a_yen() -> None:
    body = read(amount="10.5", currency="JPY").body

    assert isinstance(body, Price)
    assert body.amount == Decimal("10.5")


@pytest.mark.parametrize("written", ["2026-11-27T00:00", "2026-11-27T00:00:00", "2026-11-27 00:00"])
def test_a_time_on_the_wall_is_read_without_a_zone(written: str) -> None:
    body = read(effective_from=written).body

    assert isinstance(body, Price)
    assert body.effective_from.isoformat() == "2026-11-27T00:00:00"
    assert body.effective_from.tzinfo is None


@pytest.mark.parametrize("zone", ["Z", "+00:00", "-05:00"])
def test_a_time_with_a_zone_is_held_because_each_store_has_its_own(zone: str) -> None:
    hold = held(effective_from=f"2026-11-27T00:00:00{zone}")

    assert hold.pointer == "/data/effective_from"


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(["amount", "effective_from", "effective_to", "priority", "min_quantity"]),
    value=st.sampled_from([*TIMES, *NUMBERS, None]),
)
def test_what_is_read_quickly_is_read_carefully_alike(name: str, value: object) -> None:
    told = PRICE | {name: value}

    try:
        quick = quick_struct(Price, told, "USD", KINDS)
    except Unsure:
        return
    assert quick == read_carefully(Price, Part(told), "USD")
