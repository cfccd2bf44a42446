"""What an event states of an object, attribute by attribute, so that it can be compared and shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from app.ownership.groups import Group
from connectors.canonical.event import Body, Event
from connectors.canonical.inventory import NO_PLACE_OF_OURS, InventoryCount, InventoryMovement
from connectors.canonical.order import Fulfilment
from connectors.canonical.price import Price
from connectors.canonical.product import Product
from connectors.canonical.promotion import Promotion
from connectors.canonical.stock import StockPosition

VALUE_MAX = 200


@dataclass(frozen=True, slots=True)
class Statement:
    """One attribute of one object at one place; `value` is None for what changes by an amount."""

    group: Group
    attribute: str
    object_id: str
    place: str
    value: str | None


def statements(event: Event) -> list[Statement]:
    """Give what an event states; nothing for documents, which belong to whoever issued them."""
    state = _STATED.get(type(event.body))
    return list(state(event.body)) if state else []


def _of_position(position: StockPosition) -> Iterator[Statement]:
    value = _number(position.available)
    yield Statement("stock", "stock.available", position.sku, position.location, value)


def _of_count(count: InventoryCount) -> Iterator[Statement]:
    value = _number(count.quantity)
    yield Statement("stock", f"stock.{count.state}", count.sku, count.location, value)


def _of_movement(movement: InventoryMovement) -> Iterator[Statement]:
    for place in sorted({movement.from_place.location, movement.to_place.location}):
        if place not in NO_PLACE_OF_OURS:
            yield Statement("stock", "stock.movement", movement.sku, place, None)


def _of_price(price: Price) -> Iterator[Statement]:
    attribute = f"price.{price.kind}.{_number(price.min_quantity)}"
    value = f"{_number(price.amount)} {price.currency} from {price.effective_from:%Y-%m-%d %H:%M}"
    yield Statement("price", attribute, price.sku, price.scope.name, value)


def _of_promotion(promotion: Promotion) -> Iterator[Statement]:
    value = _short(f"{promotion.kind} {msgspec.json.encode(promotion.benefit).decode()}")
    yield Statement("promotion", "promotion", promotion.promotion_id, "", value)


def _of_fulfilment(fulfilment: Fulfilment) -> Iterator[Statement]:
    value = _short(fulfilment.status)
    yield Statement("fulfilment", "fulfilment.status", fulfilment.fulfilment_id, "", value)


def _of_product(product: Product) -> Iterator[Statement]:
    """Give what is said of a product; it is known by the least number of its articles."""
    object_id = min((each.sku for each in product.variants), default=product.product_id)
    content = {
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "media": " ".join(product.media),
    }
    core = {
        "tax_class": product.tax_class,
        # On sale is what a product is when nobody says otherwise.
        "status": product.status if product.status != "active" else "",
        "hierarchy": " / ".join(each.code for each in product.hierarchy),
    }
    for name, value in content.items():
        if value:
            yield Statement("product.content", f"product.{name}", object_id, "", _short(value))
    for name, value in core.items():
        if value:
            yield Statement("product.core", f"product.{name}", object_id, "", _short(value))


def _number(value: Decimal) -> str:
    """Write a number so that 5 and 5.00 are the same."""
    return f"{value.normalize():f}" if value.is_finite() else str(value)


def _short(text: str) -> str:
    """Give a text that fits; a longer one keeps its beginning and what tells it apart."""
    if len(text) <= VALUE_MAX:
        return text
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{text[: VALUE_MAX - 20]}… #{mark}"


_STATED: dict[type[Body], Callable[[Any], Iterator[Statement]]] = {
    StockPosition: _of_position,
    InventoryCount: _of_count,
    InventoryMovement: _of_movement,
    Price: _of_price,
    Promotion: _of_promotion,
    Fulfilment: _of_fulfilment,
    Product: _of_product,
}
