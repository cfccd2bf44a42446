"""One event as a sale record: which document it tells, of which place and day, and what it comes to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from app.retail.journals.facts import Fact, order_facts, refund_facts
from app.retail.journals.rules import PostingRules
from connectors.canonical.business_day import TradingDay, business_day
from connectors.canonical.event import (
    ORDER_CANCELLED,
    ORDER_CHANGED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    TILL_SALE,
    Event,
)
from connectors.canonical.order import Order, Refund

SOLD = (TILL_SALE, ORDER_PLACED, ORDER_CHANGED, ORDER_CANCELLED, ORDER_REFUNDED)
MAX_TEXT = 200
_MAX_DIGITS = 15

Kind = Literal["ticket", "order", "refund"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where an event was told: the connection (id and name), and the retailer's trading day."""

    connection_id: UUID
    connection: str
    trading: TradingDay


@dataclass(frozen=True, slots=True)
class SaleRecord:
    """One telling of one document; `facts` are what the document comes to as it then stood.

    `number` is the ticket's number when it is one, for finding gaps. `told_at` orders the tellings.
    """

    document: str
    kind: Kind
    event_id: UUID
    place: str
    channel: str
    business_day: date
    currency: str
    total: Decimal
    told_at: datetime
    version: str
    revision: int
    facts: tuple[Fact, ...]
    reference: str = ""
    store: str = ""
    workstation: str = ""
    operator: str = ""
    sequence: str = ""
    lines: int = 0
    unmapped_lines: int = 0
    is_clock_suspect: bool = False

    @property
    def number(self) -> int | None:
        """Give the ticket's number within its till, if it is a number."""
        text = self.sequence
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
        return int(text) if is_number else None

    def telling(self) -> bytes:
        """Name this telling by its content: the same fact told twice is one, whoever tells it."""
        told = (
            self.business_day, self.currency, self.total, self.told_at.astimezone(UTC),
            self.version, self.revision, self.facts,
        )  # fmt: skip
        return hashlib.sha256(_ENCODER.encode(told)).digest()[:16]


def sale_record(
    event_id: UUID, event: Event, revision: int, source: Source, rules: PostingRules
) -> SaleRecord | None:
    """Read one event as a sale record; None when nothing of it is ever booked (a test order)."""
    body = event.body
    if isinstance(body, Refund):
        return _refund(event_id, event, body, revision, source, rules)
    if not isinstance(body, Order) or body.is_test:
        return None
    if body.kind == "pos":
        return _ticket(event_id, event, body, revision, source, rules)
    return _order(event_id, event, body, revision, source, rules)


def place_of(store: str, workstation: str, connection: str, rules: PostingRules) -> tuple[str, str]:
    """Give the place under which a ticket is booked, and the name of its till there.

    Booked by channel, all stores of a connection are one place and their tills have the store's name.
    """
    if not store:
        return connection, workstation
    if rules.grouping == "channel_day":
        return connection, f"{store}/{workstation}" if workstation else ""
    return rules.places.get(f"{connection}/{store}", store), workstation


def suspect_clock(occurred_at: datetime, day: date, trading: TradingDay, limit_h: int) -> bool:
    """Say whether a till's clock cannot be right: its time is far from its own business day."""
    told = business_day(occurred_at, trading)
    return abs(told - day) > timedelta(hours=limit_h)


def _ticket(
    event_id: UUID, event: Event, order: Order, revision: int, source: Source, rules: PostingRules
) -> SaleRecord:
    # A till's own business day wins: it alone knows when its day was closed.
    day = order.business_day or event.business_day
    day = day or business_day(order.placed_at, source.trading)
    store = order.store or ""
    place, till = place_of(store, order.workstation or "", source.connection, rules)
    # The till's name for the ticket; told by two systems it is still one ticket.
    document = f"ticket:{place}/{day}/{till or '-'}/{order.order_id}"
    return SaleRecord(
        document=_named(document),
        kind="ticket",
        event_id=event_id,
        place=place[:MAX_TEXT],
        channel=source.connection,
        business_day=day,
        currency=order.currency,
        total=order.total,
        told_at=event.occurred_at,
        version=event.version,
        revision=revision,
        facts=order_facts(order, rules),
        reference=order.order_id[:MAX_TEXT],
        store=store[:MAX_TEXT],
        workstation=till[:MAX_TEXT],
        operator=(order.operator or "")[:MAX_TEXT] if rules.tills.per_operator else "",
        sequence=(order.sequence or "")[:MAX_TEXT],
        lines=len(order.lines),
        unmapped_lines=_unmapped(order),
        is_clock_suspect=suspect_clock(
            order.placed_at, day, source.trading, rules.audit.clock_skew_h
        ),
    )


def _order(
    event_id: UUID, event: Event, order: Order, revision: int, source: Source, rules: PostingRules
) -> SaleRecord:
    day = order.business_day or event.business_day
    is_gone = event.type == ORDER_CANCELLED and not _is_paid(order)
    return SaleRecord(
        document=_named(f"order:{source.connection_id}/{order.order_id}"),
        kind="order",
        event_id=event_id,
        place=source.connection,
        channel=source.connection,
        business_day=day or business_day(event.occurred_at, source.trading),
        currency=order.currency,
        total=Decimal(0) if is_gone else order.total,
        told_at=event.occurred_at,
        version=event.version,
        revision=revision,
        # What was paid before an order was cancelled stays booked until its refund takes it back:
        # both would take it back twice.
        facts=() if is_gone else order_facts(order, rules),
        reference=order.order_id[:MAX_TEXT],
        lines=len(order.lines),
        unmapped_lines=_unmapped(order),
    )


def _refund(
    event_id: UUID, event: Event, refund: Refund, revision: int, source: Source, rules: PostingRules
) -> SaleRecord:
    day = event.business_day or business_day(refund.happened_at, source.trading)
    return SaleRecord(
        document=_named(f"refund:{source.connection_id}/{refund.refund_id}"),
        kind="refund",
        event_id=event_id,
        place=source.connection,
        channel=source.connection,
        business_day=day,
        currency=refund.currency,
        total=-refund.amount,
        told_at=event.occurred_at,
        version=event.version,
        revision=revision,
        facts=refund_facts(refund, rules),
        reference=refund.order_id[:MAX_TEXT],
    )


def _named(document: str) -> str:
    """Keep a name short without making two documents one."""
    if len(document) <= MAX_TEXT:
        return document
    return f"{document[: MAX_TEXT - 40]}#{hashlib.sha256(document.encode()).hexdigest()[:32]}"


def _is_paid(order: Order) -> bool:
    return any(tender.amount for tender in order.tenders)


def _unmapped(order: Order) -> int:
    return sum(line.sku is None and not line.is_voided for line in order.lines)


def encode_facts(facts: Sequence[Fact]) -> str:
    """Write facts as a JSON list; amounts are text, exactly."""
    return _ENCODER.encode(facts).decode()


def decode_facts(text: str) -> tuple[Fact, ...]:
    """Read facts that `encode_facts` wrote."""
    return _FACTS.decode(text)


_ENCODER = msgspec.json.Encoder(decimal_format="string")
_FACTS = msgspec.json.Decoder(tuple[Fact, ...])
