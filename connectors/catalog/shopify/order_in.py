"""A Shopify order as the canonical order: what was sold, to the minor unit, or held."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.order import Address, Customer, Line, Order, OrderKind, Tax
from connectors.catalog.shopify.line_in import discount_of, read_line, tax_sum, taxes_of
from connectors.catalog.shopify.order_totals import Told, checked_rounding
from connectors.catalog.shopify.tender_in import paid_tenders
from connectors.sdk.message import JsonObject
from connectors.sdk.payload import (
    Part,
    amount,
    amount_or,
    currency,
    flag,
    identifier,
    identifier_or,
    items,
    moment,
    moment_or_none,
    part_or_none,
    text,
    text_or,
)

# `source_name` of orders that are not a web checkout; sales channels and apps give their own id.
_KINDS: dict[str, OrderKind] = {"pos": "pos", "shopify_draft_order": "phone"}


@dataclass(frozen=True, slots=True)
class _Shipping:
    """Shipping in sum: what the customer pays (tax included), its taxes, and its discount."""

    gross: Decimal
    taxes: tuple[Tax, ...]
    discount: Decimal
    count: int


def read_order(payload: JsonObject) -> Order:
    """Read an order in the shop's currency; holds one whose parts do not make its total.

    `placed_at` is when it was sold (`processed_at`), also for orders imported later. `total` is
    what the customer pays, a cash rounding included.
    """
    code = currency(payload, "/currency")
    tax_inclusive = flag(payload, "/taxes_included", default=False)
    kind = _KINDS.get(text_or(payload, "/source_name"), "web")
    sold = items(payload, "/line_items", required=True)
    lines = tuple(
        read_line(each, code, tax_inclusive=tax_inclusive) for each in sold if not _is_tip(each)
    )
    shipping = _shipping(payload, code, tax_inclusive=tax_inclusive)
    fees = _fees(payload, code, tax_inclusive=tax_inclusive)
    cash_rounding = _shop_money(payload, "/total_cash_rounding_payment_adjustment_set", code)
    total = amount(payload, "/total_price", code)
    rounding = cash_rounding + checked_rounding(
        payload,
        Told(
            number=text(payload, "/name"),
            currency=code,
            total=total,
            parts=_gross(lines) + shipping.gross + fees,
            discounts=sum((line.discount for line in lines), Decimal(0)),
            shipping_discount=shipping.discount,
            count=len(lines) + shipping.count,
        ),
    )
    return Order(
        order_id=identifier(payload, "/id"),
        number=text(payload, "/name"),
        kind=kind,
        currency=code,
        tax_inclusive=tax_inclusive,
        placed_at=moment_or_none(payload, "/processed_at") or moment(payload, "/created_at"),
        store=(identifier_or(payload, "/location_id") or None) if kind == "pos" else None,
        workstation=(identifier_or(payload, "/device_id") or None) if kind == "pos" else None,
        operator=(identifier_or(payload, "/user_id") or None) if kind == "pos" else None,
        lines=lines,
        shipping=shipping.gross,
        shipping_taxes=shipping.taxes,
        fees=fees,
        rounding=rounding,
        total=total + cash_rounding,
        tenders=paid_tenders(payload, code, total + cash_rounding),
        customer=_customer(payload),
        ship_to=_address(part_or_none(payload, "/shipping_address")),
        is_test=flag(payload, "/test", default=False),
    )


def _gross(lines: tuple[Line, ...]) -> Decimal:
    return sum((line.gross for line in lines), Decimal(0))


def _shipping(payload: JsonObject, code: str, *, tax_inclusive: bool) -> _Shipping:
    kept = [
        each
        for each in items(payload, "/shipping_lines")
        if not flag(each, "/is_removed", default=False)
    ]
    discount = sum((discount_of(each, code) for each in kept), Decimal(0))
    taxes = tuple(tax for each in kept for tax in taxes_of(each, code))
    net = sum((amount(each, "/price", code) for each in kept), Decimal(0)) - discount
    return _Shipping(net if tax_inclusive else net + tax_sum(taxes), taxes, discount, len(kept))


def _fees(payload: JsonObject, code: str, *, tax_inclusive: bool) -> Decimal:
    """Add up tips, import duties and fees: money in the total that buys no goods."""
    additional = _shop_money(payload, "/original_total_additional_fees_set", code)
    return _tips(payload, code) + _duties(payload, code, tax_inclusive=tax_inclusive) + additional


def _is_tip(line: Part) -> bool:
    # Shopify writes a tip as a line; only this field tells it from goods.
    return bool(text_or(line, "/tip_payment_gateway"))


def _tips(payload: JsonObject, code: str) -> Decimal:
    tips = [each for each in items(payload, "/line_items") if _is_tip(each)]
    if not tips:
        return amount_or(payload, "/total_tip_received", code)
    return _gross(tuple(read_line(each, code, tax_inclusive=True) for each in tips))


def _duties(payload: JsonObject, code: str, *, tax_inclusive: bool) -> Decimal:
    if flag(payload, "/duties_included", default=False):
        return Decimal(0)
    duties = [each for line in items(payload, "/line_items") for each in items(line, "/duties")]
    if not duties:
        return _shop_money(payload, "/original_total_duties_set", code)
    net = sum((amount(each, "/shop_money/amount", code) for each in duties), Decimal(0))
    taxes = tuple(tax for each in duties for tax in taxes_of(each, code))
    return net if tax_inclusive else net + tax_sum(taxes)


def _shop_money(payload: JsonObject, pointer: str, code: str) -> Decimal:
    return amount_or(payload, f"{pointer}/shop_money/amount", code)


def _customer(payload: JsonObject) -> Customer | None:
    person = part_or_none(payload, "/customer")
    email = text_or(payload, "/email")
    if person is None:
        return Customer(email=email) if email else None
    return Customer(
        external_id=identifier_or(person, "/id") or None,
        name=f"{text_or(person, '/first_name')} {text_or(person, '/last_name')}".strip(),
        email=text_or(person, "/email") or email,
    )


def _address(part: Part | None) -> Address | None:
    if part is None:
        return None
    return Address(
        name=text_or(part, "/name"),
        line1=text_or(part, "/address1"),
        line2=text_or(part, "/address2"),
        city=text_or(part, "/city"),
        region=text_or(part, "/province_code"),
        postcode=text_or(part, "/zip"),
        country=text_or(part, "/country_code"),
        phone=text_or(part, "/phone"),
    )
