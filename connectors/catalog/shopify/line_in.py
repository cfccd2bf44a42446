"""Lines of Shopify orders, refunds and fulfilments, with their discounts and taxes as told."""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.money import quantized
from connectors.canonical.order import Line, Tax
from connectors.sdk.payload import (
    Part,
    Source,
    amount,
    amount_or,
    decimal,
    decimal_or,
    identifier,
    items,
    text,
    text_or,
)


def read_line(part: Part, currency: str, *, tax_inclusive: bool) -> Line:
    """Read one line as sold: all of `quantity`, including what was returned or edited away later."""
    quantity = decimal(part, "/quantity")
    unit_price = decimal(part, "/price")
    discount = discount_of(part, currency)
    # A unit price of three decimals makes no payable line; the difference shows up in the check of
    # the order's total and is carried there.
    net = quantized(unit_price * quantity, currency) - discount
    taxes = taxes_of(part, currency)
    return Line(
        line_id=identifier(part, "/id"),
        sku=text_or(part, "/sku") or None,
        title=text_or(part, "/name") or text(part, "/title"),
        quantity=quantity,
        unit_price=unit_price,
        discount=discount,
        net=net,
        taxes=taxes,
        gross=net if tax_inclusive else net + tax_sum(taxes),
    )


def discount_of(part: Part, currency: str) -> Decimal:
    """Sum the discounts on a line, its share of order discounts included.

    `total_discount` counts only where there are no allocations: Shopify keeps it for old callers.
    """
    allocations = items(part, "/discount_allocations")
    if not allocations:
        return amount_or(part, "/total_discount", currency)
    return sum((amount(each, "/amount", currency) for each in allocations), Decimal(0))


def taxes_of(source: Source, currency: str) -> tuple[Tax, ...]:
    """Read the tax lines of a line or a shipping line; amounts are trusted, never recomputed."""
    return tuple(
        Tax(
            name=text_or(each, "/title"),
            rate=decimal_or(each, "/rate") or None,
            amount=amount(each, "/price", currency),
        )
        for each in items(source, "/tax_lines")
    )


def tax_sum(taxes: tuple[Tax, ...]) -> Decimal:
    """Add up taxes."""
    return sum((tax.amount for tax in taxes), Decimal(0))
