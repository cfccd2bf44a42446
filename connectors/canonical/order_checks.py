"""What must hold of every order, by name: an error keeps it back, a warning lets it pass and is told.

The numbers are those of the specification of the retail objects; O-6 (quantities of fulfilment), O-7
(refunds against what was captured) and O-12 (agreements) need more than one object and stand with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connectors.canonical.money import minor_units
from connectors.canonical.order import Order

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that an order breaks: where (JSON pointer into the order), and in plain words."""

    rule: str
    severity: Severity
    pointer: str
    words: str


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    severity: Severity
    check: Callable[[Order], Iterator[tuple[str, str]]]


def breaches(order: Order) -> list[Breach]:
    """Give every rule that this order breaks, in the order of the rules."""
    return [
        Breach(rule.name, rule.severity, pointer, words)
        for rule in RULES
        for pointer, words in rule.check(order)
    ]


def _total(order: Order) -> Iterator[tuple[str, str]]:
    if not order.lines:
        return
    goods = sum((line.gross for line in order.lines if not line.is_voided), Decimal(0))
    parts = goods + order.shipping + order.fees + order.rounding
    if parts != order.total:
        words = f"Its parts make {parts} {order.currency}, the total says {order.total}."
        yield "/total", words


def _net(order: Order) -> Iterator[tuple[str, str]]:
    """Check net = unit price x quantity less discount; the source may round each line to the cent."""
    for place, line in enumerate(order.lines):
        if line.is_voided or line.sku is None:
            continue
        wanted = line.unit_price * line.quantity - line.discount
        if abs(wanted - line.net) > _cent(order):
            sum_ = f"{line.quantity} x {line.unit_price} less {line.discount}"
            words = f"{line.title}: {sum_} is {wanted}, the line says {line.net}."
            yield f"/lines/{place}/net", words


def _tenders(order: Order) -> Iterator[tuple[str, str]]:
    if order.kind != "pos" or not order.tenders:
        return
    paid = sum((tender.amount for tender in order.tenders), Decimal(0))
    if paid != order.total:
        off = f"{'over' if paid > order.total else 'short'} by {abs(paid - order.total)}"
        yield "/tenders", f"Paid {paid} for a ticket of {order.total}: the till is {off}."


def _paid_too_much(order: Order) -> Iterator[tuple[str, str]]:
    if order.kind == "pos" or not order.tenders:
        return
    paid = sum((tender.amount for tender in order.tenders), Decimal(0))
    if paid > order.total:
        yield (
            "/tenders",
            f"{paid} {order.currency} were captured for an order of {order.total}.",
        )


def _taxes(order: Order) -> Iterator[tuple[str, str]]:
    """Check that a stated tax is its rate of the net, within a minor unit; it is never recomputed."""
    for place, line in enumerate(order.lines):
        for number, tax in enumerate(line.taxes):
            if tax.rate is None or line.is_voided:
                continue
            base = line.net if not order.tax_inclusive else line.net / (1 + tax.rate)
            if abs(base * tax.rate - tax.amount) > _cent(order):
                yield (
                    f"/lines/{place}/taxes/{number}/amount",
                    f"{line.title}: {tax.rate:%} of {base:.2f} is not {tax.amount}.",
                )


def _whole_pieces(order: Order) -> Iterator[tuple[str, str]]:
    for place, line in enumerate(order.lines):
        if line.uom == "EA" and line.quantity != line.quantity.to_integral_value():
            yield (
                f"/lines/{place}/quantity",
                f"{line.title}: {line.quantity} pieces. Pieces are whole; state another unit.",
            )


def _mapped(order: Order) -> Iterator[tuple[str, str]]:
    for place, line in enumerate(order.lines):
        if line.sku is None and not line.is_voided:
            yield (
                f"/lines/{place}/sku",
                f"{line.title} is no article we know: its money is booked, its stock is not.",
            )


def _cent(order: Order) -> Decimal:
    return Decimal(1).scaleb(-minor_units(order.currency))


RULES: tuple[_Rule, ...] = (
    _Rule("O-1", "error", _total),
    _Rule("O-2", "warning", _net),
    _Rule("O-3", "error", _tenders),
    _Rule("O-3", "warning", _paid_too_much),
    _Rule("O-5", "warning", _taxes),
    _Rule("O-8", "warning", _whole_pieces),
    _Rule("O-11", "warning", _mapped),
)
