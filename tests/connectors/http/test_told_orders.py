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
    told = Story(7, kind, "W", ("A-1", "A-2")).messages(3)[0]
    message = RawMessage("event", told.body, datetime(2026, 11, 20, tzinfo=UTC), {}, None, {})

    event = registry.load("http").read(message).events[0]

    assert event.amount is not None
    assert (event.amount.amount, event.amount.currency) == (told.amount, "USD")
    assert told.amount > Decimal(0)
    assert told.number in event.label


def test_the_same_seed_tells_the_same_and_another_seed_tells_something_else() -> None:
    story = Story(7, "orders", "W", ("A-1", "A-2"))

    assert story.messages(3)[0] == Story(7, "orders", "W", ("A-1", "A-2")).messages(3)[0]
    assert story.messages(3)[0].body != Story(8, "orders", "W", ("A-1", "A-2")).messages(3)[0].body
    assert story.messages(3)[0].id != story.messages(4)[0].id


def test_every_second_order_is_cancelled_under_the_same_number_with_the_next_version() -> None:
    story = Story(7, "orders", "W", ("A-1",), cancel_every=2)

    told = [each for n in range(1, 6) for each in story.messages(n)]

    assert [(each.number, each.version) for each in told] == [
        ("W-100001", 1),
        ("W-100002", 1),
        ("W-100002", 2),
        ("W-100003", 1),
        ("W-100004", 1),
        ("W-100004", 2),
        ("W-100005", 1),
    ]
    assert story.count(1, 5) == len(told)
