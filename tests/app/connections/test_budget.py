"""The shared budget: many workers together keep the vendor's rate and burst."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from app.connections.budget import Allowance, Ask, BudgetKey, Told, lease_tokens, make_budgets
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import Id, new_id

ROWS = "select tokens, rate_per_s, burst, calls, refused from budget where bucket = $1"


@dataclass(frozen=True, slots=True)
class Book:
    """One budget of its own, with a clock that is moved by moving the row's moments back."""

    database: Database
    key: BudgetKey
    allowance: Allowance

    def ask(self, need: float = 1.0, want: float = 0.0, told: Told | None = None) -> Ask:
        return Ask(self.key, self.key.tenant_id, self.allowance, need, want, told or Told())

    async def lease(self, *asks: Ask, worker: str = "w1") -> list[float]:
        """Lease one after the other; gives what was granted."""
        granted = []
        for ask in asks:
            async with begin(EngineScope(), self.database) as session:
                await make_budgets(session, [ask])
                leases = await lease_tokens(session, [ask], worker)
            granted.append(leases[ask.key].granted)
        return granted

    async def pass_time(self, seconds: float) -> None:
        async with begin(EngineScope(), self.database) as session:
            await session.execute(
                "update budget set filled_at = filled_at - make_interval(secs => $2),"
                " paused_until = paused_until - make_interval(secs => $2),"
                " halved_at = halved_at - make_interval(secs => $2) where bucket = $1",
                self.key.bucket,
                seconds,
            )

    async def row(self) -> dict[str, object]:
        async with begin(EngineScope(), self.database) as session:
            return dict(await session.fetch_one(ROWS, self.key.bucket) or {})


def a_book(database: Database, rate: float, burst: float, parallel: int = 8) -> Book:
    tenant_id: Id = new_id()
    key = BudgetKey(tenant_id, b"digest", new_id().hex)
    return Book(database, key, Allowance(rate, burst, parallel))


async def test_a_slow_budget_is_granted_call_by_call_one_below_its_burst(
    database: Database,
) -> None:
    book = a_book(database, rate=0.001, burst=5)

    granted = await book.lease(*[book.ask(want=100)] * 6)

    assert granted == [1, 1, 1, 1, 0, 0]


async def test_tokens_come_back_a_little_slower_than_the_vendor_says(database: Database) -> None:
    book = a_book(database, rate=1, burst=3)
    await book.lease(*[book.ask()] * 2)
    await book.pass_time(1.0)
    too_early = await book.lease(book.ask())
    await book.pass_time(0.05)

    assert too_early == [0]
    assert await book.lease(book.ask()) == [1]


async def test_a_fast_budget_is_granted_for_a_second_and_kept_below_the_burst(
    database: Database,
) -> None:
    book = a_book(database, rate=100, burst=2000)

    (granted,) = await book.lease(book.ask(want=100_000))

    assert granted == 100
    assert (await book.row())["tokens"] == pytest.approx(2000 - 1 - 100 - 100)


async def test_a_call_dearer_than_the_bucket_goes_when_it_is_full_and_leaves_a_debt(
    database: Database,
) -> None:
    book = a_book(database, rate=1, burst=5)

    assert await book.lease(book.ask(need=10)) == [10]
    assert (await book.row())["tokens"] == pytest.approx(-6, abs=0.1)


@pytest.mark.parametrize("workers", [1, 2, 5])
async def test_workers_that_ask_at_once_get_together_what_one_would(
    database: Database, workers: int
) -> None:
    book = a_book(database, rate=0.001, burst=21)

    granted = await asyncio.gather(
        *(book.lease(*[book.ask()] * 20, worker=f"w{number}") for number in range(workers))
    )

    assert sum(map(sum, granted)) == 20


async def test_what_is_given_back_can_be_taken_by_another(database: Database) -> None:
    book = a_book(database, rate=0.001, burst=3)
    await book.lease(book.ask(need=2))

    back = book.ask(need=0, told=Told(back=1.0))
    await book.lease(back)

    assert await book.lease(book.ask(), book.ask(), worker="w2") == [1, 0]


@pytest.mark.parametrize(
    ("told", "rate", "burst"),
    [
        (Told(rate_per_s=0.5), 0.5, 2.5),
        (Told(rate_per_s=4), 4, 10),
        (Told(rate_per_s=1e9), 20, 10),
        (Told(rate_per_s=1e-9), 0.01, 1),
        (Told(burst=40), 2, 40),
        (Told(burst=1e12), 2, 100),
    ],
)
async def test_what_the_vendor_states_holds_within_reason(
    database: Database, told: Told, rate: float, burst: float
) -> None:
    book = a_book(database, rate=2, burst=10)

    await book.lease(book.ask(told=told))

    row = await book.row()
    assert (row["rate_per_s"], row["burst"]) == (pytest.approx(rate), pytest.approx(burst))
    await book.lease(book.ask())
    assert (await book.row())["rate_per_s"] == pytest.approx(rate)


async def test_a_changed_declaration_replaces_what_was_learned(database: Database) -> None:
    book = a_book(database, rate=2, burst=10)
    await book.lease(book.ask(told=Told(rate_per_s=1)))

    larger = replace(book, allowance=Allowance(5, 50, 8))
    await larger.lease(larger.ask())

    row = await book.row()
    assert (row["rate_per_s"], row["burst"]) == (5, 50)


async def test_what_the_vendor_has_left_is_all_that_is_left(database: Database) -> None:
    book = a_book(database, rate=0.001, burst=100)

    granted = await book.lease(book.ask(told=Told(remaining=1)), book.ask(), book.ask())

    assert granted == [1, 1, 0]


async def test_a_pause_holds_for_every_worker(database: Database) -> None:
    book = a_book(database, rate=10, burst=10)
    await book.lease(book.ask(told=Told(pause_s=60)))

    during = await book.lease(book.ask(), worker="w2")
    await book.pass_time(61)

    assert during == [0]
    assert await book.lease(book.ask(), worker="w2") == [1]


async def test_the_limit_of_calls_at_one_time_is_found_together_and_divided(
    database: Database,
) -> None:
    book = a_book(database, rate=10, burst=10, parallel=9)
    seen = []
    for worker, told in (
        ("w1", Told(grow=3)), ("w2", Told()), ("w1", Told(grow=50)), ("w2", Told(is_halved=True)),
        ("w1", Told(is_halved=True)),
    ):  # fmt: skip
        async with begin(EngineScope(), database) as session:
            await make_budgets(session, [book.ask()])
            lease = (await lease_tokens(session, [book.ask(told=told)], worker))[book.key]
        seen.append((lease.workers, lease.parallel))

    assert seen == [(1, 7), (2, 3), (2, 5), (2, 2), (2, 2)]


async def test_calls_and_refusals_are_counted(database: Database) -> None:
    book = a_book(database, rate=10, burst=10)

    await book.lease(*[book.ask(told=Told(calls=3, used=3, refused=1))] * 2)

    row = await book.row()
    assert (row["calls"], row["refused"]) == (6, 2)
