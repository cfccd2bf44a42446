"""What a channel may show: never more than there is, never less than nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retail.inventory.promise import ChannelRule, Stock, kit_units, promise

amounts = st.decimals(-50, 200, places=3)
stocks = st.builds(Stock, amounts, st.decimals(0, 20, places=0), st.decimals(0, 5, places=0))
rules = st.builds(
    ChannelRule,
    st.decimals(0, 1, places=2),
    st.integers(0, 5),
    st.none() | st.integers(0, 100),
    st.booleans(),
)


@given(st.lists(stocks, max_size=6), rules, st.integers(0, 40), st.integers(0, 40))
def test_a_promise_is_never_negative_and_never_more_than_the_pool_holds(
    pool: list[Stock], rule: ChannelRule, reserved: int, in_flight: int
) -> None:
    shown = promise(pool, rule, reserved=reserved, in_flight=in_flight)

    assert 0 <= shown <= sum(max(Decimal(0), stock.available) for stock in pool)


@given(st.lists(stocks, max_size=6), rules, st.integers(0, 40))
def test_more_safety_never_shows_more(pool: list[Stock], rule: ChannelRule, more: int) -> None:
    careful = [Stock(stock.available, stock.safety + more, stock.unpicked_risk) for stock in pool]

    assert promise(careful, rule) <= promise(pool, rule)


@pytest.mark.parametrize(
    ("pool", "rule", "in_flight", "shown"),
    [
        ([Stock(Decimal(7))], ChannelRule(), 0, 7),
        ([Stock(Decimal(7)), Stock(Decimal(5), is_dark=True)], ChannelRule(), 0, 7),
        ([Stock(Decimal(3), safety=Decimal(5))], ChannelRule(), 0, 0),
        ([Stock(Decimal(-2)), Stock(Decimal(4))], ChannelRule(), 0, 4),
        ([Stock(Decimal("7.9"))], ChannelRule(), 0, 7),
        ([Stock(Decimal(9))], ChannelRule(share_0_1=Decimal("0.5")), 0, 4),
        ([Stock(Decimal(2))], ChannelRule(publish_from=3), 0, 0),
        ([Stock(Decimal(99))], ChannelRule(publish_most=10), 0, 10),
        ([Stock(Decimal(9))], ChannelRule(self_decrements=False), 4, 5),
        ([Stock(Decimal(9))], ChannelRule(self_decrements=True), 4, 9),
    ],
)
def test_a_promise_follows_its_rule(
    pool: list[Stock], rule: ChannelRule, in_flight: int, shown: int
) -> None:
    assert promise(pool, rule, in_flight=in_flight) == shown


def test_a_kit_is_as_many_as_its_scarcest_part_allows() -> None:
    parts = [("frame", Decimal(1)), ("screw", Decimal(8))]

    assert kit_units(parts, {"frame": Decimal(9), "screw": Decimal(31)}) == 3
    assert kit_units(parts, {"frame": Decimal(9)}) == 0
    assert kit_units(parts, {"frame": Decimal(-1), "screw": Decimal(80)}) == 0
