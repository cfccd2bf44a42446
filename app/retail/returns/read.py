"""List returns and read one: which step waits since when, who must act, and what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.retail.returns.plan import plan
from app.retail.returns.questions import CHOICES
from app.retail.returns.steps import BY_ID, STEPS
from app.retail.returns.store import read_kept
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.errors import NotFound
from infra.ids import Id

LISTED_MOST = 500
WHO = {
    "auto": "nobody: it goes on by itself",
    "human": "a person",
    "external": "the carrier or the channel",
    "nobody": "nobody",
}

_COLUMNS = (
    "id, label, status, step, step_since, limit_at, waits_for, words, currency, owed, refunded,"
    " breaks, opened_at, closed_at, coalesce(limit_at <= now(), false) as is_stuck"
)
# Stuck ones first, the longest first.
_LIST = f"""
select {_COLUMNS} from return_process
where tenant_id = $1 and (status = 'open' or not $2)
order by status <> 'open', coalesce(limit_at <= now(), false) desc, step_since, id limit $3
"""  # noqa: S608 - columns of this file
_ONE = f"select {_COLUMNS} from return_process where tenant_id = $1 and id = $2"  # noqa: S608
_ASKED = """
select question, subject, words, choices, asked_at, deadline_at from return_decision
where tenant_id = $1 and return_id = $2 and decided_at is null and withdrawn_at is null
order by asked_at, question, subject
"""


@dataclass(frozen=True, slots=True)
class ReturnSummary:
    """One return in a list; amounts in `currency`, moments UTC. `is_stuck`: longer than it may."""

    id: Id
    label: str
    status: str
    step: str
    step_title: str
    step_since: datetime
    limit_at: datetime | None
    is_stuck: bool
    who: str
    words: str
    currency: str
    owed: Decimal
    refunded: Decimal
    breaks: tuple[str, ...]
    opened_at: datetime
    closed_at: datetime | None


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
class StepView:
    """One of the eleven steps and its state."""

    id: str
    title: str
    state: str
    if_it_fails: str


@dataclass(frozen=True, slots=True)
class ReturnView:
    """One return with its steps, and what is asked about it."""

    summary: ReturnSummary
    steps: tuple[StepView, ...]
    asked: tuple[Asked, ...]


async def list_returns(
    scope: TenantScope, database: Database, *, only_open: bool = True, limit: int = LISTED_MOST
) -> list[ReturnSummary]:
    """List a retailer's returns: stuck ones first, then those that wait longest."""
    async with begin(scope, database) as session:
        rows = await session.fetch(_LIST, scope.tenant_id, only_open, min(limit, LISTED_MOST))
    return [_summary(row) for row in rows]


async def read_return(scope: TenantScope, database: Database, return_id: Id) -> ReturnView:
    """Read one return; raises NotFound."""
    async with begin(scope, database) as session:
        row = await session.fetch_one(_ONE, scope.tenant_id, return_id)
        if row is None:
            raise NotFound
        kept = await read_kept(session, scope, return_id)
        asked = await _asked(session, scope, return_id)
    states = plan(kept.case, kept.commands).steps
    steps = tuple(
        StepView(step.id, step.title, states[step.id], step.if_it_fails) for step in STEPS
    )
    return ReturnView(_summary(row), steps, asked)


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


def _summary(row: Row) -> ReturnSummary:
    values: dict[str, Any] = dict(row)
    values["who"] = WHO[values.pop("waits_for")]
    values["step_title"] = BY_ID[row["step"]].title
    values["breaks"] = tuple(row["breaks"])
    return ReturnSummary(**values)
