"""A Shopify fulfilment as the canonical one: which goods left, with which parcels."""

from __future__ import annotations

from connectors.canonical.order import Fulfilment
from connectors.catalog.shopify.line_in import read_line
from connectors.sdk.message import JsonObject
from connectors.sdk.payload import Part, identifier, items, moment, text, text_or

# Lines of a shipment are told for their quantities; old payloads name no currency for their prices.
_USUAL_CURRENCY = "USD"


def read_fulfilment(payload: JsonObject, settings: JsonObject) -> Fulfilment:
    """Read a fulfilment; `status` is Shopify's (success, cancelled, failure, ...)."""
    order_id = identifier(payload, "/order_id")
    # "#1001.2" is the second fulfilment of order #1001.
    number, _, _ = text_or(payload, "/name").rpartition(".")
    return Fulfilment(
        fulfilment_id=identifier(payload, "/id"),
        order_id=order_id,
        order_number=number,
        status=text(payload, "/status"),
        shipped_at=moment(payload, "/created_at"),
        carrier=text_or(payload, "/tracking_company"),
        tracking_numbers=_tracking_numbers(payload),
        lines=tuple(
            read_line(each, _currency(each, settings), tax_inclusive=False)
            for each in items(payload, "/line_items")
        ),
    )


def _currency(line: Part, settings: JsonObject) -> str:
    told = text_or(line, "/price_set/shop_money/currency_code")
    return told or text_or(settings, "/currency", _USUAL_CURRENCY)


def _tracking_numbers(payload: JsonObject) -> tuple[str, ...]:
    numbers = payload.get("tracking_numbers")
    told = [one for one in numbers if isinstance(one, str)] if isinstance(numbers, list) else []
    return tuple(told) or tuple(filter(None, [text_or(payload, "/tracking_number")]))
