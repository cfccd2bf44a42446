"""Sixteen combinations of goods, money, books and history: two may stay, fourteen are named."""

from __future__ import annotations

from itertools import product

import pytest

from app.retail.returns.consistency import COMBINATIONS, LEGAL_ENDS, agreement_of
from app.retail.returns.fold import fold
from app.retail.returns.plan import plan
from tests.app.retail.returns.shapes import ALL_IN, known, opened, refunded, sale

ALL = ["".join(bits) for bits in product("01", repeat=4)]


def test_every_combination_has_words_an_owner_and_something_to_do() -> None:
    assert sorted(COMBINATIONS) == ALL
    assert {"0000", "1111"} == LEGAL_ENDS
    for bits in set(ALL) - LEGAL_ENDS:
        halt = COMBINATIONS[bits]
        assert halt.owner != "nobody"
        assert halt.words
        assert halt.click
    assert len({each.words for each in COMBINATIONS.values()}) == 16


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([opened(), known(sale())], "0000"),
        ([opened(), known(sale()), *ALL_IN], "1000"),
        ([opened(), known(sale()), refunded("t-1", "card", "43.49")], "0100"),
        ([opened(), known(sale()), *ALL_IN, refunded("t-1", "card", "43.49")], "1100"),
    ],
    ids=["nothing yet", "goods alone", "refund paid, nothing else", "goods and money"],
)
def test_a_return_gives_its_combination(facts: list, expected: str) -> None:  # type: ignore[type-arg]
    case = fold(facts)

    assert agreement_of(case, plan(case, ())) == expected
