"""Perform what is due: lease, act, write down what became of it. Any number of workers may do so.

A worker that dies at any moment leaves a lease that ends; the next one repeats under the same key.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.retail.returns.act import Act, Task
from app.retail.returns.facts import Fact, LimitPassed
from app.retail.returns.fold import Case
from app.retail.returns.store import add_facts, lock_process, read_kept, replan
from app.retail.returns.work import (
    Command,
    Done,
    Later,
    Nobody,
    Outcome,
    PostReversal,
    decode_work,
    fact_of,
    unserved_fact,
)
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id, new_id

ACTOR = "system"
# Books that refuse are asked again, for an account may have been missing; then it is suspense.
BOOK_TRIES = 3

_DUE = (
    "select tenant_id, return_id, key from return_command"
    " where state in ('waiting', 'leased') and due_at <= now() order by due_at limit $1"
)
_LATE = (
    "select tenant_id, id from return_process"
    " where status = 'open' and step = 'R3' and waits_for = 'external' and limit_at <= now()"
    " order by limit_at limit $1"
)
_LEASE = """
update return_command set state = 'leased', attempts = attempts + 1, lease_token = $4,
    due_at = now() + make_interval(secs => $5)
where tenant_id = $1 and return_id = $2 and key = $3 and state in ('waiting', 'leased')
    and due_at <= now()
returning part, work, attempts, refusals, created_at
"""
_HELD = (
    "select 1 from return_command where tenant_id = $1 and return_id = $2 and key = $3"
    " and state = 'leased' and lease_token = $4"
)
_SETTLE = (
    "update return_command set state = $4, lease_token = null, settled_at = now(), words = $5"
    " where tenant_id = $1 and return_id = $2 and key = $3"
)
_AGAIN = (
    "update return_command set state = 'waiting', lease_token = null, words = $4,"
    " refusals = refusals + $5, due_at = now() + make_interval(secs => $6)"
    " where tenant_id = $1 and return_id = $2 and key = $3"
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast work is done: seconds of a lease, of one call, and before each repeat (last for all)."""

    lease_s: float = 120.0
    call_s: float = 30.0
    repeat_s: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0, 3600.0)
    at_once: int = 50


@dataclass(frozen=True, slots=True)
class _Leased:
    scope: TenantScope
    return_id: Id
    token: Id
    command: Command
    refusals: int
    task: Task


class Progress:
    """Performs due work through an `Act`, and notes limits that passed."""

    def __init__(self, database: Database, act: Act, pace: Pace | None = None) -> None:
        self._database = database
        self._act = act
        self._pace = pace or Pace()

    async def run_due(self) -> int:
        """Do one round of what is due now; gives how many pieces of work were taken."""
        async with begin(EngineScope(), self._database) as session:
            due = await session.fetch(_DUE, self._pace.at_once)
        taken = 0
        for row in due:
            scope = TenantScope(row["tenant_id"], ACTOR)
            leased = await self._lease(scope, row["return_id"], row["key"])
            if leased is not None:
                taken += 1
                await self._settle(leased, await self._perform(leased.task))
        return taken

    async def pass_limits(self) -> int:
        """Note every return whose goods are overdue; gives how many."""
        async with begin(EngineScope(), self._database) as session:
            late = await session.fetch(_LATE, self._pace.at_once)
        for row in late:
            await self._pass_limit(TenantScope(row["tenant_id"], ACTOR), row["id"])
        return len(late)

    async def _pass_limit(self, scope: TenantScope, return_id: Id) -> None:
        async with begin(scope, self._database) as session:
            await lock_process(session, scope, return_id)
            is_late = await session.fetch_value(
                "select limit_at <= now() and step = 'R3' and status = 'open'"
                " and waits_for = 'external' from return_process"
                " where tenant_id = $1 and id = $2",
                scope.tenant_id,
                return_id,
            )
            if not is_late:
                return
            passed = (await read_kept(session, scope, return_id)).case.passed["R3"]
            fact = LimitPassed(key=f"limit:R3:{passed + 1}", at=clock.now(), step="R3")
            await add_facts(session, scope, return_id, [fact])
            await replan(session, scope, return_id, has_new_limit=True)

    async def _lease(self, scope: TenantScope, return_id: Id, key: str) -> _Leased | None:
        """Take one piece of work; None when another worker has it or nobody needs it any more.

        Counted before the call, so that work which may have happened is never withdrawn.
        """
        token = new_id()
        async with begin(scope, self._database) as session:
            await lock_process(session, scope, return_id)
            place = (scope.tenant_id, return_id, key)
            row = await session.fetch_one(_LEASE, *place, token, self._pace.lease_s)
            if row is None:
                return None
            case = (await read_kept(session, scope, return_id)).case
        request = case.request
        work = decode_work(row["work"])
        assert request is not None  # noqa: S101 - nothing is issued before
        has_receipt = case.sale is not None and case.sale.order_id is not None
        task = Task(
            scope.tenant_id,
            return_id,
            key,
            work,
            request,
            has_receipt,
            case.rma,
            row["refusals"],
            row["created_at"],
            any(not key.startswith("command:") for key in _told_by(case)),
        )
        command = Command(key, row["part"], work, "leased", row["attempts"])
        return _Leased(scope, return_id, token, command, row["refusals"], task)

    async def _perform(self, task: Task) -> Outcome:
        try:
            async with asyncio.timeout(self._pace.call_s):
                return await self._act.perform(task)
        except TimeoutError:
            return Later("There was no answer in time.")

    async def _settle(self, leased: _Leased, outcome: Outcome) -> None:
        """Write what became of it; nothing when the lease was lost: who has it now will be told."""
        scope, return_id, key = leased.scope, leased.return_id, leased.command.key
        async with begin(scope, self._database) as session:
            await lock_process(session, scope, return_id)
            if await session.fetch_value(_HELD, scope.tenant_id, return_id, key, leased.token):
                await self._write(session, leased, outcome)

    async def _write(self, session: Session, leased: _Leased, outcome: Outcome) -> None:
        scope, return_id, key = leased.scope, leased.return_id, leased.command.key
        place = (scope.tenant_id, return_id, key)
        if isinstance(outcome, Later) or _is_tried_again(leased, outcome):
            refused = int(not isinstance(outcome, Later))
            tries = leased.refusals + 1 if refused else leased.command.attempts
            delay_s = self._delay_s(tries, outcome)
            await session.execute(_AGAIN, *place, _said(outcome), refused, delay_s)
            return
        fact = _fact(leased.command, outcome)
        assert fact is not None  # noqa: S101 - what has no fact was tried again
        state = "done" if isinstance(outcome, Done) else "refused"
        await session.execute(_SETTLE, *place, state, _said(outcome))
        await add_facts(session, scope, return_id, [fact])
        await replan(session, scope, return_id)

    def _delay_s(self, tries: int, outcome: Outcome) -> float:
        if isinstance(outcome, Later) and outcome.after_s is not None:
            return outcome.after_s
        schedule = self._pace.repeat_s
        return schedule[min(tries, len(schedule)) - 1]


def _told_by(case: Case) -> list[str]:
    return [each.key for each in case.refunds.values()]


def _fact(command: Command, outcome: Outcome) -> Fact | None:
    """Give the fact that an outcome is, if it is one."""
    if isinstance(outcome, Nobody):
        return unserved_fact(command, outcome.words, clock.now())
    return None if isinstance(outcome, Later) else fact_of(command, outcome, clock.now())


def _is_tried_again(leased: _Leased, outcome: Outcome) -> bool:
    """Say whether a refusal is not believed yet, or has nobody who could decide about it."""
    if isinstance(outcome, Done | Later | Nobody):
        return False
    if isinstance(leased.command.work, PostReversal):
        return leased.refusals + 1 < BOOK_TRIES
    return fact_of(leased.command, outcome, clock.now()) is None


def _said(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Done) else outcome.words
