"""Numbers, money and moments as people read them; the first sentence of a page."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from infra import clock
from portal.page import words
from portal.page.going import own_path
from portal.page.verdict import verdict_of_all, verdict_of_shop


@pytest.mark.parametrize(
    ("amount", "currency", "glance", "exact"),
    [
        ("4120.40", "USD", "$4,120", "$4,120.40"),
        ("999.99", "USD", "$999.99", "$999.99"),
        ("-1200.50", "EUR", "-€1,200", "-€1,200.50"),
        ("12345", "JPY", "¥12,345", "¥12,345"),
        ("0.5", "GBP", "£0.50", "£0.50"),
    ],
)
def test_money(amount: str, currency: str, glance: str, exact: str) -> None:
    assert words.money(Decimal(amount), currency) == glance
    assert words.exact(Decimal(amount), currency) == exact


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_durations_have_one_unit(seconds: int, told: str) -> None:
    assert words.span(seconds) == told


def test_moments_to_come_are_told_as_such() -> None:
    assert words.ago(clock.now() + timedelta(minutes=5, seconds=1)).startswith("in ")
    assert words.ago(None) == "never"


def test_the_verdict_counts_what_is_shown() -> None:
    assert verdict_of_shop([], 0) == "Everything is running. Nothing needs you."
    assert verdict_of_shop([], 1).startswith("1 record waits for a decision.")
    assert verdict_of_shop([], 2).startswith("2 records wait for a decision.")
    assert verdict_of_all([]) == "There is no retailer here yet."


@pytest.mark.parametrize(
    "told", ["//evil.example", "https://evil.example", "evil", "/\\evil", "", "/a\nb"]
)
def test_an_address_of_another_host_is_not_followed(told: str) -> None:
    assert own_path(told) == "/"


@pytest.mark.parametrize("told", ["/now", "/r/1/exceptions?state=any&sort=money"])
def test_an_own_address_is(told: str) -> None:
    assert own_path(told) == told
