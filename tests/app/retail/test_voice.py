"""What the retail core says travels like everything else: once, in the books, to whoever wants it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.retail.voice import say
from connectors.canonical.event import ORDER_POSTED, Event
from connectors.canonical.posting import OrderPosting
from infra.database.unit import begin
from tests.stage import Stage


def posting(agreement: int) -> Event:
    at = datetime(2026, 11, 27, 15, tzinfo=UTC)
    return Event(
        type=ORDER_POSTED,
        key="order:1001",
        object_id=f"1001/{agreement}",
        version="1",
        label=f"Posting {agreement} of order 1001",
        occurred_at=at,
        body=OrderPosting(
            order_id="1001", number="1001", agreement=agreement, reason="order", happened_at=at,
            currency="USD", total=Decimal("10.00"), lines=(),
        ),
    )  # fmt: skip
