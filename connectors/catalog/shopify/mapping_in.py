"""From a Shopify webhook to canonical events: which topic says what, and about which object."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from connectors.canonical.event import (
    ORDER_CANCELLED,
    ORDER_CHANGED,
    ORDER_FULFILLED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    Event,
)
from connectors.canonical.money import Money
from connectors.catalog.shopify.fulfilment_in import read_fulfilment
from connectors.catalog.shopify.order_in import read_order
from connectors.catalog.shopify.refund_in import read_refund
from connectors.sdk.message import HoldRecord, JsonObject, RawMessage, Reading
from connectors.sdk.payload import currency, moment, money, read_payload

# An edit is announced by two webhooks: this thin one with the difference only, and orders/updated
# with the whole order, which we book from.
THIN_NOTICE = "skipped.thin_notice"

_SHOP_HEADER = "x-shopify-shop-domain"
_TOPIC_HEADER = "x-shopify-topic"


def read_message(message: RawMessage) -> Reading:
    """Turn one webhook into its event; raises HoldRecord with the money at stake when it can be told.

    Refunds are told by their own webhook. So an order always carries what was sold (`quantity`,
    `total_price`: before returns), never what is left (`current_...`), or a return would be
    subtracted twice.
    """
    build = _BUILDERS.get(message.topic)
    if build is None:
        words = f'Shopify sent "{message.topic[:64]}", which no flow understands. Unsubscribe it.'
        raise HoldRecord("event.type_unknown", _TOPIC_HEADER, words)
    _check_shop(message)
    payload = read_payload(message)
    if "order_edit" in payload:
        return Reading(skipped=THIN_NOTICE)
    try:
        return Reading(events=(build(payload, message.settings),))
    except HoldRecord as held:
        amount = held.amount or _money_at_stake(payload)
        raise HoldRecord(held.code, held.pointer, held.words, amount) from held


def _check_shop(message: RawMessage) -> None:
    """Hold a webhook of another shop: all shops of one app sign with the same secret."""
    expected = str(message.settings.get("shop_domain", "")).lower()
    told = message.headers.get(_SHOP_HEADER, "").lower()
    if expected and told and expected != told:
        words = "This message comes from another Shopify shop. Correct the webhook's address there."
        raise HoldRecord("connection.shop_differs", _SHOP_HEADER, words)


def _order_event(
    event_type: str, happened: str | None, payload: JsonObject, _: JsonObject
) -> Event:
    order = read_order(payload)
    # That an order was placed is one fact, however often and late it is told.
    marker = "/created_at" if event_type == ORDER_PLACED else "/updated_at"
    return Event(
        type=event_type,
        key=f"order:{order.order_id}",
        object_id=order.order_id,
        version=_version(payload, marker),
        label=f"Order {order.number}",
        occurred_at=moment(payload, happened) if happened else order.placed_at,
        amount=Money(amount=order.total, currency=order.currency),
        body=order,
    )


def _refunded(payload: JsonObject, settings: JsonObject) -> Event:
    refund = read_refund(payload, settings)
    return Event(
        type=ORDER_REFUNDED,
        key=f"order:{refund.order_id}",
        object_id=refund.refund_id,
        version=_version(payload, "/created_at"),
        label=f"Refund {refund.refund_id} of order {refund.order_id}",
        occurred_at=refund.happened_at,
        amount=Money(amount=refund.amount, currency=refund.currency),
        body=refund,
    )


def _fulfilled(payload: JsonObject, settings: JsonObject) -> Event:
    fulfilment = read_fulfilment(payload, settings)
    number = fulfilment.order_number or fulfilment.order_id
    return Event(
        type=ORDER_FULFILLED,
        key=f"order:{fulfilment.order_id}",
        object_id=fulfilment.fulfilment_id,
        version=_version(payload, "/updated_at"),
        label=f"Shipment {fulfilment.fulfilment_id} of order {number}",
        occurred_at=moment(payload, "/updated_at"),
        body=fulfilment,
    )


def _version(payload: JsonObject, pointer: str) -> str:
    # In UTC, so that versions compare as text also across a change of the shop's clock.
    return moment(payload, pointer).isoformat().replace("+00:00", "Z")


def _money_at_stake(payload: JsonObject) -> Money | None:
    try:
        return money(payload, "/total_price", currency(payload, "/currency"))
    except HoldRecord:
        return None


_changed = partial(_order_event, ORDER_CHANGED, "/updated_at")

_BUILDERS: dict[str, Callable[[JsonObject, JsonObject], Event]] = {
    "orders/create": partial(_order_event, ORDER_PLACED, None),
    "orders/paid": _changed,
    "orders/updated": _changed,
    "orders/edited": _changed,
    "orders/cancelled": partial(_order_event, ORDER_CANCELLED, "/cancelled_at"),
    "refunds/create": _refunded,
    "fulfillments/create": _fulfilled,
    "fulfillments/update": _fulfilled,
}
