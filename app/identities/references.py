"""Where an event names an article, a place or a customer, and the same event with other names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from app.identities.bindings import Kind
from connectors.canonical.event import Body, Event
from connectors.canonical.inventory import NO_PLACE_OF_OURS, InventoryCount, InventoryMovement
from connectors.canonical.order import Fulfilment, Order, Refund
from connectors.canonical.oversell import OversellDecision
from connectors.canonical.posting import OrderPosting
from connectors.canonical.price import Price, PriceScope
from connectors.canonical.product import Product
from connectors.canonical.promotion import Promotion
from connectors.canonical.return_step import ReturnStep
from connectors.canonical.returns import Return
from connectors.canonical.settlement import Settlement
from connectors.canonical.stock import StockPosition

# Every entry of a list.
EACH = "*"
Path = tuple[str, ...]
# Gives the name to write: another one, the same, or None for nothing.
Change = Callable[[Kind, str, str], str | None]


@dataclass(frozen=True, slots=True)
class Reference:
    """One name in an event: of what, where (JSON pointer into the body), and the name."""

    kind: Kind
    pointer: str
    name: str


_LINES: tuple[tuple[Kind, Path], ...] = (("variant", ("lines", EACH, "sku")),)
PATHS: dict[type[Body], tuple[tuple[Kind, Path], ...]] = {
    Order: (*_LINES, ("location", ("store",)), ("customer", ("customer", "external_id"))),
    Refund: _LINES,
    Fulfilment: _LINES,
    StockPosition: (("variant", ("sku",)), ("location", ("location",))),
    InventoryMovement: (
        ("variant", ("sku",)),
        ("location", ("from_place", "location")),
        ("location", ("to_place", "location")),
    ),
    InventoryCount: (("variant", ("sku",)), ("location", ("location",))),
    Product: (
        ("variant", ("variants", EACH, "sku")),
        ("variant", ("variants", EACH, "components", EACH, "sku")),
    ),
    Price: (("variant", ("sku",)), ("location", ("scope", "name"))),
    Promotion: (
        ("variant", ("eligibility", "skus", EACH)),
        ("location", ("eligibility", "stores", EACH)),
    ),
    Return: (
        *_LINES,
        ("location", ("location",)),
        ("location", ("lines", EACH, "restock_location")),
    ),
    ReturnStep: (
        ("variant", ("moves", EACH, "sku")),
        ("location", ("moves", EACH, "location")),
    ),
    Settlement: _LINES,
    OrderPosting: _LINES,
    OversellDecision: (
        ("variant", ("sku",)),
        ("variant", ("substitute_sku",)),
        ("location", ("location",)),
    ),
}


def references(event: Event) -> Iterator[Reference]:
    """Give every name in an event that means an object of the retailer."""
    found: list[Reference] = []

    def note(kind: Kind, pointer: str, name: str) -> str:
        found.append(Reference(kind, pointer, name))
        return name

    renamed_body(event.body, note)
    return iter(found)


def renamed_body(body: Body, change: Change) -> Body:
    """Give the same body with other names; what is not named otherwise is the very same object."""
    for kind, path in PATHS.get(type(body), ()):
        body = _changed(body, path, "", kind, change)
    return body


def _changed(value: Any, path: Path, pointer: str, kind: Kind, change: Change) -> Any:
    if not path:
        return _renamed(value, pointer, kind, change)
    step, rest = path[0], path[1:]
    if value is None or (isinstance(value, PriceScope) and value.kind != "store"):
        return value
    if step == EACH:
        entries = tuple(
            _changed(each, rest, f"{pointer}/{place}", kind, change)
            for place, each in enumerate(value)
        )
        same = all(new is old for new, old in zip(entries, value, strict=True))
        return value if same else entries
    old = getattr(value, step)
    new = _changed(old, rest, f"{pointer}/{step}", kind, change)
    return value if new is old else msgspec.structs.replace(value, **{step: new})


def _renamed(name: str | None, pointer: str, kind: Kind, change: Change) -> str | None:
    """Change one name; what is no name (nothing, or a place of nobody's) stays."""
    if not name or (kind == "location" and name in NO_PLACE_OF_OURS):
        return name
    new = change(kind, pointer, name)
    return name if new == name else new
