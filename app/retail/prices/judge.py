"""Whether a price may be told on: what is wrong stays back, what is doubtful waits for approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.money import Money
from connectors.canonical.order_checks import Breach
from connectors.canonical.price import (
    Buying,
    Price,
    PriceKind,
    begins_at,
    effective_price,
)
from connectors.canonical.price_checks import APPROVABLE, PriceBeside, price_breaches
from connectors.sdk.message import HoldRecord

APPROVAL_NEEDED = "price.approval_needed"
INVALID = "price.invalid"
_CLOCK = "UTC"  # walls are compared with walls: any one zone gives their order


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a price, in words; `may_be_approved` when a person can let it pass."""

    words: str
    pointer: str
    may_be_approved: bool

    def as_hold(self, price: Price) -> HoldRecord:
        """Hold the record, with the way out and the money of one unit."""
        way_out = (
            "Approve it, or send another price." if self.may_be_approved else "Send another price."
        )
        code = APPROVAL_NEEDED if self.may_be_approved else INVALID
        words = f"Price {price.price_id} of {price.sku}: {self.words} {way_out}"
        money = Money(amount=price.amount, currency=price.currency)
        return HoldRecord(code, self.pointer, words, money)


def judge(price: Price, others: Sequence[Price], cost: Money | None = None) -> Verdict | None:
    """Judge a price beside the others of its article; None when nothing is wrong.

    A price without an end gives way to one that begins later: that is how a new price list is sent.
    So only a stated end, or the same beginning, can contradict.
    """
    found = price_breaches(
        PriceBeside(
            price=price,
            regular=_beside("regular", price, others),
            lowest_advertised=_beside("map", price, others),
            cost=cost.amount if cost is not None and cost.currency == price.currency else None,
            others=tuple(each for each in others if not _gives_way(price, each)),
        )
    )
    return _verdict(found) if found else None


def _verdict(found: Sequence[Breach]) -> Verdict:
    faults = [each for each in found if each.rule not in APPROVABLE]
    told = faults or list(found)
    return Verdict(
        " ".join(each.words for each in told), told[0].pointer, may_be_approved=not faults
    )


def _gives_way(one: Price, other: Price) -> bool:
    first, second = sorted((one, other), key=lambda each: each.effective_from)
    return first.effective_to is None and first.effective_from < second.effective_from


def _beside(kind: PriceKind, price: Price, others: Sequence[Price]) -> Decimal | None:
    """Give what another kind of price says when this one begins, in the same scope or a wider one."""
    if price.kind == kind:
        return None
    buying = Buying(_CLOCK, price.currency, frozenset({price.scope}), price.min_quantity, price.uom)
    found = effective_price(others, price.sku, kind, buying, begins_at(price, _CLOCK))
    return None if found is None else found.amount
