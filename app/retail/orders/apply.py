"""Put one telling in its place in an order, or say why it must wait for a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.retail.orders.agreements import (
    Content,
    Reason,
    content_of,
    content_of_refund,
    gross_of,
)
from app.retail.orders.columns import LARGEST, is_storable, storable
from app.retail.orders.kept import NOTHING, KeptOrder, Refunded, Shipped
from app.retail.orders.tellings import rank_of
from app.retail.told import Told
from connectors.canonical.event import ORDER_CANCELLED
from connectors.canonical.money import Money
from connectors.canonical.order import Fulfilment, Order, Refund
from connectors.sdk.message import HoldRecord

# Rounding differences are lines of an order, not ways to pay it.
_NOT_PAID = frozenset({"rounding"})


def apply_order(order: KeptOrder, one: Told, body: Order, made_by: str) -> HoldRecord | None:
    """Take a telling of the order itself: new, changed or cancelled."""
    content = content_of(body)
    hold = _refused(order, one, body.currency, content) or _refused_sum(one, body, content)
    if hold is not None:
        return hold
    order.is_touched = True
    before, was_told = order.parts(), order.rank is not None
    order.seen_at = max(order.seen_at, seen_until(one.event.occurred_at, one.event.version))
    order.is_cancelled = order.is_cancelled or one.event.type == ORDER_CANCELLED
    rank = rank_of(one)
    if order.rank is not None and rank <= order.rank:
        order.overtaken += 1
    elif body.lines or one.event.type != ORDER_CANCELLED:
        # A cancellation may be a mere notice, without what is cancelled.
        order.rank, order.content = rank, content
        _note_header(order, body, is_first=not was_told)
    if not was_told:
        _agree_first(order, one, made_by)
        return None
    reason: Reason = "cancellation" if order.is_taken_back else "order_edit"
    order.agree(before, reason, one.event.occurred_at, made_by, one.event_id)
    return None


def apply_refund(order: KeptOrder, one: Told, body: Refund, made_by: str) -> HoldRecord | None:
    """Take a refund; one that comes before its order waits for it and is agreed with it."""
    content = content_of_refund(body)
    hold = _refused(order, one, body.currency, content)
    if hold is not None:
        return hold
    order.is_touched = True
    rank, name = rank_of(one), storable(body.refund_id)
    known = order.refunds.get(name)
    if known is not None and rank <= known.rank:
        order.overtaken += 1
        return None
    before = order.parts()
    order.currency = order.currency or body.currency
    order.refunds[name] = Refunded(rank, body.happened_at, body.amount, content)
    order.agree(before, "refund", body.happened_at, made_by, one.event_id)
    return None


def apply_shipment(order: KeptOrder, shipped: Shipped, event_id: UUID | None, made_by: str) -> None:
    """Take a shipment; goods that left after a cancellation bring the order back: they are sold."""
    order.is_touched = True
    key = (shipped.connection_id, shipped.shipment_id)
    known = order.shipments.get(key)
    if known is not None and shipped.rank <= known.rank:
        order.overtaken += 1
        return
    before = order.parts()
    order.shipments[key] = shipped
    order.agree(before, "correction", shipped.shipped_at, made_by, event_id)


def shipment_of(one: Told, body: Fulfilment) -> Shipped:
    """Read a shipment as it is kept."""
    return Shipped(
        one.connection_id,
        storable(body.fulfilment_id),
        storable(body.order_id),
        rank_of(one),
        storable(body.status),
        body.shipped_at,
        body.carrier,
        body.tracking_numbers,
        tuple(
            (storable(line.line_id), storable(line.sku or ""), line.quantity)
            for line in body.lines
            if not line.is_voided
        ),
    )


def seen_until(occurred_at: datetime, version: str) -> datetime:
    """Give up to which moment a telling knows its object: the version of many sources is that moment."""
    try:
        moment = datetime.fromisoformat(version)
    except ValueError:
        return occurred_at
    return max(moment, occurred_at) if moment.tzinfo else occurred_at


def _note_header(order: KeptOrder, body: Order, *, is_first: bool) -> None:
    order.number, order.kind, order.currency = body.number, body.kind, body.currency
    order.is_test = body.is_test
    # What was open once is never pending again.
    order.is_pending = body.is_pending and (is_first or order.is_pending)
    order.placed_at = body.placed_at
    order.day = body.business_day or order.day
    paid = sum((e.amount for e in body.tenders if e.kind not in _NOT_PAID), NOTHING)
    order.paid = min(max(paid, -LARGEST), LARGEST)


def _agree_first(order: KeptOrder, one: Told, made_by: str) -> None:
    """Agree the order itself, then each refund that was told before it, one by one."""
    at, waiting = one.event.occurred_at, dict(order.refunds)
    order.refunds.clear()
    order.agree({}, "order", at, made_by, one.event_id)
    for name, refund in sorted(waiting.items(), key=lambda item: (item[1].happened_at, item[0])):
        before = order.parts()
        order.refunds[name] = refund
        order.agree(before, "refund", refund.happened_at, made_by, None)


def _refused(order: KeptOrder, one: Told, currency: str, content: Content) -> HoldRecord | None:
    label, amount = one.event.label, one.event.amount
    if order.currency and currency != order.currency:
        words = (
            f"{label} is in {currency}, but the order was told in {order.currency} before. Nobody can"
            " tell the difference. Correct it at the sender, or discard this record."
        )
        return HoldRecord("order.currency_changed", "/currency", words, amount)
    if not is_storable(content) or (amount is not None and abs(amount.amount) >= LARGEST):
        words = f"{label} carries an amount that no order can have. Correct it at the sender."
        return HoldRecord("order.amount_out_of_range", "/lines", words)
    return None


def _refused_sum(one: Told, body: Order, content: Content) -> HoldRecord | None:
    """Hold an order of which the parts do not make the total: no sum of agreements would be it."""
    parts = gross_of(content)
    if parts == body.total or not body.lines:
        return None
    words = (
        f"{one.event.label} says {body.total} {body.currency} in total, but its lines, shipping, fees"
        f" and rounding make {parts} {body.currency}. Correct it at the sender."
    )
    stake = Money(amount=body.total, currency=body.currency)
    return HoldRecord("order.totals_differ", "/total", words, stake)
