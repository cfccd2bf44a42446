"""Read one return: its steps with their work, its money by tender, what was told, what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.retail.returns.ask import wish_of
from app.retail.returns.fold import Case
from app.retail.returns.listing import ReturnSummary, find_summary
from app.retail.returns.plan import Plan, plan
from app.retail.returns.questions import CHOICES
from app.retail.returns.steps import STEPS
from app.retail.returns.store import read_kept
from app.retail.returns.work import decode_work
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import NotFound
from infra.ids import Id

STATES = {
    "waiting": "waits for an earlier step",
    "open": "is its turn",
    "asked": "asks a person",
    "done": "is done",
    "skipped": "is not needed",
}
WORK_STATES = {
    "waiting": "is due",
    "leased": "is asked now",
    "done": "is done",
    "refused": "was refused",
    "withdrawn": "is not needed any more",
}
_ASKED = """
select question, subject, words, choices, asked_at, deadline_at from return_decision
where tenant_id = $1 and return_id = $2 and decided_at is null and withdrawn_at is null
order by asked_at, question, subject
"""
_FACTS = (
    "select key, kind, at, told_at from return_fact"
    " where tenant_id = $1 and return_id = $2 order by at, key"
)
_WORKS = (
    "select key, step, work, state, attempts, words, created_at, settled_at from return_command"
    " where tenant_id = $1 and return_id = $2 order by created_at, key"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One open question; `choices` with what each does, in words."""

    question: str
    subject: str
    words: str
    choices: dict[str, str]
    asked_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class WorkView:
    """One piece of work that a step asked another system for; `key` is the same at every attempt."""

    key: str
    words: str
    state: str
    state_words: str
    attempts: int
    last_words: str
    asked_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepView:
    """One of the eleven steps, its state, and what was asked for."""

    id: str
    title: str
    state: str
    state_words: str
    if_it_fails: str
    works: tuple[WorkView, ...]


@dataclass(frozen=True, slots=True)
class MoneyView:
    """One tender: what was paid by it in the sale, and what went back by it for this return."""

    tender_id: str
    kind: str
    paid: Decimal
    refunded: Decimal


@dataclass(frozen=True, slots=True)
class FactView:
    """One thing that was told: what, when it happened, when we heard of it, under which key."""

    key: str
    kind: str
    at: datetime
    told_at: datetime


@dataclass(frozen=True, slots=True)
class ReturnView:
    """One return with its steps, money, facts, and what is asked about it."""

    summary: ReturnSummary
    steps: tuple[StepView, ...]
    money: tuple[MoneyView, ...]
    facts: tuple[FactView, ...]
    asked: tuple[Asked, ...]


async def read_return(scope: TenantScope, database: Database, return_id: Id) -> ReturnView:
    """Read one return; raises NotFound."""
    async with begin(scope, database) as session:
        summary = await find_summary(session, scope, return_id)
        if summary is None:
            raise NotFound
        kept = await read_kept(session, scope, return_id)
        asked = await _asked(session, scope, return_id)
        works = await _works(session, scope, return_id)
        rows = await session.fetch(_FACTS, scope.tenant_id, return_id)
    steps = _steps(plan(kept.case, kept.commands), works)
    facts = tuple(FactView(**dict(row)) for row in rows)
    return ReturnView(summary, steps, _money(kept.case), facts, asked)


def _steps(made: Plan, works: dict[str, list[WorkView]]) -> tuple[StepView, ...]:
    return tuple(
        StepView(
            step.id,
            step.title,
            made.steps[step.id],
            STATES[made.steps[step.id]],
            step.if_it_fails,
            tuple(works.get(step.id, ())),
        )
        for step in STEPS
    )


async def _works(session: Session, scope: TenantScope, return_id: Id) -> dict[str, list[WorkView]]:
    works: dict[str, list[WorkView]] = {}
    for row in await session.fetch(_WORKS, scope.tenant_id, return_id):
        view = WorkView(
            row["key"],
            wish_of(decode_work(row["work"])).words,
            row["state"],
            WORK_STATES[row["state"]],
            row["attempts"],
            row["words"],
            row["created_at"],
            row["settled_at"],
        )
        works.setdefault(row["step"], []).append(view)
    return works


def _money(case: Case) -> tuple[MoneyView, ...]:
    """Give money by tender: those of the sale first, then what it was paid back by otherwise."""
    tenders = {each.tender_id: each for each in case.sale.tenders} if case.sale else {}
    back: dict[tuple[str, str], Decimal] = {
        (each.tender_id, each.kind): Decimal(0) for each in tenders.values()
    }
    for refund in case.refunds.values():
        way = (refund.paid.tender_id, refund.paid.kind)
        back[way] = back.get(way, Decimal(0)) + refund.paid.amount
    return tuple(
        MoneyView(
            tender_id,
            kind,
            tenders[tender_id].amount
            if tender_id in tenders and tenders[tender_id].kind == kind
            else Decimal(0),
            refunded,
        )
        for (tender_id, kind), refunded in back.items()
    )


async def _asked(session: Session, scope: TenantScope, return_id: Id) -> tuple[Asked, ...]:
    rows = await session.fetch(_ASKED, scope.tenant_id, return_id)
    return tuple(
        Asked(
            row["question"],
            row["subject"],
            row["words"],
            {choice: CHOICES[row["question"]][choice] for choice in row["choices"]},
            row["asked_at"],
            row["deadline_at"],
        )
        for row in rows
    )
