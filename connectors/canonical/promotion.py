"""Promotion: what is taken off, for whom, when, and which of several counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.order_checks import Breach
from connectors.canonical.price import WallTime

PromotionKind = Literal[
    "percent", "amount_off", "fixed_price", "buy_x_get_y", "bundle_price", "threshold", "shipping",
    "loyalty_multiplier",
]  # fmt: skip
Stacking = Literal["exclusive", "combinable", "best_of"]

WHOLE = Decimal(100)


class Eligibility(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What, where and for whom; an empty list asks for nothing. Two that share no entry never meet."""

    skus: tuple[str, ...] = ()
    hierarchy_codes: tuple[str, ...] = ()
    customer_groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    tenders: tuple[str, ...] = ()


class Benefit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer gets: a percentage, an amount, a price, or so many of so many for nothing."""

    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    times: Decimal | None = None
    buy: int = 0
    get: int = 0
    threshold: Decimal | None = None


class Cap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often, in all and for each customer, and how much money in all; None is no limit."""

    uses: int | None = None
    uses_per_customer: int | None = None
    budget: Decimal | None = None


class Promotion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule that takes something off.

    It holds from `effective_from` until just before `effective_to`, by the clock on the wall of each
    place. `vendor_funded` is the vendor's percentage of the discount.
    """

    promotion_id: str
    name: str
    kind: PromotionKind
    eligibility: Eligibility = Eligibility()
    benefit: Benefit
    stacking: Stacking = "exclusive"
    group: str = ""
    priority: int = 0
    cap: Cap = Cap()
    coupon_codes: tuple[str, ...] = ()
    effective_from: WallTime
    effective_to: WallTime | None = None
    vendor_funded: Decimal = Decimal(0)


def promotion_breaches(promotion: Promotion) -> list[Breach]:
    """Give every rule that this promotion breaks."""
    return broken_rules(promotion, RULES)


def applied(
    candidates: Sequence[Promotion], takes_off: Mapping[str, Decimal]
) -> tuple[Promotion, ...]:
    """Choose which promotions count of those that a sale would earn; best first.

    Takes:  `takes_off`: promotion id -> what it would take off this sale.
    Rules:  the highest priority leads, then what is best for the customer, then the newest (greatest)
            id. An exclusive leader stands alone. Others join a leader that is not exclusive, at most
            one `best_of` of each group.
    """
    ranked = sorted(
        candidates,
        key=lambda each: (each.priority, takes_off[each.promotion_id], each.promotion_id),
        reverse=True,
    )
    chosen: list[Promotion] = []
    groups: set[str] = set()
    for each in ranked:
        if each.stacking == "exclusive":
            if not chosen:
                return (each,)
        elif each.stacking == "combinable" or each.group not in groups:
            chosen.append(each)
            if each.stacking == "best_of":
                groups.add(each.group)
    return tuple(chosen)


def conflicts(promotions: Sequence[Promotion]) -> list[tuple[Promotion, Promotion]]:
    """Find pairs of exclusive promotions of one priority that can meet on one sale."""
    exclusive = sorted(
        (each for each in promotions if each.stacking == "exclusive"),
        key=lambda each: (each.effective_from, each.promotion_id),
    )
    return [
        (one, later)
        for place, one in enumerate(exclusive)
        for later in exclusive[place + 1 :]
        if one.priority == later.priority
        and (one.effective_to is None or later.effective_from < one.effective_to)
        and _can_meet(one.eligibility, later.eligibility)
    ]


def taken_off(merchandise: Decimal, wanted: Decimal) -> Decimal:
    """Give what a discount takes off goods worth this much: never more than they are worth."""
    return min(wanted, max(merchandise, Decimal(0)))


def _can_meet(one: Eligibility, other: Eligibility) -> bool:
    return all(
        not mine or not theirs or set(mine) & set(theirs)
        for mine, theirs in (
            (getattr(one, name), getattr(other, name)) for name in Eligibility.__struct_fields__
        )
    )


def _interval(promotion: Promotion) -> Found:
    ends = promotion.effective_to
    if ends is not None and ends <= promotion.effective_from:
        yield "/effective_to", f"{promotion.name} ends before it begins."


def _benefit(promotion: Promotion) -> Found:
    benefit = promotion.benefit
    for name in _NEEDED[promotion.kind]:
        if not getattr(benefit, name):
            yield f"/benefit/{name}", f"{promotion.name} does not say its {name}."
    if benefit.percent is not None and not 0 <= benefit.percent <= WHOLE:
        yield "/benefit/percent", "A percentage is between 0 and 100."
    if benefit.amount is not None and benefit.amount < 0:
        yield "/benefit/amount", "An amount taken off is nothing or more."


def _funding(promotion: Promotion) -> Found:
    if not 0 <= promotion.vendor_funded <= WHOLE:
        yield "/vendor_funded", "The vendor's share is between 0 and 100 %."


def _grouped(promotion: Promotion) -> Found:
    if promotion.stacking == "best_of" and not promotion.group:
        yield "/group", "The best of a group needs the group's name."


_NEEDED: dict[PromotionKind, tuple[str, ...]] = {
    "percent": ("percent",),
    "amount_off": ("amount", "currency"),
    "fixed_price": ("amount", "currency"),
    "buy_x_get_y": ("buy", "get"),
    "bundle_price": ("amount", "currency"),
    "threshold": ("threshold",),
    "shipping": (),
    "loyalty_multiplier": ("times",),
}
RULES: tuple[Rule[Promotion], ...] = (
    Rule("PM-1", "error", _interval),
    Rule("PM-2", "error", _benefit),
    Rule("PM-3", "error", _funding),
    Rule("PM-4", "error", _grouped),
)
