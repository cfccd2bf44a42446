"""Returns in the database: told twice, told otherwise, decided once, performed by one of many."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from app.retail.returns.act import Task
from app.retail.returns.decide import NoSuchChoice, NotAsked, decide
from app.retail.returns.facts import Fact
from app.retail.returns.listing import list_returns
from app.retail.returns.observe import observe_facts
from app.retail.returns.progress import Pace, Progress
from app.retail.returns.read import read_return
from app.retail.returns.store import FactDiffers
from app.retail.returns.work import Done, Outcome
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.errors import NotFound
from infra.ids import Id
from tests.app.retail.returns.outside import Outside
from tests.app.retail.returns.play import AT_ONCE
from tests.app.retail.returns.shapes import ALL_IN, AT, known, opened, refunded, sale
from tests.app.retail.returns.test_kill import a_retailer

D = Decimal
START: list[Fact] = [opened(), known(sale()), *ALL_IN]


async def a_scope(database: Database) -> TenantScope:
    return TenantScope(await a_retailer(database), "Ada")


async def a_scope_and_outside(database: Database, *refuses: str) -> tuple[TenantScope, Outside]:
    scope = await a_scope(database)
    return scope, Outside(Counter(refuses), only_of=scope.tenant_id)


async def tell(scope: TenantScope, database: Database, *facts: Fact) -> Id:
    return (await observe_facts(scope, database, "shop/R-1", facts)).return_id


async def run_all(database: Database, outside: Outside) -> None:
    while await Progress(database, outside, AT_ONCE).run_due():
        pass


async def test_a_fact_told_twice_counts_once(database: Database) -> None:
    scope = await a_scope(database)

    first = await observe_facts(scope, database, "shop/R-1", START)
    second = await observe_facts(scope, database, "shop/R-1", START)

    assert (first.new_facts, second.new_facts) == (5, 0)
    assert first.return_id == second.return_id


async def test_one_key_with_other_content_is_refused_and_nothing_is_written(
    database: Database,
) -> None:
    scope = await a_scope(database)
    await tell(scope, database, refunded("t-1", "card", "10.00"))

    with pytest.raises(FactDiffers):
        await tell(scope, database, known(sale()), refunded("t-1", "card", "11.00"))

    async with begin(scope, database) as session:
        kinds = await session.fetch("select kind from return_fact")
    assert [row["kind"] for row in kinds] == ["refunded"]


async def test_our_own_refund_reported_back_by_the_provider_counts_once(
    database: Database,
) -> None:
    scope, outside = await a_scope_and_outside(database)
    return_id = await tell(scope, database, *START)
    await run_all(database, outside)
    (paid,) = outside.refunds
    (key,) = (key for key, work in outside.effects.items() if type(work).__name__ == "PayRefund")

    await tell(
        scope,
        database,
        msgspec.structs.replace(
            refunded(f"ref:{key}", "card", "43.49", by="psp"), at=AT + timedelta(days=1)
        ),
    )
    await run_all(database, outside)

    view = await read_return(scope, database, return_id)
    assert paid.amount == D("43.49")
    assert (view.summary.status, view.summary.refunded) == ("closed_complete", D("43.49"))


async def test_a_second_refund_after_the_close_opens_the_return_again(database: Database) -> None:
    scope, outside = await a_scope_and_outside(database)
    return_id = await tell(scope, database, *START)
    await run_all(database, outside)

    await tell(scope, database, refunded("portal-9", "card", "43.49", by="portal"))

    view = await read_return(scope, database, return_id)
    assert (view.summary.status, view.summary.step, view.summary.who) == ("open", "R7", "a person")
    assert [each.question for each in view.asked] == ["over_refund"]
    assert view.summary.closed_at is None


async def test_a_question_is_answered_once_and_only_with_a_choice_it_has(
    database: Database,
) -> None:
    scope, outside = await a_scope_and_outside(database, "pay:card")
    return_id = await tell(scope, database, *START)
    await run_all(database, outside)
    asked = ("alternative_tender", "card refused 1")

    with pytest.raises(NoSuchChoice):
        await decide(scope, database, return_id, asked, "bitcoin")
    await decide(scope, database, return_id, asked, "store_credit", "By phone.")
    with pytest.raises(NotAsked):
        await decide(scope, database, return_id, asked, "retry")
    await run_all(database, outside)

    async with begin(scope, database) as session:
        row = await session.fetch_one("select decided_by, choice, remark from return_decision")
        lines = await session.fetch("select action, actor from audit")
    assert row is not None
    assert tuple(row) == ("Ada", "store_credit", "By phone.")
    assert [tuple(line) for line in lines] == [("returns.decide_question", "Ada")]
    assert outside.paid_to() == {"store_credit": D("43.49")}


async def test_a_stuck_return_says_which_step_since_when_and_who_must_act(
    database: Database,
) -> None:
    scope = await a_scope(database)
    await tell(scope, database, opened(), known(sale()))

    (summary,) = await list_returns(scope, database)

    assert (summary.step, summary.step_title) == ("R3", "Receive the goods")
    assert (summary.who, summary.is_stuck) == ("the carrier or the channel", False)
    assert summary.words == "The goods have not arrived yet."
    assert summary.limit_at == summary.step_since + timedelta(days=3)


async def test_books_that_are_down_leave_the_refund_alone_and_the_return_waiting(
    database: Database,
) -> None:
    """E-R11. Refund at the till while the ERP is down: the saga waits at the reversal."""
    scope, outside = await a_scope_and_outside(database, "post:erp")
    till = refunded("till-1", "card", "43.49", is_all=True)
    outside.paid_elsewhere.append(till.paid)
    return_id = await tell(scope, database, *START, till)
    for _ in range(2):
        await Progress(database, outside, Pace(lease_s=0.0)).run_due()

    view = await read_return(scope, database, return_id)

    assert (view.summary.status, view.summary.step) == ("open", "R8")
    assert view.summary.words == "Revenue and tax are being reversed in the books."
    assert outside.refunded == D("43.49")
    async with begin(scope, database) as session:
        row = await session.fetch_one(
            "select state, attempts, refusals, words from return_command where step = 'R8'"
        )
    assert row is not None
    assert tuple(row) == ("waiting", 1, 1, "post:erp says no.")


@dataclass(slots=True)
class TwoAtOnce:
    """Lets every call wait until both workers had their chance."""

    inner: Outside
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    is_let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, task: Task) -> Outcome:
        self.has_begun.set()
        await self.is_let_go.wait()
        return await self.inner.perform(task)


async def test_two_workers_perform_each_piece_of_work_once(database: Database) -> None:
    scope, outside = await a_scope_and_outside(database)
    return_id = await tell(scope, database, *START)
    slow = TwoAtOnce(outside)
    first = Progress(database, slow)
    second = Progress(database, outside)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(first.run_due())
        await slow.has_begun.wait()
        await second.run_due()
        slow.is_let_go.set()
        await running
    await run_all(database, outside)

    assert set(outside.calls.values()) == {1}
    view = await read_return(scope, database, return_id)
    assert view.summary.status == "closed_complete"


@dataclass(slots=True)
class TakenOver:
    """While the first worker calls, its lease ends and a second one does the same work."""

    inner: Outside
    database: Database
    is_first: bool = True

    async def perform(self, task: Task) -> Outcome:
        outcome = await self.inner.perform(task)
        if self.is_first:
            self.is_first = False
            await Progress(self.database, self.inner, AT_ONCE).run_due()
        return outcome


async def test_a_worker_that_lost_its_lease_writes_nothing(database: Database) -> None:
    scope, outside = await a_scope_and_outside(database)
    return_id = await tell(scope, database, *START)

    await Progress(database, TakenOver(outside, database), AT_ONCE).run_due()
    await run_all(database, outside)

    assert max(outside.calls.values()) == 2
    assert outside.refunded == D("43.49")
    view = await read_return(scope, database, return_id)
    assert view.summary.status == "closed_complete"


async def test_other_retailers_see_nothing_of_a_return(database: Database) -> None:
    mine, foreign = await a_scope(database), await a_scope(database)
    return_id = await tell(mine, database, *START)

    assert await list_returns(foreign, database) == []
    with pytest.raises(NotFound):
        await read_return(foreign, database, return_id)
    with pytest.raises(NotFound):
        await decide(foreign, database, return_id, ("validate", ""), "approve")


async def test_facts_are_never_changed_and_the_engine_reads_no_work(database: Database) -> None:
    scope = await a_scope(database)
    await tell(scope, database, *START)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with begin(scope, database) as session:
            await session.execute("update return_fact set body = '{}'")
    for sql in ("select work from return_command", "select body from return_fact"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with begin(EngineScope(), database) as session:
                await session.fetch(sql)


@dataclass(slots=True)
class NeverAnswers:
    """Takes every call and says nothing."""

    tenant_id: Id
    keys: list[str] = field(default_factory=list)

    async def perform(self, task: Task) -> Outcome:
        if task.tenant_id == self.tenant_id:
            self.keys.append(task.key)
        await asyncio.Event().wait()
        return Done("")


async def test_every_attempt_of_one_piece_of_work_has_the_same_key(database: Database) -> None:
    scope, outside = await a_scope_and_outside(database)
    return_id = await tell(scope, database, *START)
    silent = NeverAnswers(scope.tenant_id)
    hasty = Pace(lease_s=0.0, call_s=0.001, repeat_s=(0.0,))

    await Progress(database, silent, hasty).run_due()
    first = sorted(silent.keys)
    await Progress(database, silent, hasty).run_due()
    await run_all(database, outside)

    assert first == [f"{return_id}:R5:r1:1", f"{return_id}:R5:r2:1", f"{return_id}:R7:card:1"]
    assert sorted(silent.keys) == sorted(first * 2)
    assert set(first) <= set(outside.effects)
