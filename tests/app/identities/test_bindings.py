"""Bindings by rule: what a name meant stays, whatever is said about it later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identities.bindings import (
    ALWAYS,
    Binding,
    Name,
    Plan,
    bind,
    end,
    merge,
    names_of,
    rename,
    resolve,
    split,
)
from infra.errors import Conflict

SHOP, OTHER_SHOP = UUID(int=1), UUID(int=2)
SHIRT, COAT, HAT = UUID(int=10), UUID(int=11), UUID(int=12)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MORNING, EVENING = NOON - timedelta(hours=3), NOON + timedelta(hours=6)


def sku(external_id: str, connection_id: UUID = SHOP) -> Name:
    return Name(connection_id, "variant", external_id)


def after(bindings: list[Binding], plan: Plan) -> list[Binding]:
    """Give the bindings as they stand when a plan was carried out."""
    ended = dict(plan.ends)
    assert set(ended) <= set(bindings)
    kept = [
        Binding(each.name, each.identity_id, each.valid_from, ended.get(each, each.valid_to))
        for each in bindings
    ]
    return [*kept, *plan.begins]


def bound(*pairs: tuple[str, UUID]) -> list[Binding]:
    return [Binding(sku(name), identity, ALWAYS) for name, identity in pairs]


def test_a_rename_at_noon_leaves_the_morning_as_it_was() -> None:
    before = bound(("TS-1", SHIRT))

    bindings = after(before, rename(before, sku("TS-1"), sku("TEE-1"), NOON))

    assert resolve(bindings, sku("TS-1"), MORNING) == SHIRT
    assert resolve(bindings, sku("TEE-1"), EVENING) == SHIRT
    assert resolve(bindings, sku("TEE-1"), NOON) == SHIRT
    assert resolve(bindings, sku("TS-1"), NOON) is None
    assert resolve(bindings, sku("TEE-1"), MORNING) is None
    assert names_of(bindings, SHIRT, EVENING) == [sku("TEE-1")]
    assert not rename(bindings, sku("TS-1"), sku("TEE-1"), NOON)


def test_a_number_used_again_for_another_article_needs_the_date_of_the_change() -> None:
    """E-D19. A return of the old article is resolved by the date of its order."""
    before = bound(("4711", SHIRT))
    with pytest.raises(Conflict, match="End that binding first"):
        bind(before, sku("4711"), COAT, NOON)

    ended = after(before, end(before, sku("4711"), NOON))
    bindings = after(ended, bind(ended, sku("4711"), COAT, NOON))

    assert resolve(bindings, sku("4711"), MORNING) == SHIRT
    assert resolve(bindings, sku("4711"), EVENING) == COAT
    with pytest.raises(Conflict):
        bind(bindings, sku("4711"), SHIRT, MORNING)


def test_one_order_number_in_two_shops_is_two_orders() -> None:
    """E-D15. The shop is a part of the name."""
    first = Binding(sku("1001"), SHIRT, ALWAYS)
    bindings = [first, *bind([first], sku("1001", OTHER_SHOP), COAT, NOON).begins]

    assert resolve(bindings, sku("1001"), EVENING) == SHIRT
    assert resolve(bindings, sku("1001", OTHER_SHOP), EVENING) == COAT


def test_names_are_text_and_compared_letter_by_letter() -> None:
    bindings = bound(("0007", SHIRT), ("ab-1", COAT))

    assert resolve(bindings, sku("7"), NOON) is None
    assert resolve(bindings, sku("AB-1"), NOON) is None
    assert bind(bindings, sku("7"), HAT, NOON)


def test_a_merge_moves_all_names_and_no_history() -> None:
    before = [*bound(("A", COAT), ("B", COAT), ("C", SHIRT)), Binding(sku("D"), COAT, EVENING)]

    bindings = after(before, merge(before, COAT, SHIRT, NOON))

    assert [resolve(bindings, sku(name), MORNING) for name in "ABC"] == [COAT, COAT, SHIRT]
    assert [resolve(bindings, sku(name), EVENING) for name in "ABCD"] == [SHIRT] * 4
    assert names_of(bindings, COAT, EVENING) == []


def test_a_customer_taken_apart_gets_a_new_id_and_leaves_the_history_behind() -> None:
    """E-D17. What happened before stays with the old one until there is evidence."""
    before = bound(("web-9", SHIRT), ("till-4", SHIRT))

    bindings = after(before, split(before, SHIRT, [sku("till-4")], HAT, NOON))

    assert resolve(bindings, sku("till-4"), MORNING) == SHIRT
    assert resolve(bindings, sku("till-4"), EVENING) == HAT
    assert resolve(bindings, sku("web-9"), EVENING) == SHIRT


REFUSED: dict[str, Callable[[list[Binding]], Plan]] = {
    "end what means nothing": lambda known: end(known, sku("X"), NOON),
    "rename what means nothing": lambda known: rename(known, sku("X"), sku("Y"), NOON),
    "rename to what is in use": lambda known: rename(known, sku("A"), sku("C"), NOON),
    "rename into another system": lambda known: rename(known, sku("A"), sku("A", OTHER_SHOP), NOON),
    "split off a name of another": lambda known: split(known, SHIRT, [sku("C")], HAT, NOON),
    "split off all names": lambda known: split(known, SHIRT, [sku("A"), sku("B")], HAT, NOON),
    "split off none": lambda known: split(known, SHIRT, [], HAT, NOON),
    "end before it began": lambda known: end(known, sku("A"), ALWAYS - timedelta(days=1)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_to(case: str) -> None:
    with pytest.raises(Conflict):
        REFUSED[case](bound(("A", SHIRT), ("B", SHIRT), ("C", COAT)))


names = st.sampled_from("ABCD").map(sku)
identities = st.sampled_from([SHIRT, COAT, HAT])
Act = Callable[[list[Binding], datetime], Plan]
acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda n, i: lambda known, at: bind(known, n, i, at), names, identities),
    st.builds(lambda n: lambda known, at: end(known, n, at), names),
    st.builds(lambda a, b: lambda known, at: rename(known, a, b, at), names, names),
    st.builds(lambda a, b: lambda known, at: merge(known, a, b, at), identities, identities),
    st.builds(lambda i, n, j: lambda known, at: split(known, i, [n], j, at), identities, names,
              identities),
)  # fmt: skip


@given(st.lists(st.tuples(acts, st.integers(0, 2)), max_size=20))
def test_whatever_is_done_a_name_means_one_object_and_the_past_stays(
    done: list[tuple[Act, int]],
) -> None:
    bindings: list[Binding] = []
    at = NOON
    probes = [NOON + timedelta(minutes=30 * step) for step in range(-1, 100)]
    for act, hours in done:
        at += timedelta(hours=hours)
        try:
            plan = act(bindings, at)
        except Conflict:
            continue
        changed = after(bindings, plan)
        for name in map(sku, "ABCD"):
            for probe in probes:
                holding = [each for each in changed if each.name == name and each.holds(probe)]
                assert len(holding) <= 1
                if probe < at:
                    assert resolve(changed, name, probe) == resolve(bindings, name, probe)
            assert len([each for each in changed if each.name == name and not each.valid_to]) <= 1
        bindings = changed
