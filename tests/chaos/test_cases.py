"""The cases of `python -m tests.chaos --only NAME`, small: what is promised, without its figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.hostile_targets import EXPECTED, HostilePlan, run_hostile
from tests.chaos.poison import PoisonPlan, run_poison
from tests.chaos.redis_abuse import RedisPlan, run_redis
from tests.chaos.takeover import TakeoverPlan, run_takeover
from tests.chaos.zombie import ZombiePlan, run_zombie

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(180)]
CRASHED = "worker.crashed"


async def test_a_record_that_ends_its_workers_is_held_and_every_other_one_is_delivered(
    tmp_path: Path,
) -> None:
    # What dies of itself, and what only the watchdog ends; a failed allocation ends nobody.
    expected = {
        "read-abort": (CRASHED, 4),
        "send-block": (CRASHED, 4),
        "read-memory": ("connector.fault", 0),
        "send-memory": ("connector.fault", 0),
    }

    figures = await run_poison(PoisonPlan(records=200, deeds=list(expected)), tmp_path)

    for deed, (code, deaths) in expected.items():
        found = figures.deeds[deed]
        assert [hold["code"] for hold in found["held"]] == [code], deed
        assert found["held"][0]["words"], deed
        assert (found["delivered"], found["unaccounted"]) == (199, 0), deed
        # One death for being near, three for being alone with it.
        assert found["deaths"] == deaths, deed


async def test_what_a_killed_worker_held_is_done_once_by_another(tmp_path: Path) -> None:
    figures = await run_takeover(TakeoverPlan(rounds=1, deliveries=40), tmp_path)

    assert len(figures.last_s) == 1
    assert (figures.doubled, figures.unaccounted) == (0, 0)


async def test_a_frozen_worker_that_comes_back_changes_nothing(tmp_path: Path) -> None:
    figures = await run_zombie(ZombiePlan(rounds=1, lanes=40), tmp_path)

    assert figures.violations == []
    assert (figures.trials, figures.refused) == (40, 40)


async def test_nothing_is_lost_or_refused_whatever_happens_to_redis(tmp_path: Path) -> None:
    figures = await run_redis(
        RedisPlan(events=900, rate_per_s=120, tenants=5, every_s=1.5), tmp_path
    )

    assert (figures.refused, figures.lost, figures.doubled, figures.unaccounted) == (0, 0, 0, 0)
    assert len(figures.abuses) >= 3


async def test_hostile_targets_end_as_what_they_are_and_the_good_ones_get_everything(
    tmp_path: Path,
) -> None:
    plan = HostilePlan(seconds=2.0, good=2, rate_per_s=10, hostile_rate_per_s=1)

    figures = await run_hostile(plan, tmp_path)

    assert {name: set(told) for name, told in figures.attempts.items()} == {
        name: {f"{outcome} {code}".strip()} for name, (outcome, code) in EXPECTED.items()
    }
    assert figures.good_delivered == 80
    assert figures.unaccounted == 0
