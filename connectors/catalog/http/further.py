"""Objects beside orders and stock: how each is named, and what its event says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import msgspec

from connectors.canonical.acknowledgement import OrderAcknowledgement
from connectors.canonical.event import Event
from connectors.canonical.inventory import InventoryCount, InventoryMovement
from connectors.canonical.journal import (
    Journal,
    journal_label,
    journal_name,
    journal_total,
    ordering_key,
)
from connectors.canonical.money import Money
from connectors.canonical.oversell import OversellDecision
from connectors.canonical.posting import OrderPosting
from connectors.canonical.price import Price
from connectors.canonical.product import Product
from connectors.canonical.promotion import Promotion
from connectors.canonical.return_step import ReturnStep
from connectors.canonical.returns import Return
from connectors.canonical.settlement import Settlement
from connectors.catalog.http.envelope import Told
from connectors.catalog.http.struct_in import read_struct
from connectors.sdk.message import HoldRecord
from connectors.sdk.payload import currency


@dataclass(frozen=True, slots=True)
class Naming:
    """How an object is named in its event; `at` is None where the object does not say when."""

    key: Callable[[Any], str]
    object_id: Callable[[Any], str]
    label: Callable[[Any], str]
    at: Callable[[Any], datetime | None]
    amount: Callable[[Any], Money | None] = lambda _: None


NAMINGS: dict[type[msgspec.Struct], Naming] = {
    InventoryMovement: Naming(
        key=lambda it: f"stock:{it.to_place.location}/{it.sku}",
        object_id=lambda it: it.movement_id,
        label=lambda it: f"Movement of {it.sku}",
        at=lambda it: it.occurred_at,
    ),
    InventoryCount: Naming(
        key=lambda it: f"stock:{it.location}/{it.sku}",
        object_id=lambda it: it.count_id,
        label=lambda it: f"Count of {it.sku} at {it.location}",
        at=lambda it: it.as_of,
    ),
    Product: Naming(
        key=lambda it: f"product:{it.product_id}",
        object_id=lambda it: it.product_id,
        label=lambda it: f"Product {it.title or it.product_id}",
        at=lambda _: None,
    ),
    Price: Naming(
        key=lambda it: f"price:{it.sku}/{it.scope.kind}/{it.scope.name}",
        object_id=lambda it: it.price_id,
        label=lambda it: f"Price {it.price_id} of {it.sku}",
        at=lambda _: None,
        amount=lambda it: Money(amount=it.amount, currency=it.currency),
    ),
    Promotion: Naming(
        key=lambda it: f"promotion:{it.promotion_id}",
        object_id=lambda it: it.promotion_id,
        label=lambda it: f"Promotion {it.name}",
        at=lambda _: None,
    ),
    Return: Naming(
        key=lambda it: f"return:{it.return_id}",
        object_id=lambda it: it.return_id,
        label=lambda it: f"Return {it.number}",
        at=lambda it: it.initiated_at,
    ),
    ReturnStep: Naming(
        key=lambda it: f"return:{it.return_id}/{it.task}",
        object_id=lambda it: it.step_id,
        label=lambda it: f"Return {it.number}: {it.task}",
        at=lambda it: it.asked_at,
        amount=lambda it: Money(amount=it.paid.amount, currency=it.currency) if it.paid else None,
    ),
    Settlement: Naming(
        key=lambda it: f"settlement:{it.channel}/{it.settlement_id}",
        object_id=lambda it: it.settlement_id,
        label=lambda it: f"Settlement {it.settlement_id} of {it.channel}",
        at=lambda it: it.period_end,
        amount=lambda it: Money(amount=it.payout, currency=it.currency),
    ),
    Journal: Naming(
        key=ordering_key,
        object_id=journal_name,
        label=journal_label,
        at=lambda it: datetime.combine(it.posted_on, time(), UTC),
        amount=lambda it: Money(amount=journal_total(it), currency=it.currency),
    ),
    OrderAcknowledgement: Naming(
        key=lambda it: f"order:{it.channel}/{it.order_id}",
        object_id=lambda it: f"{it.channel}/{it.order_id}",
        label=lambda it: f"Acknowledgement of order {it.number}",
        at=lambda it: it.acknowledged_at,
    ),
    OrderPosting: Naming(
        key=lambda it: f"order:{it.order_id}",
        object_id=lambda it: f"{it.order_id}/{it.agreement}",
        label=lambda it: f"Posting {it.agreement} of order {it.number}",
        at=lambda it: it.happened_at,
        amount=lambda it: Money(amount=it.total, currency=it.currency),
    ),
    OversellDecision: Naming(
        key=lambda it: f"order:{it.order_id}",
        object_id=lambda it: it.case_id,
        label=lambda it: f"Order {it.order_id}: {it.resolution} of {it.sku}",
        at=lambda it: it.decided_at,
        amount=lambda it: (
            Money(amount=it.amount, currency=it.currency) if it.amount is not None else None
        ),
    ),
}


def read_named(kind: type[msgspec.Struct], told: Told) -> Event:
    """Turn one such object into its event; raises HoldRecord.

    An object that does not say when it was set, in an envelope that does not say it either, is held:
    of two tellings nobody could say which is newer.
    """
    naming = NAMINGS[kind]
    code = currency(told.data, "/currency") if "currency" in told.data.value else ""
    body: Any = read_struct(kind, told.data, code)
    at = naming.at(body) or told.told_at
    if at is None:
        words = "This does not say when it was set. Send it as a CloudEvent with a time."
        raise HoldRecord("contract.missing_field", "/time", words)
    return Event(
        type=told.type,
        key=naming.key(body),
        object_id=naming.object_id(body),
        version=told.version,
        label=naming.label(body),
        occurred_at=at,
        amount=naming.amount(body),
        body=body,
    )
