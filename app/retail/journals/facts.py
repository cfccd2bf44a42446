"""A sale or a refund as facts to book: each amount of it once, so that both sides are equal.

What the source says is booked as it says it; tax is never recomputed. What does not add up is a fact
of its own: up to one minor unit a line is `rounding`, anything more is `unexplained`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from app.retail.journals.rules import LineKind, PostingRules
from app.retail.journals.templates import LEGS, FactKind
from connectors.canonical.money import minor_units
from connectors.canonical.order import Line, Order, Refund, Tax, Tender, TenderKind

NOTHING = Decimal(0)
# Tenders that are no claim on a bank or a card scheme; all others are cleared by their own kind.
TENDERS: dict[TenderKind, tuple[FactKind, str]] = {
    "gift_card": ("gift_card_tender", ""),
    "store_credit": ("store_credit_tender", ""),
    "marketplace": ("marketplace_tender", ""),
    "rounding": ("rounding_tender", "cash"),
    # Change is cash that leaves the drawer, whatever it was given for.
    "change": ("tender", "cash"),
}


class Fact(msgspec.Struct, frozen=True, array_like=True):
    """One amount of a document, signed as the customer's sale."""

    kind: FactKind
    detail: str
    amount: Decimal


def order_facts(order: Order, rules: PostingRules) -> tuple[Fact, ...]:
    """Give the facts of an order or a till ticket as it stands; debits equal credits."""
    is_marketplace = order.kind == "marketplace"
    lines = [line for line in order.lines if not line.is_voided]
    facts = [fact for line in lines for fact in _line(line, rules, is_marketplace=is_marketplace)]
    facts += _shipping(order, rules, is_marketplace=is_marketplace)
    facts += [Fact("fee", "", order.fees), Fact("rounding", "cash", order.rounding)]
    facts += [_tender(tender) for tender in order.tenders]
    told = sum((line.gross for line in lines), order.shipping + order.fees + order.rounding)
    facts.append(_remainder(order.total - told, len(lines), order.currency))
    facts.append(_open(order))
    if is_marketplace:
        facts.append(_withheld(order.shipping_taxes, lines, rules))
    return _kept(facts)


def refund_facts(refund: Refund, rules: PostingRules) -> tuple[Fact, ...]:
    """Give the facts of a refund: goods taken back, and money given back with or without them."""
    is_marketplace = any(tender.kind == "marketplace" for tender in refund.tenders)
    lines = [line for line in refund.lines if not line.is_voided]
    facts = [fact for line in lines for fact in _line(line, rules, is_marketplace=is_marketplace)]
    goods = sum((line.gross for line in lines), NOTHING)
    facts.append(Fact("refunded_shipping", "other", -refund.amount - goods))
    facts += [_tender(tender, sign=-1) for tender in refund.tenders]
    paid = sum((abs(tender.amount) for tender in refund.tenders), NOTHING)
    facts.append(Fact("unpaid", "refund", paid - refund.amount))
    if is_marketplace:
        facts.append(_withheld((), lines, rules))
    return _kept(facts)


def signed(fact: Fact) -> Decimal:
    """Give the amount with debit positive and credit negative."""
    return fact.amount if LEGS[fact.kind].side == "debit" else -fact.amount


def _line(line: Line, rules: PostingRules, *, is_marketplace: bool) -> Iterator[Fact]:
    tax = sum((each.amount for each in line.taxes), NOTHING)
    before_tax = line.gross - tax
    kind = _kind_of(line, rules)
    if kind is not None:
        yield Fact(kind, "", before_tax)
    else:
        department = rules.departments.get(line.sku or "", "")
        shown = line.discount if rules.discounts == "shown" else NOTHING
        is_return = line.quantity < 0
        yield Fact("returned_goods" if is_return else "goods", department, before_tax + shown)
        yield Fact("discount", department, shown)
    yield from _posted_taxes(line.taxes, rules, is_marketplace=is_marketplace)


def _kind_of(line: Line, rules: PostingRules) -> LineKind | None:
    if not rules.lines:
        return None
    names = [name for name in (line.sku, line.title) if name]
    for known, kind in rules.lines.items():
        if any(
            name.startswith(known[:-1]) if known.endswith("*") else name == known for name in names
        ):
            return kind
    return None


def _posted_taxes(
    taxes: tuple[Tax, ...], rules: PostingRules, *, is_marketplace: bool
) -> Iterator[Fact]:
    if not is_marketplace:
        yield from (Fact("tax", tax.name, tax.amount) for tax in taxes)
    elif rules.marketplace_tax == "in_and_out":
        yield from (Fact("marketplace_tax", tax.name, tax.amount) for tax in taxes)


def _shipping(order: Order, rules: PostingRules, *, is_marketplace: bool) -> list[Fact]:
    tax = sum((each.amount for each in order.shipping_taxes), NOTHING)
    return [
        Fact("shipping", "", order.shipping - tax),
        *_posted_taxes(order.shipping_taxes, rules, is_marketplace=is_marketplace),
    ]


def _tender(tender: Tender, sign: int = 1) -> Fact:
    """Book a tender under its kind; refunds tell their tenders positive or negative."""
    kind, detail = TENDERS.get(tender.kind, ("tender", tender.kind))
    return Fact(kind, detail, tender.amount if sign > 0 else -abs(tender.amount))


def _remainder(remainder: Decimal, lines: int, currency: str) -> Fact:
    bound = Decimal(max(lines, 1)).scaleb(-minor_units(currency))
    if abs(remainder) <= bound:
        return Fact("rounding", "document", remainder)
    return Fact("unexplained", "document", remainder)


def _open(order: Order) -> Fact:
    """Give what is not paid by a tender, or paid too much, under the role that has to answer for it."""
    paid = sum((tender.amount for tender in order.tenders), NOTHING)
    if order.kind == "marketplace":
        return Fact("marketplace_tender", "", order.total - paid)
    if order.kind == "pos" and order.tenders:
        return Fact("tender_difference", "", order.total - paid)
    return Fact("unpaid", "", order.total - paid)


def _withheld(shipping: tuple[Tax, ...], lines: list[Line], rules: PostingRules) -> Fact:
    """Take off what the marketplace owes us the tax that it collected and pays to the state itself."""
    taxes = [tax.amount for line in lines for tax in line.taxes]
    taxes += [tax.amount for tax in shipping]
    is_posted = rules.marketplace_tax == "in_and_out"
    return Fact("withheld_tax", "", NOTHING if is_posted else -sum(taxes, NOTHING))


def _kept(facts: list[Fact]) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact.amount)
