"""Write the next revision of a journal: what is wanted less what all revisions before it booked.

Nothing to add writes nothing. Revisions of one key are made one after the other under a lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.retail.breaks import Seen, close_breaks, see_breaks
from app.retail.journals.fold import (
    Balances,
    added,
    difference,
    digest,
    lines_of,
    posting_date,
    unmapped,
)
from app.retail.journals.rules import PostingRules
from app.retail.journals.tell import tell_journals
from connectors.canonical.journal import Journal, JournalKind, JournalLine, JournalStatus
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey

UNMAPPED = "account_unmapped"
_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
_POSTED = """
select l.role, l.detail, sum(l.debit - l.credit) as amount
from journal j join journal_line l on l.tenant_id = j.tenant_id and l.journal_id = j.id
where j.tenant_id = $1 and j.kind = $2 and j.place = $3 and j.business_day = $4 and j.currency = $5
group by l.role, l.detail
"""
_LAST = """
select coalesce(max(revision), 0) from journal
where tenant_id = $1 and kind = $2 and place = $3 and business_day = $4 and currency = $5
"""
_BOOKED_CURRENCIES = """
select distinct currency from journal
where tenant_id = $1 and kind = $2 and place = $3 and business_day = $4
"""
_JOURNAL = """
insert into journal (tenant_id, id, entity, kind, place, business_day, currency, revision, status,
    posted_on, memo, debit, credit, source_hash, made_by, records, evidence)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
_LINES = """
insert into journal_line (tenant_id, journal_id, number, role, detail, account, debit, credit, memo)
select $1, $2, * from unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::numeric[],
    $8::numeric[], $9::text[])
"""
_OPEN_ROLES = """
select distinct l.role, l.detail from journal j
join journal_line l on l.tenant_id = j.tenant_id and l.journal_id = j.id
where j.tenant_id = $1 and j.status = 'draft' and l.account is null order by 1, 2
"""
_ASSIGN = """
update journal_line l set account = $4 from journal j
where j.tenant_id = $1 and j.status = 'draft' and l.tenant_id = $1 and l.journal_id = j.id
    and l.account is null and l.role = $2 and l.detail = $3
"""
_FINISH = """
update journal j set status = 'balanced' where tenant_id = $1 and status = 'draft'
    and not exists (select from journal_line l where l.tenant_id = $1 and l.journal_id = j.id
        and l.account is null)
returning id, business_day, place, kind, currency, revision
"""


@dataclass(frozen=True, slots=True)
class JournalKey:
    """What a journal is of."""

    kind: JournalKind
    place: str
    day: date
    currency: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a journal's revisions are to add up to; from how many records, and the hash of these."""

    balances: Balances
    records: int = 0
    evidence: bytes = b""


@dataclass(frozen=True, slots=True)
class Books:
    """By which rules is booked, and the key that seals what is told of it."""

    rules: PostingRules
    sealing: TenantKey


async def booked_currencies(
    session: Session, tenant_id: UUID, kind: JournalKind, place: str, day: date
) -> set[str]:
    """Give the currencies in which something was booked already."""
    rows = await session.fetch(_BOOKED_CURRENCIES, tenant_id, kind, place, day)
    return {row["currency"] for row in rows}


async def booked(session: Session, tenant_id: UUID, key: JournalKey) -> Balances:
    """Give what all revisions of a journal add up to."""
    rows = await session.fetch(_POSTED, tenant_id, key.kind, key.place, key.day, key.currency)
    return added([{(row["role"], row["detail"]): row["amount"]} for row in rows])


async def post_revision(
    session: Session, scope: TenantScope, key: JournalKey, wanted: Wanted, books: Books
) -> Journal | None:
    """Write the revision that makes what is booked equal to what is wanted; None when it is already.

    A balanced one is told to the books of account in the same transaction. A line whose role has no
    account leaves just this journal a draft, told as a break with an account to try.
    """
    rules = books.rules
    name = f"journal:{scope.tenant_id}:{key.kind}:{key.place}:{key.day}:{key.currency}"
    await session.execute(_LOCK, name)
    delta = difference(wanted.balances, await booked(session, scope.tenant_id, key))
    if not delta:
        return None
    last = await session.fetch_value(
        _LAST, scope.tenant_id, key.kind, key.place, key.day, key.currency
    )
    lines = lines_of(delta, rules)
    missing = unmapped(lines)
    posted_on, memo = posting_date(key.day, rules)
    status: JournalStatus = "draft" if missing else "balanced"
    journal = Journal(
        entity=rules.entity,
        kind=key.kind,
        place=key.place,
        day=key.day,
        posted_on=posted_on,
        currency=key.currency,
        revision=last + 1,
        status=status,
        source_hash=digest(wanted.balances),
        lines=lines,
        memo=memo,
    )
    journal_id = new_id()
    await _write(session, scope, journal_id, journal, wanted)
    if not missing:
        await tell_journals(session, scope.tenant_id, books.sealing, [journal_id])
    await see_breaks(session, scope.tenant_id, [_missing(*role, rules) for role in missing])
    return journal


async def finish_drafts(session: Session, tenant_id: UUID, books: Books) -> int:
    """Give drafts the accounts that are known by now and tell those that are complete with them.

    Gives how many these are.
    """
    known: list[str] = []
    for row in await session.fetch(_OPEN_ROLES, tenant_id):
        account = books.rules.account_of(row["role"], row["detail"])
        if account is not None:
            await session.execute(_ASSIGN, tenant_id, row["role"], row["detail"], account)
            known.append(_role_name(row["role"], row["detail"]))
    await close_breaks(session, tenant_id, UNMAPPED, known, "The role has an account now.")
    done = sorted(await session.fetch(_FINISH, tenant_id), key=_in_order)
    await tell_journals(session, tenant_id, books.sealing, [row["id"] for row in done])
    return len(done)


async def _write(
    session: Session, scope: TenantScope, journal_id: Id, journal: Journal, wanted: Wanted
) -> None:
    total = sum((line.debit for line in journal.lines), Decimal(0))
    await session.execute(
        _JOURNAL, scope.tenant_id, journal_id, journal.entity, journal.kind, journal.place,
        journal.day, journal.currency, journal.revision, journal.status, journal.posted_on,
        journal.memo, total, sum((line.credit for line in journal.lines), Decimal(0)),
        bytes.fromhex(journal.source_hash), scope.actor, wanted.records, wanted.evidence,
    )  # fmt: skip
    rows = [_row(number, line) for number, line in enumerate(journal.lines, start=1)]
    columns: Sequence[list[object]] = [list(column) for column in zip(*rows, strict=True)]
    await session.execute(_LINES, scope.tenant_id, journal_id, *columns)


def _in_order(row: Row) -> tuple[object, ...]:
    return (row["business_day"], row["place"], row["kind"], row["currency"], row["revision"])


def _row(number: int, line: JournalLine) -> tuple[object, ...]:
    return (
        number, line.role, line.detail, line.account, line.debit, line.credit, line.memo,
    )  # fmt: skip


def _missing(role: str, detail: str, rules: PostingRules) -> Seen:
    name = _role_name(role, detail)
    near = rules.suggestion(role)
    hint = f" Others of this kind go to {near}." if near else ""
    return Seen(
        UNMAPPED,
        name,
        f"No account is known for {name.replace('_', ' ')}. Name one in the posting rules; journals"
        f" with it wait until then, all others go on.{hint}",
    )


def _role_name(role: str, detail: str) -> str:
    return f"{role}/{detail}" if detail else role
