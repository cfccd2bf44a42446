"""What the emulated shop tells is the same for the same seed, and reads as what it says it is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors import registry
from connectors.catalog.http.emulator.told_orders import Kind, Story
from connectors.sdk.message import RawMessage


@pytest.mark.parametrize("kind", ["orders", "shipments"])
def test_a_told_message_is_read_with_the_money_that_the_teller_wrote_down(kind: Kind) -> None:
    told = Story(7, kind, "W", ("A-1", "A-2")).message(3)
    message = RawMessage("event", told.body, datetime(2026, 11, 20, tzinfo=UTC), {}, None, {})

    event = registry.load("http").read(message).events[0]

    assert event.amount is not None
    assert (event.amount.amount, event.amount.currency) == (told.amount, "USD")
    assert told.amount > Decimal(0)
    assert told.number in event.label


def test_the_same_seed_tells_the_same_and_another_seed_tells_something_else() -> None:
    story = Story(7, "orders", "W", ("A-1", "A-2"))

    assert story.message(3) == Story(7, "orders", "W", ("A-1", "A-2")).message(3)
    assert story.message(3).body != Story(8, "orders", "W", ("A-1", "A-2")).message(3).body
    assert story.message(3).id != story.message(4).id
