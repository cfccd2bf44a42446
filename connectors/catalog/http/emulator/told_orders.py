"""What an emulated shop or warehouse tells: orders and shipments, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["orders", "shipments"]
Payload = dict[str, Any]

FIRST_PLACED_AT = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SECONDS_BETWEEN = 4
CANCELLED_AFTER = timedelta(minutes=40)
TAX_RATE = Decimal("0.0825")
_CENT = Decimal("0.01")
_MOST_OF_ONE = 3
_CARRIERS = ("UPS", "FEDEX", "USPS")


@dataclass(frozen=True, slots=True)
class Told:
    """One message and what it is about: the truth against which a judge holds what arrived.

    `number` names the order, `version` counts its messages from 1; `amount` is what the goods cost
    with tax, in the story's currency.
    """

    id: str
    body: bytes
    number: str
    version: int
    amount: Decimal
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What is sold under which numbers; order n is the same in every run with the same seed.

    Every `cancel_every`-th order is cancelled after it was told; 0 cancels none.
    """

    seed: int
    kind: Kind
    prefix: str
    articles: tuple[str, ...]
    currency: str = "USD"
    cancel_every: int = 0

    def messages(self, n: int) -> tuple[Told, ...]:
        """Tell of the n-th order or shipment, from 1: its messages in the order in which they go."""
        drawn = random.Random(f"{self.seed}|{self.prefix}|{n}")  # noqa: S311 - a story, no secret
        number = f"{self.prefix}-{100000 + n}"
        at = FIRST_PLACED_AT + timedelta(seconds=n * SECONDS_BETWEEN)
        event_type, data = _TELLERS[self.kind](self, drawn, number, at)
        first = _told(event_type, data, at, 1)
        if not self.cancel_every or n % self.cancel_every:
            return (first,)
        return (first, _told("retail.order.cancelled.v1", data, at + CANCELLED_AFTER, 2))

    def count(self, first: int, orders: int) -> int:
        """Count the messages of so many orders from the first on."""
        every = self.cancel_every
        cancelled = sum(n % every == 0 for n in range(first, first + orders)) if every else 0
        return orders + cancelled


def _told(event_type: str, data: Payload, at: datetime, version: int) -> Told:
    number = data["order_id"]
    message_id = f"{event_type}-{number}"
    envelope = {
        "specversion": "1.0",
        "id": message_id,
        "type": event_type,
        "source": "/emulated",
        "time": _text(at),
        "objectversion": str(version),
        "data": data,
    }
    amount = sum((Decimal(line["gross"]) for line in data["lines"]), Decimal(0))
    articles = tuple(line["sku"] for line in data["lines"])
    return Told(message_id, json.dumps(envelope).encode(), number, version, amount, articles)


def _order(story: Story, drawn: random.Random, number: str, at: datetime) -> tuple[str, Payload]:
    lines = [_line(story, drawn, place) for place in range(1, drawn.randint(1, 3) + 1)]
    total = sum((Decimal(line["gross"]) for line in lines), Decimal(0))
    data = {
        "order_id": number,
        "number": number,
        "kind": "web",
        "currency": story.currency,
        "placed_at": _text(at),
        "lines": lines,
        "total": str(total),
        "tenders": [{"kind": "card", "name": "Card", "amount": str(total)}],
    }
    return "retail.order.placed.v1", data


def _shipment(story: Story, drawn: random.Random, number: str, at: datetime) -> tuple[str, Payload]:
    data = {
        "fulfilment_id": f"F-{number}",
        "order_id": number,
        "order_number": number,
        "status": "shipped",
        "shipped_at": _text(at),
        "carrier": drawn.choice(_CARRIERS),
        "tracking_numbers": [f"1Z{drawn.randrange(10**12):012d}"],
        "currency": story.currency,
        "lines": [_line(story, drawn, 1)],
    }
    return "retail.order.fulfilled.v1", data


def _line(story: Story, drawn: random.Random, place: int) -> Payload:
    sku = drawn.choice(story.articles)
    quantity = drawn.randint(1, _MOST_OF_ONE)
    unit_price = Decimal(drawn.randint(900, 18_900)) / 100
    net = unit_price * quantity
    tax = (net * TAX_RATE).quantize(_CENT)
    return {
        "line_id": str(place),
        "sku": sku,
        "title": f"Article {sku}",
        "quantity": str(quantity),
        "unit_price": str(unit_price),
        "net": str(net),
        "taxes": [{"name": "Sales tax", "rate": str(TAX_RATE), "amount": str(tax)}],
        "gross": str(net + tax),
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


_TELLERS: dict[Kind, Callable[[Story, random.Random, str, datetime], tuple[str, Payload]]] = {
    "orders": _order,
    "shipments": _shipment,
}
