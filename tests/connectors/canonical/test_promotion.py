"""Promotions: which of several counts, which cannot stand beside each other."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.money import allocate
from connectors.canonical.promotion import (
    Benefit,
    Eligibility,
    Promotion,
    applied,
    conflicts,
    promotion_breaches,
    taken_off,
)

D = Decimal
# Clocks on the wall: without a zone.
FRIDAY, SATURDAY = map(datetime.fromisoformat, ("2026-11-27", "2026-11-28"))
TEN = Benefit(percent=D(10))


def promotion(name: str, **fields: Any) -> Promotion:
    told: dict[str, Any] = {"kind": "percent", "benefit": TEN, "effective_from": FRIDAY} | fields
    return Promotion(promotion_id=name, name=name, **told)


@pytest.mark.parametrize(
    ("fields", "worth", "winner"),
    [
        ([{"priority": 1}, {}, {}], ["1", "9", "9"], "1"),
        ([{}, {}, {}], ["1", "9", "5"], "2"),
        ([{}, {}, {}], ["9", "9", "9"], "3"),
    ],
)
def test_of_exclusive_promotions_the_same_one_always_counts(
    fields: list[dict[str, Any]], worth: list[str], winner: str
) -> None:
    """E-P03. Priority, then best for the customer, then the newest id; whatever came first."""
    told = [promotion(str(place + 1), **each) for place, each in enumerate(fields)]
    takes_off = {each.promotion_id: D(off) for each, off in zip(told, worth, strict=True)}

    for order in permutations(told):
        assert [each.promotion_id for each in applied(order, takes_off)] == [winner]


offers = st.builds(
    promotion,
    name=st.uuids().map(str),
    priority=st.integers(0, 2),
    stacking=st.sampled_from(["exclusive", "combinable", "best_of"]),
    group=st.sampled_from(["cards", "season"]),
)


@given(st.lists(offers, max_size=6), st.randoms(use_true_random=False), st.data())
def test_in_whatever_order_promotions_are_found_the_same_ones_count(
    told: list[Promotion], randomly: Any, data: st.DataObject
) -> None:
    takes_off = {each.promotion_id: D(data.draw(st.integers(0, 3))) for each in told}
    mixed = list(told)
    randomly.shuffle(mixed)

    chosen = applied(told, takes_off)

    assert applied(mixed, takes_off) == chosen
    assert bool(chosen) == bool(told)
    assert len(chosen) <= 1 or all(each.stacking != "exclusive" for each in chosen)
    groups = [each.group for each in chosen if each.stacking == "best_of"]
    assert len(groups) == len(set(groups))


def test_overlapping_exclusive_promotions_are_listed_before_they_begin() -> None:
    """E-P03. Only those that can meet on one sale at one time."""
    shoes = promotion("shoes", eligibility=Eligibility(skus=("S1", "S2")))
    sale = promotion("sale", eligibility=Eligibility(skus=("S2",)))
    hats = promotion("hats", eligibility=Eligibility(skus=("H1",)))
    later = promotion("later", effective_from=SATURDAY)
    over = promotion("over", effective_to=SATURDAY, priority=1)

    found = conflicts([shoes, sale, hats, later, over])

    assert [(one.name, other.name) for one, other in found] == [
        ("hats", "later"),
        ("sale", "shoes"),
        ("sale", "later"),
        ("shoes", "later"),
    ]


def test_promotions_that_may_join_do_so_at_most_one_of_each_group() -> None:
    told = [
        promotion("a", stacking="combinable"),
        promotion("b", stacking="best_of", group="cards"),
        promotion("c", stacking="best_of", group="cards"),
        promotion("d"),
    ]

    chosen = applied(told, {"a": D(5), "b": D(3), "c": D(4), "d": D(1)})

    assert [each.name for each in chosen] == ["a", "c"]


def test_a_discount_takes_off_no_more_than_the_goods_are_worth() -> None:
    """E-P16. The goods cost nothing then, and shipping is never negative."""
    assert taken_off(D("30.00"), D("50.00")) == D("30.00")
    assert taken_off(D("30.00"), D("10.00")) == D("10.00")
    assert taken_off(D("-5.00"), D("10.00")) == 0


@given(st.integers(2, 9), st.decimals("0.01", 500, places=2))
def test_one_of_three_for_two_is_given_back_at_its_part_of_the_price(
    units: int, each: Decimal
) -> None:
    """E-P15. The discount is spread over the units once; each comes back at what was paid for it."""
    discount = each
    off = allocate(discount, [each] * units, "USD")
    paid = [each - part for part in off]

    assert sum(paid) == units * each - discount
    assert max(paid) - min(paid) <= D("0.01")


BAD: dict[str, tuple[Promotion, tuple[str, str]]] = {
    "over before it begins": (
        promotion("x", effective_to=FRIDAY),
        ("PM-1", "/effective_to"),
    ),
    "says no percentage": (promotion("x", benefit=Benefit()), ("PM-2", "/benefit/percent")),
    "more than everything": (
        promotion("x", benefit=Benefit(percent=D(101))),
        ("PM-2", "/benefit/percent"),
    ),
    "buys nothing": (
        promotion("x", kind="buy_x_get_y", benefit=Benefit(buy=2)),
        ("PM-2", "/benefit/get"),
    ),
    "an amount of no currency": (
        promotion("x", kind="amount_off", benefit=Benefit(amount=D(5))),
        ("PM-2", "/benefit/currency"),
    ),
    "a vendor who pays too much": (
        promotion("x", vendor_funded=D(120)),
        ("PM-3", "/vendor_funded"),
    ),
    "the best of no group": (promotion("x", stacking="best_of"), ("PM-4", "/group")),
}


@pytest.mark.parametrize("case", BAD)
def test_every_rule_of_a_promotion_is_noticed(case: str) -> None:
    told, wanted = BAD[case]

    assert [(each.rule, each.pointer) for each in promotion_breaches(told)] == [wanted]
