"""The canonical event: one business fact about one object, whoever told it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from connectors.canonical.acknowledgement import OrderAcknowledgement
from connectors.canonical.inventory import InventoryCount, InventoryMovement
from connectors.canonical.journal import Journal
from connectors.canonical.money import Money
from connectors.canonical.order import Fulfilment, Order, Refund
from connectors.canonical.oversell import OversellDecision
from connectors.canonical.posting import OrderPosting
from connectors.canonical.price import Price
from connectors.canonical.product import Product
from connectors.canonical.promotion import Promotion
from connectors.canonical.return_step import ReturnStep
from connectors.canonical.returns import Return
from connectors.canonical.settlement import Settlement
from connectors.canonical.stock import StockPosition
from connectors.canonical.upcasters import FIRST, body_brought_up

Body = (
    Order
    | Refund
    | Fulfilment
    | StockPosition
    | InventoryMovement
    | InventoryCount
    | Product
    | Price
    | Promotion
    | Return
    | Settlement
    | Journal
    | OrderPosting
    | OrderAcknowledgement
    | OversellDecision
    | ReturnStep
)

ORDER_PLACED = "retail.order.placed.v1"
ORDER_CHANGED = "retail.order.changed.v1"
ORDER_CANCELLED = "retail.order.cancelled.v1"
ORDER_REFUNDED = "retail.order.refunded.v1"
ORDER_FULFILLED = "retail.order.fulfilled.v1"
TILL_SALE = "retail.till.sale.v1"
STOCK_POSITION = "retail.stock.position.v1"
STOCK_MOVEMENT = "retail.stock.movement.v1"
STOCK_COUNT = "retail.stock.count.v1"
PRODUCT_SET = "retail.product.set.v1"
PRICE_SET = "retail.price.set.v1"
PROMOTION_SET = "retail.promotion.set.v1"
RETURN_TOLD = "retail.return.told.v1"
SETTLEMENT_TOLD = "retail.settlement.told.v1"
JOURNAL_POSTED = "retail.journal.posted.v1"
ORDER_POSTED = "retail.order.posted.v1"
ORDER_ACKNOWLEDGED = "retail.order.acknowledged.v1"
OVERSELL_DECIDED = "retail.oversell.decided.v1"
# What a return asks other systems to do, by who does it.
RETURN_NUMBER_DUE = "retail.return.number_due.v1"
RETURN_STOCK_DUE = "retail.return.stock_due.v1"
RETURN_REFUND_DUE = "retail.return.refund_due.v1"
RETURN_CREDIT_DUE = "retail.return.credit_due.v1"
RETURN_CASH_DUE = "retail.return.cash_due.v1"
RETURN_REVERSAL_DUE = "retail.return.reversal_due.v1"
RETURN_POINTS_DUE = "retail.return.points_due.v1"
RETURN_HISTORY_DUE = "retail.return.history_due.v1"
RETURN_CUSTOMER_DUE = "retail.return.customer_due.v1"

# What a type carries, and the contract (semver of the shape) it is written under.
BODIES: dict[str, tuple[type[Body], str]] = {
    ORDER_PLACED: (Order, "order/1.1.0"),
    ORDER_CHANGED: (Order, "order/1.1.0"),
    ORDER_CANCELLED: (Order, "order/1.1.0"),
    ORDER_REFUNDED: (Refund, "refund/1.0.0"),
    ORDER_FULFILLED: (Fulfilment, "fulfilment/1.0.0"),
    TILL_SALE: (Order, "order/1.1.0"),
    STOCK_POSITION: (StockPosition, "stock_position/1.0.0"),
    STOCK_MOVEMENT: (InventoryMovement, "inventory_movement/1.0.0"),
    STOCK_COUNT: (InventoryCount, "inventory_count/1.0.0"),
    PRODUCT_SET: (Product, "product/1.0.0"),
    PRICE_SET: (Price, "price/1.0.0"),
    PROMOTION_SET: (Promotion, "promotion/1.0.0"),
    RETURN_TOLD: (Return, "return/1.0.0"),
    SETTLEMENT_TOLD: (Settlement, "settlement/1.0.0"),
    JOURNAL_POSTED: (Journal, "journal/1.0.0"),
    ORDER_POSTED: (OrderPosting, "order_posting/1.0.0"),
    ORDER_ACKNOWLEDGED: (OrderAcknowledgement, "order_acknowledgement/1.0.0"),
    OVERSELL_DECIDED: (OversellDecision, "oversell_decision/1.0.0"),
    RETURN_NUMBER_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_STOCK_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_REFUND_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_CREDIT_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_CASH_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_REVERSAL_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_POINTS_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_HISTORY_DUE: (ReturnStep, "return_step/1.0.0"),
    RETURN_CUSTOMER_DUE: (ReturnStep, "return_step/1.0.0"),
}


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One business fact.

    `key` is the ordering key: events with one key reach one target in order (`order:1001`,
    `stock:main/SKU-001`). `object_id` and `version` are the source's id and version marker of the
    object. `label` is what people call it ("Order #1001"). `amount` is the money at stake. `to` is the
    id of the one connection that it is meant for; empty: every flow of its source takes it. `said` are
    pairs of JSON pointer into the body and what the source calls that, where the body has our number
    or, of a name that nobody knows, nothing.
    """

    type: str
    key: str
    object_id: str
    version: str = ""
    label: str
    occurred_at: datetime
    business_day: date | None = None
    amount: Money | None = None
    to: str = ""
    said: tuple[tuple[str, str], ...] = ()
    body: Body


def encode(event: Event) -> bytes:
    """Write an event as JSON; decimals and dates become strings, exactly."""
    return _ENCODER.encode(
        _Stored(head=_head(event), body=msgspec.Raw(_ENCODER.encode(event.body)))
    )


def decode(raw: bytes) -> Event:
    """Read an event that `encode` wrote (or a person edited), whatever release it was written by.

    Raises msgspec.ValidationError. A body of today's contract is read as it is.
    """
    stored = _STORED.decode(raw)
    head = stored.head
    body_type, contract = BODIES[head.type]
    body_raw: bytes | msgspec.Raw = stored.body
    if head.contract != _MARKS[head.type]:
        name = contract.partition("/")[0]
        body_raw = body_brought_up(bytes(stored.body), head.contract or f"{name}/{FIRST}", contract)
    body = _BODY_DECODERS[body_type].decode(body_raw)
    return Event(
        type=head.type,
        key=head.key,
        object_id=head.object_id,
        version=head.version,
        label=head.label,
        occurred_at=head.occurred_at,
        business_day=head.business_day,
        amount=head.amount,
        to=head.to,
        said=head.said,
        body=body,
    )


class _Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    key: str
    object_id: str
    version: str = ""
    label: str
    occurred_at: datetime
    business_day: date | None = None
    amount: Money | None = None
    to: str = ""
    said: tuple[tuple[str, str], ...] = ()
    # What the body was written under; left out for the first contract of each object.
    contract: str = ""


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    head: _Head
    body: msgspec.Raw


def _head(event: Event) -> _Head:
    return _Head(
        type=event.type,
        key=event.key,
        object_id=event.object_id,
        version=event.version,
        label=event.label,
        occurred_at=event.occurred_at,
        business_day=event.business_day,
        amount=event.amount,
        to=event.to,
        said=event.said,
        contract=_MARKS[event.type],
    )


_MARKS = {
    event_type: "" if contract.endswith(f"/{FIRST}") else contract
    for event_type, (_, contract) in BODIES.items()
}
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_STORED = msgspec.json.Decoder(_Stored)
_BODY_DECODERS: dict[type[Body], msgspec.json.Decoder[Body]] = {
    body: msgspec.json.Decoder(body) for body, _ in BODIES.values()
}
