"""Rows of returns. Whoever changes anything of a return holds the lock of its process row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.retail.breaks import close_breaks
from app.retail.returns.consistency import agreement_of
from app.retail.returns.facts import Fact, decode_fact, encode_fact, kind_of
from app.retail.returns.fold import Case, fold
from app.retail.returns.plan import Plan, plan
from app.retail.returns.questions import Question
from app.retail.returns.siblings import Sibling, sale_beside
from app.retail.returns.steps import PERSON_LIMIT
from app.retail.returns.turn import limit_of, names_of, waits_for, words_of
from app.retail.returns.work import Command, decode_work, encode_work
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.errors import Conflict, NotFound
from infra.ids import Id, new_id

# The kind of break that a return is whose time is over.
STUCK = "return_stuck"
_LOCK_ORDER = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
_FACT = (
    "insert into return_fact (tenant_id, return_id, key, kind, at, body)"
    " values ($1, $2, $3, $4, $5, $6) on conflict do nothing"
)
_WITHDRAW = (
    "update return_command set state = 'withdrawn', lease_token = null, settled_at = now()"
    " where tenant_id = $1 and return_id = $2 and key = any($3)"
)
_ISSUE = (
    "insert into return_command (tenant_id, return_id, key, step, part, work)"
    " values ($1, $2, $3, $4, $5, $6)"
)
_ASK = """
insert into return_decision (tenant_id, return_id, question, subject, words, choices, deadline_at)
values ($1, $2, $3, $4, $5, $6, now() + $7::interval)
on conflict (tenant_id, return_id, question, subject) do update
    set withdrawn_at = null, words = excluded.words, choices = excluded.choices
    where return_decision.decided_at is null
"""
_UNASK = """
update return_decision set withdrawn_at = now()
where tenant_id = $1 and return_id = $2 and decided_at is null and withdrawn_at is null
    and not (question, subject) in (select * from unnest($3::text[], $4::text[]))
"""
_STANDING = (
    "select status, step, order_id, owed, refunded from return_process"
    " where tenant_id = $1 and id = $2"
)
# Other returns of the order share its money: what changed here is looked at there.
_TELL_SIBLINGS = """
insert into return_due (tenant_id, id, return_id)
select other.tenant_id, gen_random_uuid(), other.id from return_process other
join return_process mine on mine.tenant_id = other.tenant_id and mine.order_id = other.order_id
where mine.tenant_id = $1 and mine.id = $2 and mine.order_id <> '' and other.id <> mine.id
    and other.status = 'open'
"""
_KEEP = """
update return_process set status = $3, step = $4, waits_for = $5, words = $6, currency = $7, owed = $8,
    refunded = $9, breaks = $10, agreement = $17,
    order_id = coalesce(nullif($13, ''), order_id), number = coalesce(nullif($14, ''), number),
    kind = coalesce(nullif($15, ''), kind), source_ref = coalesce(nullif($16, ''), source_ref),
    step_since = case when step <> $4 then now() else step_since end,
    limit_at = case when $3 <> 'open' then null
        when step <> $4 or waits_for <> $5 or limit_at is null or $12 then now() + $11::interval
        else limit_at end,
    closed_at = case when $3 = 'open' then null else coalesce(closed_at, now()) end
where tenant_id = $1 and id = $2
"""


class FactDiffers(Conflict):
    """One key was told twice with different content: an edit or a defect, never a duplicate."""

    code = "return.fact_differs"


@dataclass(frozen=True, slots=True)
class Kept:
    """A return as it was read under its lock."""

    case: Case
    commands: tuple[Command, ...]


async def open_process(session: Session, scope: TenantScope, source_key: str, label: str) -> Id:
    """Find a return by its source's key or begin it, and lock it until the transaction ends."""
    await session.execute(
        "insert into return_process (tenant_id, id, source_key, label, step, waits_for)"
        " values ($1, $2, $3, $4, 'R1', 'auto') on conflict do nothing",
        scope.tenant_id,
        new_id(),
        source_key,
        label or source_key,
    )
    found: Id = await session.fetch_value(
        "select id from return_process where tenant_id = $1 and source_key = $2",
        scope.tenant_id,
        source_key,
    )
    await lock_process(session, scope, found)
    return found


async def lock_process(session: Session, scope: TenantScope, return_id: Id) -> None:
    """Lock a return until the transaction ends, after its order; raises NotFound.

    Returns of one order share its money: of two of them one is looked at after the other.
    """
    order_id = await session.fetch_value(
        "select order_id from return_process where tenant_id = $1 and id = $2",
        scope.tenant_id,
        return_id,
    )
    if order_id is None:
        raise NotFound
    if order_id:
        await session.execute(_LOCK_ORDER, f"return:{scope.tenant_id}:{order_id}")
    await session.execute(
        "select id from return_process where tenant_id = $1 and id = $2 for no key update",
        scope.tenant_id,
        return_id,
    )


async def add_facts(
    session: Session, scope: TenantScope, return_id: Id, facts: Iterable[Fact]
) -> int:
    """Add what is not known yet and give how many that were; raises FactDiffers."""
    added = 0
    for fact in facts:
        row = (scope.tenant_id, return_id, fact.key, kind_of(fact), fact.at, encode_fact(fact))
        is_new = await session.execute(_FACT, *row)
        added += is_new
        if not is_new:
            await _refuse_another_content(session, scope, return_id, fact)
    return added


async def _refuse_another_content(
    session: Session, scope: TenantScope, return_id: Id, fact: Fact
) -> None:
    known = await session.fetch_value(
        "select body from return_fact where tenant_id = $1 and return_id = $2 and key = $3",
        scope.tenant_id,
        return_id,
        fact.key,
    )
    if decode_fact(known) != fact:
        raise FactDiffers(
            f"'{fact.key}' was told before with other content. A correction needs a key of its own."
        )


async def read_kept(session: Session, scope: TenantScope, return_id: Id) -> Kept:
    """Read the facts and the commands of a return, the sale as other returns of its order left it."""
    case, commands = await _read(session, scope, return_id)
    if case.sale is not None and case.sale.order_id:
        siblings = await _siblings(session, scope, return_id, case.sale.order_id)
        case.sale = sale_beside(case.sale, siblings)
    return Kept(case, commands)


async def _siblings(
    session: Session, scope: TenantScope, return_id: Id, order_id: str
) -> list[Sibling]:
    rows = await session.fetch(
        "select id, status from return_process"
        " where tenant_id = $1 and order_id = $2 and id <> $3 order by id",
        scope.tenant_id,
        order_id,
        return_id,
    )
    return [
        Sibling(*await _read(session, scope, row["id"]), row["status"], row["id"] < return_id)
        for row in rows
    ]


async def _read(
    session: Session, scope: TenantScope, return_id: Id
) -> tuple[Case, tuple[Command, ...]]:
    """Read the facts and the commands of one return, commands in the order they were issued."""
    facts = await session.fetch(
        "select body from return_fact where tenant_id = $1 and return_id = $2",
        scope.tenant_id,
        return_id,
    )
    rows = await session.fetch(
        "select key, part, work, state, attempts from return_command"
        " where tenant_id = $1 and return_id = $2 order by created_at, key",
        scope.tenant_id,
        return_id,
    )
    commands = tuple(
        Command(row["key"], row["part"], decode_work(row["work"]), row["state"], row["attempts"])
        for row in rows
    )
    return fold(decode_fact(row["body"]) for row in facts), commands


async def replan(
    session: Session, scope: TenantScope, return_id: Id, *, has_new_limit: bool = False
) -> Plan:
    """Write what follows from the facts; the caller holds the lock. Twice changes nothing more."""
    kept = await read_kept(session, scope, return_id)
    made = plan(kept.case, kept.commands)
    if made.withdraw:
        keys = [each.key for each in made.withdraw]
        await session.execute(_WITHDRAW, scope.tenant_id, return_id, keys)
    await _issue(session, scope, return_id, kept.commands, made)
    await _ask(session, scope, return_id, made.questions)
    before = await session.fetch_one(_STANDING, scope.tenant_id, return_id)
    await _keep(session, scope, return_id, kept.case, made, has_new_limit=has_new_limit)
    if before != await session.fetch_one(_STANDING, scope.tenant_id, return_id):
        await session.execute(_TELL_SIBLINGS, scope.tenant_id, return_id)
        await close_breaks(session, scope.tenant_id, STUCK, [str(return_id)], "It went on.")
    return made


async def _issue(
    session: Session,
    scope: TenantScope,
    return_id: Id,
    before: Sequence[Command],
    made: Plan,
) -> None:
    """Add commands: the key says which return, step, part, and the how-manieth of those."""
    for step, part, work in made.issue:
        stem = f"{return_id}:{step}:{part}:"
        number = 1 + sum(each.key.startswith(stem) and each.part == part for each in before)
        await session.execute(
            _ISSUE,
            scope.tenant_id,
            return_id,
            f"{stem}{number}",
            step,
            part,
            encode_work(work),
        )


async def _ask(
    session: Session, scope: TenantScope, return_id: Id, questions: Sequence[Question]
) -> None:
    for each in questions:
        await session.execute(
            _ASK,
            scope.tenant_id,
            return_id,
            each.kind,
            each.subject,
            each.words,
            list(each.choices),
            PERSON_LIMIT,
        )
    kinds, subjects = [each.kind for each in questions], [each.subject for each in questions]
    await session.execute(_UNASK, scope.tenant_id, return_id, kinds, subjects)


async def _keep(
    session: Session,
    scope: TenantScope,
    return_id: Id,
    case: Case,
    made: Plan,
    *,
    has_new_limit: bool,
) -> None:
    await session.execute(
        _KEEP,
        scope.tenant_id,
        return_id,
        made.end or "open",
        made.current,
        waits_for(case, made),
        words_of(case, made),
        case.request.currency if case.request is not None else "",
        made.money.owed,
        made.money.paid,
        list(made.breaks),
        limit_of(case, made),
        has_new_limit,
        *names_of(case),
        agreement_of(case, made),
    )
