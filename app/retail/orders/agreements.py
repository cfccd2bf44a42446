"""An order is what was agreed, and then agreed anew: only the difference is ever added.

The ERP books records, not orders. So an edit after an order was exported posts its delta, a
cancellation posts everything back, and the sum of all records is the order as it stands now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Literal

from connectors.canonical.order import Line, Order

Reason = Literal["order", "order_edit", "cancellation", "refund", "return", "correction"]
LineType = Literal["product", "shipping", "fee", "rounding"]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one line comes to; differences of two of them are amounts again."""

    quantity: Decimal = Decimal(0)
    net: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, each) - getattr(other, each) for each in _NAMES))

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, each) + getattr(other, each) for each in _NAMES))

    def is_nothing(self) -> bool:
        """Say whether nothing changed."""
        return not any(getattr(self, each) for each in _NAMES)


_NAMES = tuple(field.name for field in fields(Amounts))
NOTHING = Amounts()

# What a record is about: the kind of line, and the source's id of it ("" for shipping and the like).
LineKey = tuple[LineType, str]


@dataclass(frozen=True, slots=True)
class SaleRecord:
    """One line of one agreement: what it adds to (or takes from) the line named by `key`.

    `currency` is the order's; `happened_at` is aware UTC.
    """

    reason: Reason
    happened_at: datetime
    key: LineKey
    sku: str | None
    currency: str
    amounts: Amounts


class CurrencyChanged(ValueError):
    """An order was told in one currency and then in another: no difference can be taken."""


def agree(
    before: Order | None, after: Order | None, reason: Reason, happened_at: datetime
) -> tuple[SaleRecord, ...]:
    """Give the records that lead from one telling of an order to the next; empty when nothing changed.

    `before` is None for a new order, `after` is None when the whole order is taken back.
    Raises CurrencyChanged.
    """
    if before is not None and after is not None and before.currency != after.currency:
        raise CurrencyChanged(f"Order {after.number}: {before.currency}, then {after.currency}.")
    old, new = _lines(before), _lines(after)
    order = after or before
    if order is None:
        return ()
    records = []
    for key in [*new, *(key for key in old if key not in new)]:
        (sku, amounts), (old_sku, old_amounts) = new.get(key, _NONE), old.get(key, _NONE)
        change = amounts - old_amounts
        if not change.is_nothing():
            records.append(
                SaleRecord(reason, happened_at, key, sku or old_sku, order.currency, change)
            )
    return tuple(records)


def standing(records: Iterable[SaleRecord]) -> dict[LineKey, Amounts]:
    """Sum up records by line: the order as it stands; lines that came to nothing are left out."""
    sums: dict[LineKey, Amounts] = {}
    for record in records:
        sums[record.key] = sums.get(record.key, NOTHING) + record.amounts
    return {key: amounts for key, amounts in sums.items() if not amounts.is_nothing()}


def total(records: Iterable[SaleRecord]) -> Decimal:
    """Sum up what all records come to, tax included."""
    return sum((record.amounts.gross for record in records), Decimal(0))


_Line = tuple[str | None, Amounts]
_NONE: _Line = (None, NOTHING)


def _lines(order: Order | None) -> dict[LineKey, _Line]:
    """Give what an order comes to by line; a line told twice under one id is one line."""
    found: dict[LineKey, _Line] = {}
    for key, sku, amounts in _told(order) if order is not None else ():
        known = found.get(key, _NONE)
        found[key] = (sku or known[0], known[1] + amounts)
    return found


def _told(order: Order) -> Iterator[tuple[LineKey, str | None, Amounts]]:
    for line in order.lines:
        if not line.is_voided:
            yield ("product", line.line_id), line.sku, _amounts(line)
    shipping_tax = sum((tax.amount for tax in order.shipping_taxes), Decimal(0))
    shipping = Amounts(net=order.shipping - shipping_tax, tax=shipping_tax, gross=order.shipping)
    yield ("shipping", ""), None, shipping
    yield ("fee", ""), None, Amounts(net=order.fees, gross=order.fees)
    yield ("rounding", ""), None, Amounts(net=order.rounding, gross=order.rounding)


def _amounts(line: Line) -> Amounts:
    tax = sum((each.amount for each in line.taxes), Decimal(0))
    return Amounts(line.quantity, line.net, line.discount, tax, line.gross)
