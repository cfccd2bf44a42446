"""One canonical event of every type, to try a target with; the shop and its people are invented."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from connectors.canonical.event import (
    BODIES,
    ORDER_FULFILLED,
    ORDER_REFUNDED,
    STOCK_POSITION,
    TILL_SALE,
    Body,
    Event,
)
from connectors.canonical.money import Money
from connectors.canonical.order import Fulfilment, Line, Order, Refund, Tax, Tender
from connectors.canonical.stock import StockPosition
from connectors.lab.further_samples import FURTHER

_AT = datetime(2026, 11, 27, 14, 3, tzinfo=UTC)
_LINE = Line(
    line_id="1",
    sku="MM-0001",
    title="Canvas Tote",
    quantity=Decimal(2),
    unit_price=Decimal("24.50"),
    net=Decimal("49.00"),
    taxes=(Tax(name="State Tax", rate=Decimal("0.08"), amount=Decimal("3.92")),),
    gross=Decimal("52.92"),
)
_CARD = Tender(kind="card", name="Card", amount=Decimal("52.92"))
_ORDER = Order(
    order_id="1001",
    number="#1001",
    kind="web",
    currency="USD",
    placed_at=_AT,
    lines=(_LINE,),
    total=Decimal("52.92"),
    tenders=(_CARD,),
)
_TICKET = Order(
    order_id="S1/2026-11-27/W1/17",
    number="17",
    kind="pos",
    currency="USD",
    placed_at=_AT,
    business_day=date(2026, 11, 27),
    store="S1",
    workstation="W1",
    sequence="17",
    lines=(_LINE,),
    total=Decimal("52.92"),
    tenders=(_CARD,),
)
_REFUND = Refund(
    refund_id="R1", order_id="1001", currency="USD", happened_at=_AT, amount=Decimal("52.92")
)
_SHIPMENT = Fulfilment(fulfilment_id="F1", order_id="1001", status="success", shipped_at=_AT)
_STOCK = StockPosition(
    sku="MM-0001", location="main", available=Decimal(7), as_of=_AT, previous=Decimal(9)
)


def sample(event_type: str) -> Event:
    """Give the sample of a type; raises KeyError for one that does not exist."""
    body, key, object_id = _SPECIAL.get(event_type, (_ORDER, "order:1001", "1001"))
    stake = Money(amount=Decimal("52.92"), currency="USD")
    return Event(
        type=event_type if event_type in BODIES else _unknown(event_type),
        key=key,
        object_id=object_id,
        version="2026-11-27T14:03:00Z",
        label="A sample",
        occurred_at=_AT,
        amount=None if isinstance(body, StockPosition | Fulfilment) else stake,
        body=body,
    )


def _unknown(event_type: str) -> str:
    raise KeyError(event_type)


_SPECIAL: dict[str, tuple[Body, str, str]] = {
    **FURTHER,
    TILL_SALE: (_TICKET, "till:S1/W1", "S1/2026-11-27/W1/17"),
    ORDER_REFUNDED: (_REFUND, "order:1001", "R1"),
    ORDER_FULFILLED: (_SHIPMENT, "order:1001", "F1"),
    STOCK_POSITION: (_STOCK, "stock:main/MM-0001", "main/MM-0001"),
}
