"""The sale that a return goes back to: quantities, money by line, tenders; without any person.

Without a receipt there is no sale: then the policy's price stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from connectors.canonical.money import quantized
from connectors.canonical.order import Order, Tax, Tender, TenderKind
from connectors.canonical.return_checks import Sold
from connectors.canonical.returns import Return

LOWEST_PRICE_DAYS = 90


class SoldLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line as it was sold: `net` without tax; `returned` is what came back in other returns."""

    line_id: str
    sku: str | None = None
    quantity: Decimal
    returned: Decimal = Decimal(0)
    net: Decimal
    taxes: tuple[Tax, ...] = ()


class PaidTender(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tender as it was captured; `refunded` went back in other returns."""

    tender_id: str
    kind: TenderKind
    amount: Decimal
    refunded: Decimal = Decimal(0)


class Sale(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was sold and paid; `points` is what the sale earned, `order_id` None without a receipt."""

    order_id: str | None
    currency: str
    sold_at: datetime
    lines: tuple[SoldLine, ...]
    shipping: Decimal = Decimal(0)
    shipping_taxes: tuple[Tax, ...] = ()
    tenders: tuple[PaidTender, ...] = ()
    points: int = 0

    @property
    def captured(self) -> Decimal:
        """Sum up what was paid."""
        return sum((each.amount for each in self.tenders), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        """Sum up what went back in other returns."""
        return sum((each.refunded for each in self.tenders), Decimal(0))


def sale_of(
    order: Order, *, returned: Mapping[str, Decimal] | None = None, points: int = 0
) -> Sale:
    """Make the sale from an order as it stands; `returned` by line id what came back before.

    Change given is taken off the cash. `net` is always without tax, whatever the order's prices hold.
    """
    before = returned or {}
    lines = tuple(
        SoldLine(
            line_id=line.line_id,
            sku=line.sku,
            quantity=line.quantity,
            returned=before.get(line.line_id, Decimal(0)),
            net=line.gross - sum((tax.amount for tax in line.taxes), Decimal(0)),
            taxes=line.taxes,
        )
        for line in order.lines
        if not line.is_voided and line.quantity > 0
    )
    shipping_tax = sum((tax.amount for tax in order.shipping_taxes), Decimal(0))
    return Sale(
        order_id=order.order_id,
        currency=order.currency,
        sold_at=order.placed_at,
        lines=lines,
        shipping=order.shipping - shipping_tax,
        shipping_taxes=order.shipping_taxes,
        tenders=_paid(order.tenders),
        points=points,
    )


def _paid(tenders: Iterable[Tender]) -> tuple[PaidTender, ...]:
    told = list(tenders)
    change = -sum((each.amount for each in told if each.kind == "change"), Decimal(0))
    paid = []
    for place, each in enumerate(told, 1):
        if each.kind in {"change", "rounding"} or each.amount <= 0:
            continue
        off = min(change, each.amount) if each.kind == "cash" else Decimal(0)
        change -= off
        tender_id = each.reference or f"{each.kind}-{place}"
        paid.append(PaidTender(tender_id=tender_id, kind=each.kind, amount=each.amount - off))
    return tuple(paid)


@dataclass(frozen=True, slots=True)
class PriceSeen:
    """What an article was sold for, tax included, at a moment; `rate` is its tax then."""

    sku: str
    gross: Decimal
    rate: Decimal
    at: datetime


def sale_without_receipt(
    of: Return, prices: Iterable[PriceSeen], days: int = LOWEST_PRICE_DAYS
) -> Sale:
    """Make what stands for the sale without a receipt: the lowest price of the last `days`.

    An article that was not sold in that time is worth nothing until a person says otherwise. All of
    it is store credit.
    """
    since = of.initiated_at - timedelta(days=days)
    lowest: dict[str, PriceSeen] = {}
    for seen in prices:
        if since <= seen.at <= of.initiated_at:
            known = lowest.get(seen.sku)
            if known is None or (seen.gross, seen.at) < (known.gross, known.at):
                lowest[seen.sku] = seen
    lines = tuple(
        _valued(line.line_id, line.sku, line.requested, lowest.get(line.sku or ""), of.currency)
        for line in of.lines
    )
    worth = sum((line.net + sum(tax.amount for tax in line.taxes) for line in lines), Decimal(0))
    credit = PaidTender(tender_id="store_credit", kind="store_credit", amount=worth)
    return Sale(
        order_id=None,
        currency=of.currency,
        sold_at=of.initiated_at,
        lines=lines,
        tenders=(credit,),
    )


def _valued(
    line_id: str, sku: str | None, quantity: Decimal, seen: PriceSeen | None, currency: str
) -> SoldLine:
    if seen is None:
        return SoldLine(line_id=line_id, sku=sku, quantity=quantity, net=Decimal(0))
    gross = quantized(seen.gross * quantity, currency)
    net = quantized(gross / (1 + seen.rate), currency)
    taxes = (Tax(name="Tax", rate=seen.rate, amount=gross - net),)
    return SoldLine(line_id=line_id, sku=sku, quantity=quantity, net=net, taxes=taxes)


def sold_for_checks(sale: Sale) -> Sold:
    """Give what the named rules of returns ask of a sale."""
    taxes = [*sale.shipping_taxes, *(tax for line in sale.lines for tax in line.taxes)]
    return Sold(
        returnable={line.line_id: line.quantity - line.returned for line in sale.lines},
        captured=sale.captured,
        refunded=sale.refunded,
        tender_kinds=frozenset(each.kind for each in sale.tenders),
        tax_rates=frozenset(tax.rate for tax in taxes),
    )
