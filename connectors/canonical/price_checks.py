"""What must hold of a price, by itself and beside others; what breaks an error waits for approval."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.order_checks import Breach
from connectors.canonical.price import Price, overlapping

DECIMALS_MAX = 6
# A price of one cent is a placeholder more often than an offer.
TYPING_ERROR = Decimal("0.01")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class PriceBeside:
    """A price and what it is held against, all in its currency and unit; None where unknown.

    `margin_floor_0_1`: the least share of the price that must remain above cost. `others` are the
    prices of the same variant.
    """

    price: Price
    regular: Decimal | None = None
    lowest_advertised: Decimal | None = None
    cost: Decimal | None = None
    margin_floor_0_1: Decimal = Decimal(0)
    others: tuple[Price, ...] = ()


def price_breaches(beside: PriceBeside) -> list[Breach]:
    """Give every rule that a price breaks; who approved it answers for PR-4 to PR-7."""
    found = broken_rules(beside, RULES)
    if not beside.price.approved_by:
        return found
    return [breach for breach in found if breach.rule not in APPROVABLE]


def _amount(beside: PriceBeside) -> Found:
    amount = beside.price.amount
    if not amount.is_finite() or amount < 0:
        yield "/amount", "A price is nothing or more."
    elif amount != round(amount, DECIMALS_MAX):
        yield "/amount", f"A price has at most {DECIMALS_MAX} decimals."
    if not _CURRENCY.fullmatch(beside.price.currency):
        yield "/currency", "A currency has three capital letters, such as USD."


def _interval(beside: PriceBeside) -> Found:
    price = beside.price
    if price.effective_to is not None and price.effective_to <= price.effective_from:
        yield "/effective_to", "The price ends before it begins."


def _overlap(beside: PriceBeside) -> Found:
    for one, other in overlapping((beside.price, *beside.others)):
        if beside.price in (one, other):
            against = other if one == beside.price else one
            words = (
                f"Price {against.price_id} of {against.sku} holds at the same time at the same"
                " priority. End one of them, or give them different priorities."
            )
            yield "/effective_from", words


def _reduced(beside: PriceBeside) -> Found:
    regular = beside.regular
    if beside.price.kind == "sale" and regular is not None and beside.price.amount >= regular:
        yield "/amount", f"The sale price {beside.price.amount} is not below {regular}."


def _advertised(beside: PriceBeside) -> Found:
    lowest = beside.lowest_advertised
    if lowest is not None and beside.price.kind != "map" and beside.price.amount < lowest:
        yield "/amount", f"{beside.price.amount} is below the lowest advertised price {lowest}."


def _margin(beside: PriceBeside) -> Found:
    price, cost = beside.price.amount, beside.cost
    if cost is not None and price - cost < price * beside.margin_floor_0_1:
        words = f"{price} leaves less than {beside.margin_floor_0_1:%} above the cost of {cost}."
        yield "/amount", words


def _typing_error(beside: PriceBeside) -> Found:
    if beside.price.amount == TYPING_ERROR:
        yield "/amount", "A price of 0.01 is a placeholder more often than an offer."


RULES: tuple[Rule[PriceBeside], ...] = (
    Rule("PR-1", "error", _amount),
    Rule("PR-2", "error", _interval),
    Rule("PR-3", "error", _overlap),
    Rule("PR-4", "warning", _reduced),
    Rule("PR-5", "error", _advertised),
    Rule("PR-6", "error", _margin),
    Rule("PR-7", "error", _typing_error),
)
APPROVABLE = frozenset({"PR-4", "PR-5", "PR-6", "PR-7"})
