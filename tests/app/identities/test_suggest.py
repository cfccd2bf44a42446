"""Probable matches: what speaks for one, and how much."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identities.suggest import MOST_CANDIDATES, Described, suggest

GTIN, OURS, WRONG = "6291041500213", "2001234012751", "6291041500214"
ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("newcomer", "known", "score", "reasons"),
    [
        (
            Described(gtins=(GTIN,)),
            Described(gtins=("0" + GTIN,)),
            0.95,
            ("the same GTIN",),
        ),
        (Described(sku="TS-01"), Described(sku="TS-01"), 0.9, ("the same SKU",)),
        (Described(sku="ts01"), Described(sku="TS-01"), 0.6, ("nearly the same SKU",)),
        (Described(sku="7"), Described(sku="0007"), 0.6, ("nearly the same SKU",)),
        (
            Described(title="Blue  shirt, M"),
            Described(title="BLUE SHIRT M"),
            0.5,
            ("the same title",),
        ),
        (
            Described("TS-01", (GTIN,), "Shirt"),
            Described("TS-01", (GTIN,), "shirt"),
            0.998,
            ("the same GTIN", "the same SKU", "the same title"),
        ),
    ],
)
def test_a_newcomer_is_probably(
    newcomer: Described, known: Described, score: float, reasons: tuple[str, ...]
) -> None:
    (found,) = suggest(newcomer, {ONE: known})

    assert (found.identity_id, found.score_0_1, found.reasons) == (ONE, score, reasons)


@pytest.mark.parametrize(
    ("newcomer", "known"),
    [
        (Described(gtins=(OURS,)), Described(gtins=(OURS,))),
        (Described(gtins=(WRONG,)), Described(gtins=(WRONG,))),
        (Described(), Described()),
        (Described(sku="--", title=" . "), Described(title="--")),
        (Described(sku="A"), Described(title="A")),
    ],
)
def test_nothing_speaks_for_a_match(newcomer: Described, known: Described) -> None:
    assert suggest(newcomer, {ONE: known}) == []


def test_of_two_articles_with_one_number_both_are_shown() -> None:
    """E-D20. A person says which of them it is."""
    found = suggest(
        Described("B", (GTIN,)), {ONE: Described("A", (GTIN,)), TWO: Described("B", (GTIN,))}
    )

    assert [each.identity_id for each in found] == [TWO, ONE]


described = st.builds(
    Described,
    sku=st.sampled_from(["", "A", "a", "0A", "B"]),
    gtins=st.lists(st.sampled_from([GTIN, OURS]), max_size=1).map(tuple),
    title=st.sampled_from(["", "Shirt", "shirt!", "Coat"]),
)


@given(described, st.dictionaries(st.integers(1, 20).map(lambda n: UUID(int=n)), described))
def test_suggestions_are_few_ordered_and_never_certain(
    newcomer: Described, known: dict[UUID, Described]
) -> None:
    found = suggest(newcomer, known)

    assert len(found) <= MOST_CANDIDATES
    assert found == sorted(found, key=lambda each: (-each.score_0_1, each.identity_id))
    assert all(0 < each.score_0_1 < 1 and each.reasons for each in found)
    assert found == suggest(newcomer, dict(reversed(known.items())))
