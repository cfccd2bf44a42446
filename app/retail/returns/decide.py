"""A person answers what a return asks."""

from __future__ import annotations

from app.retail.returns.facts import Decided, Fact
from app.retail.returns.store import add_facts, lock_process, read_kept, replan
from app.retail.returns.work import Done, fact_of
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.errors import Conflict, Unprocessable
from infra.ids import Id
from tenants.audit import record

_OPEN = (
    "select choices, decided_at, withdrawn_at from return_decision"
    " where tenant_id = $1 and return_id = $2 and question = $3 and subject = $4"
)
_DECIDE = (
    "update return_decision set decided_at = now(), decided_by = $5, choice = $6, remark = $7"
    " where tenant_id = $1 and return_id = $2 and question = $3 and subject = $4"
)


DONE_BY_HAND = ("no_system", "done")


class NotAsked(Conflict):
    """The question was answered already, or needs no answer any more."""

    code = "return.not_asked"


class NoSuchChoice(Unprocessable):
    """The question has no such answer."""

    code = "return.no_such_choice"


async def decide(
    scope: TenantScope,
    database: Database,
    return_id: Id,
    asked: tuple[str, str],
    choice: str,
    remark: str = "",
) -> None:
    """Write an answer to (question, subject) and plan what follows.

    Raises NotFound, NotAsked when somebody was faster, NoSuchChoice.
    """
    question, subject = asked
    place = (scope.tenant_id, return_id, question, subject)
    async with begin(scope, database) as session:
        await lock_process(session, scope, return_id)
        _refuse_unfit(await _find(session, place), choice)
        await session.execute(_DECIDE, *place, scope.actor, choice, remark)
        fact = Decided(
            key=f"decided:{question}:{subject}",
            at=clock.now(),
            question=question,
            subject=subject,
            choice=choice,
            by=scope.actor,
        )
        facts: list[Fact] = [fact]
        if (question, choice) == DONE_BY_HAND:
            facts.append(await _done_by_hand(session, scope, return_id, subject))
        await add_facts(session, scope, return_id, facts)
        await replan(session, scope, return_id)
        detail = {"question": question, "subject": subject, "choice": choice}
        await record(session, "returns.decide_question", f"return:{return_id}", detail)


async def _done_by_hand(session: Session, scope: TenantScope, return_id: Id, key: str) -> Fact:
    """Give the fact of work that a person saw done; its question is named by the command's key."""
    kept = await read_kept(session, scope, return_id)
    command = next(each for each in kept.commands if each.key == key)
    fact = fact_of(command, Done(f"by hand:{key}"), clock.now())
    assert fact is not None  # noqa: S101 - whatever is done is a fact
    return fact


async def _find(session: Session, place: tuple[Id, Id, str, str]) -> Row:
    row = await session.fetch_one(_OPEN, *place)
    if row is None:
        raise NotAsked("This return does not ask that. Look at it again.")
    return row


def _refuse_unfit(row: Row, choice: str) -> None:
    if row["decided_at"] is not None or row["withdrawn_at"] is not None:
        raise NotAsked("This was answered already, or is not asked any more. Look at it again.")
    if choice not in row["choices"]:
        raise NoSuchChoice(f"'{choice}' is no answer here. Choose: {', '.join(row['choices'])}.")
