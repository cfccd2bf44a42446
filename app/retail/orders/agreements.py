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

from connectors.canonical.order import Line, Order, Refund

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
    order = after or before
    if order is None:
        return ()
    return tuple(
        SaleRecord(reason, happened_at, key, sku, order.currency, change)
        for key, sku, change in differences(content_of(before), content_of(after))
    )


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
# What an order, or a refund of it, comes to by line: the article and its amounts.
Content = dict[LineKey, _Line]


def differences(before: Content, after: Content) -> list[tuple[LineKey, str | None, Amounts]]:
    """Give line by line what leads from one content to another; nothing for lines that stay."""
    found = []
    for key in [*after, *(key for key in before if key not in after)]:
        (sku, amounts), (old_sku, old_amounts) = after.get(key, _NONE), before.get(key, _NONE)
        change = amounts - old_amounts
        if not change.is_nothing():
            found.append((key, sku or old_sku, change))
    return found


def gross_of(content: Content) -> Decimal:
    """Sum up what a content comes to, tax included."""
    return sum((amounts.gross for _, amounts in content.values()), Decimal(0))


def content_of(order: Order | None) -> Content:
    """Give what an order comes to by line; a line told twice under one id is one line."""
    return _summed(_told(order) if order is not None else ())


def content_of_refund(refund: Refund) -> Content:
    """Give what a refund takes from its order: its goods, and under its own id the money beyond them."""
    goods: list[_Told] = [
        (("product", line.line_id), line.sku, _amounts(line)) for line in _kept(refund.lines)
    ]
    beyond = -refund.amount - sum((amounts.gross for _, _, amounts in goods), Decimal(0))
    return _summed([*goods, (("fee", refund.refund_id), None, Amounts(net=beyond, gross=beyond))])


_Told = tuple[LineKey, str | None, Amounts]


def _summed(told: Iterable[_Told]) -> Content:
    found: Content = {}
    for key, sku, amounts in told:
        known = found.get(key, _NONE)
        found[key] = (sku or known[0], known[1] + amounts)
    return {key: line for key, line in found.items() if not line[1].is_nothing()}


def _kept(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if not line.is_voided]


def _told(order: Order) -> Iterator[_Told]:
    for line in _kept(order.lines):
        yield ("product", line.line_id), line.sku, _amounts(line)
    shipping_tax = sum((tax.amount for tax in order.shipping_taxes), Decimal(0))
    shipping = Amounts(net=order.shipping - shipping_tax, tax=shipping_tax, gross=order.shipping)
    yield ("shipping", ""), None, shipping
    yield ("fee", ""), None, Amounts(net=order.fees, gross=order.fees)
    yield ("rounding", ""), None, Amounts(net=order.rounding, gross=order.rounding)


def _amounts(line: Line) -> Amounts:
    tax = sum((each.amount for each in line.taxes), Decimal(0))
    return Amounts(line.quantity, line.net, line.discount, tax, line.gross)
