"""A plan is the same for the same seed, and its lanes add up."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.plan import FULL, Plan


def test_all_lanes_together_send_exactly_the_events_of_the_plan() -> None:
    plan = Plan(events=2_003)

    lanes = [lane for client in range(plan.clients) for lane in plan.lanes_of(client)]

    assert len(lanes) == len(set(lanes)) == 400
    assert sum(len(plan.versions(lane)) for lane in lanes) == 2_003


def test_every_tenant_is_served_through_both_doors() -> None:
    plan = Plan()

    doors = Counter((plan.tenant_of(c), plan.uses_hook(c)) for c in range(plan.clients))

    assert set(doors.values()) == {1}
    assert len(doors) == 40


def test_the_same_seed_kills_the_same_victims_at_the_same_moments() -> None:
    assert Plan(seed=7).schedule() == Plan(seed=7).schedule()
    assert Plan(seed=7).schedule() != Plan(seed=8).schedule()


def test_the_full_plan_kills_two_hundred_times_twenty_of_them_postgresql() -> None:
    schedule = FULL.schedule()

    assert len(schedule) == 200
    assert sum(kill.victim == "postgres" for kill in schedule) == 20
    assert [kill.at_0_1 for kill in schedule] == sorted(kill.at_0_1 for kill in schedule)
    assert {kill.victim for kill in schedule if kill.flushes} == {"redis"}


def test_a_plan_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="PostgreSQL"):
        Plan(kills=1, postgres_kills=2)
    with pytest.raises(ValueError, match="tenants <= clients"):
        Plan(clients=10, tenants=20)
