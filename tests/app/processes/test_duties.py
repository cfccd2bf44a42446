"""Many schedulers may run; each duty is done by one of them, and by another when that one dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from app.processes.duties import Duties, Duty, list_duties
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import new_id

LONG_S = 3_600.0


@pytest_asyncio.fixture
async def name(database: Database) -> AsyncIterator[str]:
    """A duty that nobody has done before."""
    yield f"duty {new_id()}"


async def test_a_duty_is_done_once_in_its_time_by_however_many_schedulers(
    database: Database, name: str
) -> None:
    done: list[int] = []
    duty = Duty(name, LONG_S, _noting(done))
    schedulers = [Duties([duty], f"scheduler {n}", database) for n in range(4)]

    taken = await asyncio.gather(*(each.do(duty) for each in schedulers))

    assert sorted(taken) == [False, False, False, True]
    assert await schedulers[0].do(duty) is False
    assert done == [1]


async def test_a_duty_is_due_again_after_its_time(database: Database, name: str) -> None:
    done: list[int] = []
    duty = Duty(name, 0.0, _noting(done))
    scheduler = Duties([duty], "scheduler", database)

    assert [await scheduler.do(duty) for _ in range(3)] == [True, True, True]
    assert len(done) == 3
    row = await _row(database, name)
    assert (row["holder"], row["leased_until"], row["last_problem"]) == ("", None, "")
    assert row["last_done_at"] is not None
    assert row["last_took_ms"] >= 0


async def test_nobody_else_takes_a_duty_while_it_is_being_done(
    database: Database, name: str
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def take_long() -> None:
        begun.set()
        await may_end.wait()

    duty = Duty(name, 0.0, take_long)
    one = Duties([duty], "one", database, lease_s=0.3)
    other = Duties([duty], "other", database, lease_s=0.3)

    async with asyncio.TaskGroup() as tasks:
        doing = tasks.create_task(one.do(duty))
        await begun.wait()
        # Longer than the lease: it is renewed, and no transaction is open meanwhile.
        first_until = (await _row(database, name))["leased_until"]
        while (await _row(database, name))["leased_until"] == first_until:
            assert await other.do(duty) is False
        may_end.set()

    assert doing.result() is True
    assert await other.do(duty) is True


async def test_the_duty_of_a_scheduler_that_died_is_taken_when_its_lease_ends(
    database: Database, name: str
) -> None:
    async with begin(EngineScope(), database) as session:
        await session.execute(
            "insert into duty (name, holder, leased_until)"
            " values ($1, 'died', now() + interval '0.2 s')",
            name,
        )
    done: list[int] = []
    duty = Duty(name, LONG_S, _noting(done))
    heir = Duties([duty], "heir", database)

    assert await heir.do(duty) is False
    async with asyncio.timeout(10):
        while not await heir.do(duty):  # noqa: ASYNC110 - its lease has to end
            await asyncio.sleep(0.01)

    assert done == [1]


async def test_a_scheduler_that_lost_its_lease_stops_and_changes_nothing(
    database: Database, name: str
) -> None:
    ended: list[str] = []

    async def take_long() -> None:
        try:
            async with begin(EngineScope(), database) as session:
                await session.execute("update duty set holder = 'other' where name = $1", name)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("stopped")
            raise

    duty = Duty(name, 0.0, take_long)

    await Duties([duty], "frozen", database, lease_s=0.3).do(duty)

    assert ended == ["stopped"]
    row = await _row(database, name)
    assert (row["holder"], row["last_done_at"]) == ("other", None)


async def test_trouble_is_written_down_and_the_duty_tried_again(
    database: Database, name: str
) -> None:
    troubles = [ValueError("a value nobody should read"), None]

    async def stumble() -> None:
        trouble = troubles.pop(0)
        if trouble:
            raise trouble

    duty = Duty(name, LONG_S, stumble)
    scheduler = Duties([duty], "scheduler", database)

    await scheduler.do(duty)
    failed = await _row(database, name)
    await scheduler.do(duty)
    mended = await _row(database, name)

    assert (failed["last_problem"], failed["last_done_at"]) == ("ValueError", None)
    assert (failed["holder"], failed["leased_until"]) == ("", None)
    assert mended["last_problem"] == ""
    assert mended["last_done_at"] is not None


async def test_a_slow_duty_delays_no_other(database: Database) -> None:
    slow_begun, quick_done = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        slow_begun.set()
        await asyncio.Event().wait()

    async def quick() -> None:
        await slow_begun.wait()
        quick_done.set()

    todo = [Duty(f"slow {new_id()}", 1.0, slow), Duty(f"quick {new_id()}", 1.0, quick)]

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        working = tasks.create_task(Duties(todo, "scheduler", database).run())
        await quick_done.wait()
        working.cancel()

    given_back = await _row(database, todo[0].name)
    assert (given_back["holder"], given_back["last_problem"]) == ("", "interrupted")


def _noting(done: list[int]) -> Any:
    async def note() -> None:
        done.append(1)

    return note


async def _row(database: Database, name: str) -> dict[str, Any]:
    return next(dict(row) for row in await list_duties(database) if row["name"] == name)
