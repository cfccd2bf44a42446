"""Prices: which one holds where and when, and which wait for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.price import (
    Buying,
    Destination,
    NotTransferable,
    Price,
    PriceScope,
    begins_at,
    effective_price,
    is_effective,
    overlapping,
    told_amount,
)
from connectors.canonical.price_checks import PriceBeside, price_breaches

D = Decimal
# Clocks on the wall: without a zone.
FRIDAY = datetime.fromisoformat("2026-11-27")
SATURDAY = datetime.fromisoformat("2026-11-28")
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
STORE = PriceScope(kind="store", name="12")
HERE = Buying("America/New_York", "USD", frozenset({STORE}))

days = st.integers(0, 20).map(lambda day: FRIDAY + timedelta(days=day))


def price(price_id: str = "1", amount: str = "9.99", **fields: Any) -> Price:
    told: dict[str, Any] = {"sku": "A", "currency": "USD", "effective_from": FRIDAY} | fields
    return Price(price_id=price_id, amount=D(amount), **told)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    begins = draw(days)
    ends = draw(st.none() | st.integers(1, 9).map(lambda length: begins + timedelta(days=length)))
    return price(
        str(draw(st.integers(0, 99))),
        effective_from=begins,
        effective_to=ends,
        priority=draw(st.integers(0, 2)),
        scope=draw(st.sampled_from([PriceScope(), STORE])),
    )


def test_a_price_begins_at_midnight_of_each_store() -> None:
    """E-P01. One price, four zones, four moments; each begins by the clock on its own wall."""
    begun = [begins_at(price(), zone) for zone in ZONES]

    assert [moment.hour for moment in begun] == [5, 6, 7, 8]
    for zone, moment in zip(ZONES, begun, strict=True):
        assert not is_effective(price(), moment - timedelta(microseconds=1), zone)
        assert is_effective(price(), moment, zone)


def test_a_price_ends_just_before_the_next_begins() -> None:
    midnight = datetime(2026, 11, 28, tzinfo=ZoneInfo("America/New_York"))
    first = price("1", "9.99", effective_to=SATURDAY)
    second = price("2", "12.99", effective_from=SATURDAY)

    before = effective_price([first, second], "A", "regular", HERE, midnight - timedelta(seconds=1))
    after = effective_price([first, second], "A", "regular", HERE, midnight)

    assert (before, after) == (first, second)
    assert overlapping([first, second]) == []


CHOICES: dict[str, tuple[Price, Price]] = {
    "the higher priority": (price("1", priority=1), price("2", scope=STORE)),
    "then the narrower scope": (price("1", scope=STORE), price("2")),
    "then the greater quantity": (price("1", min_quantity=D(5)), price("2")),
    "then the later begin": (
        price("1", effective_from=FRIDAY),
        price("2", effective_from=FRIDAY - timedelta(days=1)),
    ),
    "then the greater id": (price("2"), price("1")),
}


@pytest.mark.parametrize("case", CHOICES)
def test_of_two_prices_counts(case: str) -> None:
    wanted, other = CHOICES[case]
    buying = Buying(HERE.zone, "USD", HERE.scopes, D(6))
    at = datetime(2026, 11, 30, tzinfo=UTC)

    for told in ([wanted, other], [other, wanted]):
        assert effective_price(told, "A", "regular", buying, at) == wanted


@given(st.lists(prices(), max_size=8), st.randoms(use_true_random=False), days)
def test_the_order_in_which_prices_came_makes_no_difference(
    told: list[Price], randomly: Any, day: datetime
) -> None:
    at = day.replace(tzinfo=UTC)
    mixed = list(told)
    randomly.shuffle(mixed)

    one = effective_price(told, "A", "regular", HERE, at)
    other = effective_price(mixed, "A", "regular", HERE, at)

    assert (one and one.price_id) == (other and other.price_id)


@given(st.lists(prices(), max_size=6), days)
def test_where_nothing_overlaps_one_price_of_a_priority_holds(
    told: list[Price], day: datetime
) -> None:
    at = day.replace(tzinfo=UTC)
    holding = [each for each in told if is_effective(each, at, HERE.zone)]
    levels = {(each.priority, each.scope) for each in holding}

    if not overlapping(told):
        assert len(levels) == len(holding)
    elif len(levels) < len(holding):
        assert overlapping(holding) != []


def test_a_market_without_a_price_in_its_currency_gets_none() -> None:
    """E-P11. Nothing is published there; currencies are never exchanged silently."""
    euros = Buying("Europe/Berlin", "EUR")
    at = datetime(2026, 11, 30, tzinfo=UTC)

    assert effective_price([price()], "A", "regular", euros, at) is None
    with pytest.raises(NotTransferable, match="USD is not exchanged"):
        told_amount(price(), Destination("EUR", tax_inclusive=False))


def test_a_price_with_tax_is_never_copied_to_where_prices_have_none() -> None:
    """E-P10. It is converted by the rate of its destination, or not told at all."""
    gross = price(amount="11.90", tax_inclusive=True)

    assert told_amount(gross, Destination("USD", False, D("0.19"))) == D(10)
    assert told_amount(price(amount="10"), Destination("USD", True, D("0.19"))) == D("11.90")
    assert told_amount(gross, Destination("USD", True)) == D("11.90")
    with pytest.raises(NotTransferable, match="state the rate"):
        told_amount(gross, Destination("USD", False))


BAD: dict[str, tuple[PriceBeside, str, str]] = {
    "below nothing": (PriceBeside(price(amount="-1")), "PR-1", "error"),
    "too many decimals": (PriceBeside(price(amount="1.0000001")), "PR-1", "error"),
    "no amount": (PriceBeside(price(amount="NaN")), "PR-1", "error"),
    "no currency": (PriceBeside(price(currency="usd")), "PR-1", "error"),
    "over before it begins": (PriceBeside(price(effective_to=FRIDAY)), "PR-2", "error"),
    "at one time with another": (PriceBeside(price(), others=(price("2"),)), "PR-3", "error"),
    "a sale that is none": (PriceBeside(price(kind="sale"), regular=D("9.99")), "PR-4", "warning"),
    "below the advertised": (PriceBeside(price(), lowest_advertised=D(10)), "PR-5", "error"),
    "below cost": (PriceBeside(price(), cost=D(10)), "PR-6", "error"),
    "a cent": (PriceBeside(price(amount="0.01")), "PR-7", "error"),
}


@pytest.mark.parametrize("case", BAD)
def test_every_rule_of_a_price_is_noticed(case: str) -> None:
    beside, rule, severity = BAD[case]

    assert [(each.rule, each.severity) for each in price_breaches(beside)] == [(rule, severity)]


@pytest.mark.parametrize("case", ["below the advertised", "below cost", "a cent"])
def test_a_price_below_cost_waits_for_a_person_and_then_passes(case: str) -> None:
    """E-P08. It is kept back with its reason until somebody answers for it; others are not."""
    kept_back = BAD[case][0]
    approved = msgspec.structs.replace(kept_back.price, approved_by="person.buyer")

    assert price_breaches(PriceBeside(price(), cost=D(5))) == []
    assert (
        price_breaches(
            PriceBeside(
                approved, lowest_advertised=kept_back.lowest_advertised, cost=kept_back.cost
            )
        )
        == []
    )
