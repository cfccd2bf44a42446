"""The pace: the shared budget is kept, and the number of calls at one time finds its level."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import pytest_asyncio

from app.connections.budget import Allowance, BudgetKey
from app.connections.call_limit import Verdict
from app.connections.directory import ConnectionConfig
from app.connections.lessor import Lessor
from app.connections.pace import Pace
from app.connections.retry_after import retry_after_s
from connectors.sdk.budget import BudgetReport
from connectors.sdk.transport import NotSent
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import new_id


class Clock:
    """A clock that moves only when told; seconds."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest_asyncio.fixture
async def lessor(database: Database) -> AsyncIterator[Lessor]:
    async with asyncio.TaskGroup() as tasks:
        opened = Lessor(database)
        running = tasks.create_task(opened.run())
        yield opened
        running.cancel()


def a_pace(lessor: Lessor, rate: float = 1000.0, burst: float = 1000.0, parallel: int = 8) -> Pace:
    key = BudgetKey(new_id(), b"digest", "")
    config = ConnectionConfig(key.tenant_id, new_id(), "erp", "http")
    return Pace(lessor, key, config, Allowance(rate, burst, parallel))


async def call(pace: Pace, verdict: Verdict = "clean", *, cost: float = 1.0) -> None:
    async with pace.slot(cost, wait_s=5) as slot:
        slot.judge(verdict)


async def refused(pace: Pace, wait_s: float = 0.05) -> NotSent:
    with pytest.raises(NotSent) as refusal:
        async with pace.slot(1, wait_s=wait_s):
            pass
    return refusal.value


async def test_a_burst_goes_at_once_and_then_nothing_until_the_next_token(lessor: Lessor) -> None:
    pace = a_pace(lessor, rate=0.01, burst=4)
    for _ in range(3):
        await call(pace)

    refusal = await refused(pace)

    assert refusal.code == "pace.exhausted"
    assert refusal.after_s == pytest.approx(120, abs=1)


async def test_those_who_are_sent_away_come_again_one_after_the_other(lessor: Lessor) -> None:
    pace = a_pace(lessor, rate=0.5, burst=1)
    await call(pace)

    waits = [(await refused(pace)).after_s or 0 for _ in range(4)]

    # Some more come than there are tokens, so that none is wasted.
    steps = [later - sooner for sooner, later in pairwise(waits)]
    assert steps == [pytest.approx(1 / 0.485 / 1.25, abs=0.3)] * 3


async def test_every_clean_answer_allows_one_more_until_the_first_push_back_then_every_twentieth(
    lessor: Lessor,
) -> None:
    pace = a_pace(lessor, parallel=64)
    seen = [pace.parallel]
    for verdict, count in (("clean", 6), ("overloaded", 1), ("clean", 19), ("clean", 1)):
        for _ in range(count):
            await call(pace, verdict)  # type: ignore[arg-type]
        seen.append(pace.parallel)

    assert seen == [4, 10, 5, 5, 6]


async def test_calls_pushed_back_at_the_same_moment_halve_once(lessor: Lessor) -> None:
    pace = a_pace(lessor)

    await asyncio.gather(*(call(pace, "throttled") for _ in range(4)))

    assert (pace.parallel, pace.in_flight) == (2, 0)


async def test_the_limit_that_was_found_is_there_for_the_next_worker(lessor: Lessor) -> None:
    first = a_pace(lessor, rate=10_000, burst=100_000, parallel=64)
    for _ in range(20):
        await call(first)
    first.leave()
    await lessor.flush()
    second = Pace(lessor, first._key, first.config, first.allowance)

    await call(second)

    assert second.parallel == 25


async def test_while_the_last_calls_failed_few_more_are_begun(lessor: Lessor) -> None:
    pace = a_pace(lessor, parallel=64)
    for _ in range(60):
        await call(pace)
    for _ in range(8):
        await call(pace, "failed")

    begun = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as tasks:
        done = asyncio.Event()

        async def slow() -> None:
            async with pace.slot(1, wait_s=30) as slot:
                begun.release()
                await done.wait()
                slot.judge("clean")

        waiting = [tasks.create_task(slow()) for _ in range(20)]
        for _ in range(4):
            await begun.acquire()
        await asyncio.sleep(0)
        in_flight = pace.in_flight
        done.set()
        await asyncio.gather(*waiting)

    assert (in_flight, pace.in_flight) == (4, 0)


async def test_a_pause_is_kept_between_one_second_and_one_hour(lessor: Lessor) -> None:
    waits = []
    for asked_s in (0, 30, 1e9):
        pace = a_pace(lessor)
        await call(pace)
        pace.pause(asked_s)
        waits.append((await refused(pace)).after_s)

    assert waits == [
        pytest.approx(1, abs=0.2), pytest.approx(30, abs=0.2), pytest.approx(3600, abs=0.2),
    ]  # fmt: skip


async def test_a_pause_that_one_worker_was_asked_for_is_kept_by_another(
    lessor: Lessor, database: Database
) -> None:
    pace = a_pace(lessor)
    await call(pace)
    pace.pause(60)
    await lessor.flush()
    other = Pace(Lessor(database), pace._key, pace.config, pace.allowance)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(other._lessor.run())
        refusal = await refused(other, wait_s=1)
        running.cancel()

    assert refusal.after_s == pytest.approx(60, abs=2)


async def test_what_is_not_spent_goes_back_to_the_others(
    lessor: Lessor, database: Database
) -> None:
    pace = a_pace(lessor, rate=20, burst=1000)
    await call(pace)

    pace.leave()
    await lessor.flush()

    async with begin(EngineScope(), database) as session:
        row = await session.fetch_one(
            "select tokens, workers, calls from budget where tenant_id = $1", pace._key.tenant_id
        )
    assert row is not None
    assert (row["workers"], row["calls"]) == ("{}", 1)
    assert row["tokens"] > 976  # of 979: 1000 less one spared, less a second of rate


async def test_a_rate_that_the_target_states_is_taken_over(lessor: Lessor) -> None:
    pace = a_pace(lessor, rate=1000, burst=1000)
    async with pace.slot(1, wait_s=5) as slot:
        slot.judge("clean")
        slot.learn(BudgetReport(rate_per_s=0.5))
    await lessor.flush()
    await call(pace)

    refusal = await refused(pace)

    assert refusal.after_s == pytest.approx(1 / 0.485 + 1 / 0.485 / 1.25, abs=1)


async def test_while_the_book_is_away_what_is_granted_is_spent_and_no_more(
    lessor: Lessor, database: Database
) -> None:
    pace = a_pace(lessor, rate=20, burst=1000)
    await call(pace)
    granted = round(pace._tokens)
    pace._lessor = Lessor(database)  # nobody runs it: it never answers
    for _ in range(granted):
        await call(pace)

    refusal = await refused(pace)

    assert refusal.code == "pace.exhausted"
    assert granted >= 1


async def test_a_slot_is_handed_on_when_a_call_ends_also_by_a_fault(lessor: Lessor) -> None:
    pace = a_pace(lessor, rate=100, burst=100, parallel=1)
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
    assert pace.in_flight == 0


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("2.0", 2.0),
        ("2.0.0", None),
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


async def test_being_ready_takes_nothing_and_room_says_how_many_may_begin(lessor: Lessor) -> None:
    pace = a_pace(lessor, rate=0.01, burst=4)
    nothing = pace.room()

    for _ in range(3):
        await pace.ready(1, wait_s=5)
        await pace.ready(1, wait_s=5)
        assert pace.room() >= 1
        await call(pace)

    assert (nothing, pace.room()) == (0, 0)
    with pytest.raises(NotSent, match="used up for now"):
        await pace.ready(1, wait_s=0.05)
