"""Read journals as they were made: one, or all of a place and day, and as CSV for the ERP."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from io import StringIO
from uuid import UUID

from connectors.canonical.journal import Journal, JournalLine
from infra.database.unit import Row, Session

_COLUMNS = (
    "id, entity, kind, place, business_day, currency, revision, status, posted_on, memo,"
    " encode(source_hash, 'hex') as source_hash"
)
_JOURNALS = f"""
select {_COLUMNS} from journal where tenant_id = $1 and ($2 = '' or place = $2)
    and ($3::date is null or business_day = $3) and ($4 = '' or kind = $4)
order by business_day, place, kind, currency, revision limit $5
"""  # noqa: S608 - our own names
_BY_ID = f"select {_COLUMNS} from journal where tenant_id = $1 and id = any ($2)"  # noqa: S608 - ours
_LINES = """
select journal_id, role, detail, account, debit, credit, memo from journal_line
where tenant_id = $1 and journal_id = any ($2) order by journal_id, number
"""
CSV_COLUMNS = (
    "entity", "kind", "place", "business_day", "posted_on", "currency", "revision", "status",
    "account", "role", "detail", "debit", "credit", "memo",
)  # fmt: skip
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def list_journals(
    session: Session,
    tenant_id: UUID,
    *,
    place: str = "",
    day: date | None = None,
    kind: str = "",
    limit: int = 1_000,
) -> list[Journal]:
    """List journals with their lines, by day, place, kind and revision."""
    heads = await session.fetch(_JOURNALS, tenant_id, place, day, kind, limit)
    return list((await _with_lines(session, tenant_id, heads)).values())


async def journals_by_id(
    session: Session, tenant_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Journal]:
    """Give journals with their lines, by id; unknown ids are left out."""
    return await _with_lines(session, tenant_id, await session.fetch(_BY_ID, tenant_id, list(ids)))


def journals_csv(journals: Sequence[Journal]) -> str:
    """Write journals as CSV, a row for each line; amounts with a point and no thousands mark.

    A text that a spreadsheet would run as a formula is written with an apostrophe before it.
    """
    out = StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(CSV_COLUMNS)
    for journal in journals:
        for line in journal.lines:
            told = (
                journal.entity, journal.kind, journal.place, journal.day, journal.posted_on,
                journal.currency, journal.revision, journal.status, line.account or "", line.role,
                line.detail, f"{line.debit:f}", f"{line.credit:f}", line.memo or journal.memo,
            )  # fmt: skip
            rows.writerow([_plain(str(each)) for each in told])
    return out.getvalue()


async def _with_lines(
    session: Session, tenant_id: UUID, heads: Sequence[Row]
) -> dict[UUID, Journal]:
    rows = await session.fetch(_LINES, tenant_id, [head["id"] for head in heads])
    lines: dict[UUID, list[JournalLine]] = {head["id"]: [] for head in heads}
    for row in rows:
        lines[row["journal_id"]].append(_line(row))
    return {head["id"]: _journal(head, lines[head["id"]]) for head in heads}


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def _line(row: Row) -> JournalLine:
    return JournalLine(
        role=row["role"],
        detail=row["detail"],
        account=row["account"],
        debit=row["debit"],
        credit=row["credit"],
        memo=row["memo"],
    )


def _journal(head: Row, lines: list[JournalLine]) -> Journal:
    return Journal(
        entity=head["entity"],
        kind=head["kind"],
        place=head["place"],
        day=head["business_day"],
        posted_on=head["posted_on"],
        currency=head["currency"],
        revision=head["revision"],
        status=head["status"],
        source_hash=head["source_hash"],
        lines=tuple(lines),
        memo=head["memo"],
    )
