"""The pace: the vendor's rate is kept, and the number of calls at one time finds its level."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from app.connections.pace import Pace, PaceState
from app.connections.retry_after import retry_after_s
from connectors.sdk.manifest import Quota
from connectors.sdk.transport import NotSent


class Clock:
    """A clock that moves only when told; seconds."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def state(clock: Clock, **quota: float) -> PaceState:
    wanted: dict[str, float] = {"rate_per_s": 2.0, "burst": 4.0, "parallel": 8, **quota}
    return PaceState(Quota.model_validate(wanted), share_0_1=1.0, clock_s=clock)


def run(pace: PaceState, clock: Clock, calls: int, *, clean: bool) -> None:
    for _ in range(calls):
        clock.now_s += 10
        pace.take(1)
        pace.give_back("clean" if clean else "pushed_back")


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    clock = Clock()
    pace = state(clock)
    waits = []
    for _ in range(6):
        waits.append(pace.wait_s(1))
        pace.take(1)

    assert waits == [0, 0, 0, 0, 0.5, 1.0]


def test_tokens_come_back_with_time_up_to_the_burst() -> None:
    clock = Clock()
    pace = state(clock)
    pace.take(4)

    clock.now_s += 1
    after_one = [pace.wait_s(2), pace.wait_s(3)]
    clock.now_s += 3_600

    assert after_one == [0, 0.5]
    assert [pace.wait_s(4), pace.wait_s(40)] == [0, 0]


def test_a_call_dearer_than_the_bucket_goes_when_it_is_full_and_leaves_a_debt() -> None:
    clock = Clock()
    pace = state(clock)

    pace.take(10)

    assert pace.wait_s(1) == 3.5


def test_twenty_clean_answers_allow_one_more_call_up_to_the_quota() -> None:
    clock = Clock()
    pace = state(clock)
    seen = [pace.parallel]
    for calls in (19, 1, 60, 200):
        run(pace, clock, calls, clean=True)
        seen.append(pace.parallel)

    assert seen == [4, 4, 5, 8, 8]


def test_being_pushed_back_halves_the_calls_down_to_one() -> None:
    clock = Clock()
    pace = state(clock)
    seen = []
    for _ in range(4):
        run(pace, clock, 1, clean=False)
        seen.append(pace.parallel)

    assert seen == [2, 1, 1, 1]


def test_calls_pushed_back_at_the_same_moment_halve_once() -> None:
    clock = Clock()
    pace = state(clock)
    for _ in range(4):
        pace.take(1)
    for _ in range(4):
        pace.give_back("pushed_back")

    assert (pace.parallel, pace.in_flight) == (2, 0)


def test_a_small_quota_is_never_exceeded_and_a_share_is_a_part_of_it() -> None:
    clock = Clock()
    quota = Quota(rate_per_s=10, burst=20, parallel=8)
    half = PaceState(quota, share_0_1=0.25, clock_s=clock)

    assert (half.parallel, half.rate_per_s) == (2, 2.5)
    assert state(clock, parallel=1).parallel == 1


@pytest.mark.parametrize(
    ("stated", "believed"),
    [(0.5, 0.5), (100.0, 20.0), (0.01, 0.2), (float("nan"), 2.0), (-1.0, 2.0), (0.0, 2.0)],
)
def test_a_rate_that_the_target_states_is_believed_within_reason(
    stated: float, believed: float
) -> None:
    pace = state(Clock())

    pace.learn_rate(stated)

    assert pace.rate_per_s == pytest.approx(believed)


@pytest.mark.parametrize(("asked_s", "kept_s"), [(0, 1), (30, 30), (1e9, 3600)])
def test_a_wish_for_patience_is_kept_within_one_second_and_one_hour(
    asked_s: float, kept_s: float
) -> None:
    pace = state(Clock())

    pace.pause(asked_s)

    assert pace.wait_s(1) == pytest.approx(kept_s)


async def test_a_slot_that_cannot_come_in_time_is_refused_with_the_wait() -> None:
    pace = Pace(Quota(rate_per_s=0.1, burst=1, parallel=8), clock_s=Clock())
    async with pace.slot(1, wait_s=1):
        pass

    with pytest.raises(NotSent) as refusal:
        async with pace.slot(1, wait_s=1):
            pass

    assert (refusal.value.code, refusal.value.after_s) == ("pace.exhausted", 10.0)


async def test_a_slot_is_handed_on_when_a_call_ends_also_by_a_fault() -> None:
    pace = Pace(Quota(rate_per_s=100, burst=100, parallel=1), clock_s=Clock())
    order: list[str] = []

    async def second() -> None:
        async with pace.slot(1, wait_s=60):
            order.append("second")

    async with asyncio.TaskGroup() as tasks:
        with pytest.raises(ZeroDivisionError):
            async with pace.slot(1, wait_s=60):
                tasks.create_task(second())
                await asyncio.sleep(0)
                order.append("first")
                raise ZeroDivisionError

    assert order == ["first", "second"]
    assert pace.state.in_flight == 0


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("-1", None),
        ("1e9", None),
        ("9" * 30, None),
        ("", None),
        ("soon", None),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_in_both_spellings_and_garbage_is_ignored(
    written: str, seconds: float | None
) -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)

    assert retry_after_s({"retry-after": written}, moment) == seconds
    assert retry_after_s({}, moment) is None
