"""Loyalty: the balance is the sum of what happened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.loyalty import (
    LoyaltyAccount,
    LoyaltyEntry,
    account_breaches,
    balance,
    may_spend_offline,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)


def entry(entry_id: str, kind: Any, points: int, reverses: str = "") -> LoyaltyEntry:
    return LoyaltyEntry(entry_id=entry_id, kind=kind, points=points, at=AT, reverses=reverses)


def broken(*entries: LoyaltyEntry) -> list[str]:
    account = LoyaltyAccount(account_id="77", program="Main Club", entries=entries)
    return [breach.rule for breach in account_breaches(account)]


@given(st.lists(st.integers(-500, 500), max_size=20), st.randoms(use_true_random=False))
def test_a_balance_is_the_sum_however_often_and_in_whatever_order_it_is_told(
    points: list[int], randomly: Any
) -> None:
    entries = [entry(str(place), "adjust", each) for place, each in enumerate(points)]
    told = entries + entries
    randomly.shuffle(told)

    assert balance(told) == sum(points)


@given(st.integers(1, 10_000))
def test_an_order_that_comes_back_takes_its_points_with_it(points: int) -> None:
    entries = (entry("1", "earn", points), entry("2", "reverse", -points, "1"))

    assert balance(entries) == 0
    assert broken(*entries) == []


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ((entry("1", "earn", -5),), ["LY-1", "LY-4"]),
        ((entry("1", "burn", 5),), ["LY-1"]),
        ((entry("1", "adjust", 0),), ["LY-1"]),
        ((entry("1", "earn", 5), entry("1", "earn", 6)), ["LY-2"]),
        (
            (
                entry("1", "earn", 9),
                entry("2", "reverse", -3, "1"),
                entry("3", "reverse", -3, "1"),
            ),
            ["LY-3"],
        ),
        ((entry("1", "burn", -5), entry("2", "reverse", 6, "1")), ["LY-3"]),
        ((entry("1", "earn", 5), entry("2", "reverse", 5, "1")), ["LY-3"]),
    ],
)
def test_every_rule_of_an_account_is_noticed(
    entries: tuple[LoyaltyEntry, ...], wanted: list[str]
) -> None:
    assert broken(*entries) == wanted


def test_points_spent_before_their_order_came_back_leave_less_than_nothing() -> None:
    """E-T19. The account says so; what to do about it is the retailer's policy."""
    earned, spent = entry("1", "earn", 100), entry("2", "burn", -80)
    returned = entry("3", "reverse", -100, "1")

    assert balance([earned, spent, returned]) == -80
    assert broken(earned, spent, returned) == ["LY-4"]


@pytest.mark.parametrize(
    ("points", "before", "may"),
    [(500, 0, True), (501, 0, False), (1, 500, False), (0, 0, False)],
)
def test_a_till_alone_lets_only_few_points_be_spent(points: int, before: int, may: bool) -> None:
    assert may_spend_offline(points, before) is may
