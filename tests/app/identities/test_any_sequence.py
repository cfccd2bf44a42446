"""Whatever people do to names one after the other, a name is open once and the past stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.identities.bindings import Binding, Name, Plan, bind, end, merge, rename, resolve, split
from infra.errors import Conflict

NAMES = [Name(UUID(int=1 + place % 2), "variant", f"SKU-{place}") for place in range(4)]
OBJECTS = [UUID(int=10 + place) for place in range(4)]
START = datetime(2026, 1, 1, tzinfo=UTC)

name = st.sampled_from(NAMES)
thing = st.sampled_from(OBJECTS)
hour = st.integers(min_value=0, max_value=200)
act = st.one_of(
    st.tuples(st.just("bind"), name, thing, hour),
    st.tuples(st.just("end"), name, thing, hour),
    st.tuples(st.just("rename"), name, name, hour),
    st.tuples(st.just("merge"), thing, thing, hour),
    st.tuples(st.just("split"), thing, st.sets(name), thing, hour),
)


def planned(bindings: list[Binding], what: tuple[object, ...]) -> Plan:
    match what:
        case "bind", Name() as bound, UUID() as identity, int(at):
            return bind(bindings, bound, identity, moment(at))
        case "end", Name() as bound, _, int(at):
            return end(bindings, bound, moment(at))
        case "rename", Name() as old, Name() as new, int(at):
            return rename(bindings, old, new, moment(at))
        case "merge", UUID() as loser, UUID() as winner, int(at) if loser != winner:
            return merge(bindings, loser, winner, moment(at))
        case "split", UUID() as identity, set() as names, UUID() as new_id, int(at):
            return split(bindings, identity, names, new_id, moment(at))
    return Plan()


def moment(at: int) -> datetime:
    return START + timedelta(hours=at)


def carried_out(bindings: list[Binding], plan: Plan) -> list[Binding]:
    ended = dict(plan.ends)
    assert set(ended) <= set(bindings)
    kept = [
        Binding(each.name, each.identity_id, each.valid_from, ended.get(each, each.valid_to))
        for each in bindings
    ]
    return [*kept, *plan.begins]


@given(acts=st.lists(act, max_size=30))
def test_a_name_is_open_once_and_means_one_thing_at_any_moment(
    acts: list[tuple[object, ...]],
) -> None:
    bindings: list[Binding] = []
    for what in acts:
        try:
            bindings = carried_out(bindings, planned(bindings, what))
        except Conflict:
            continue

        open_names = [each.name for each in bindings if each.valid_to is None]
        assert len(open_names) == len(set(open_names))
        for at in {each.valid_from for each in bindings}:
            meanings = [each for each in bindings if each.holds(at)]
            assert len({each.name for each in meanings}) == len(meanings)


@given(acts=st.lists(act, max_size=20), late=act)
def test_what_a_name_meant_before_an_act_it_means_after_it(
    acts: list[tuple[object, ...]], late: tuple[object, ...]
) -> None:
    """L10. An act says from when on it counts; what happened before stays what it was."""
    bindings: list[Binding] = []
    for what in acts:
        try:
            bindings = carried_out(bindings, planned(bindings, what))
        except Conflict:
            continue
    at = late[-1]
    assert isinstance(at, int)
    before = moment(at) - timedelta(seconds=1)
    meant = {each: resolve(bindings, each, before) for each in NAMES}

    try:
        bindings = carried_out(bindings, planned(bindings, late))
    except Conflict:
        return

    assert {each: resolve(bindings, each, before) for each in NAMES} == meant
