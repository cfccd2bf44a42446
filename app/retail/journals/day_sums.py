"""Read what a place and day come to from its sale records: one pass, each document with all tellings."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.retail.journals.records import decode_facts
from app.retail.journals.tellings import Telling, contributions
from app.retail.journals.totals import DaySums, sum_up
from infra.database.unit import Row, Session

_COLUMNS = (
    "document, kind, event_id, place, channel, business_day, currency, told_at, version, revision,"
    " lines, unmapped_lines, is_clock_suspect, facts::text"
)
# The tellings of the day, and with them all other tellings of the same orders: what each adds is its
# difference to the one before. All tellings of a ticket are of its own day.
_TELLINGS = f"""
select {_COLUMNS} from sale_record where tenant_id = $1 and place = $2 and business_day = $3
union all
select {_COLUMNS} from sale_record o where o.tenant_id = $1
    and (o.place, o.business_day) is distinct from ($2, $3)
    and o.document in (
        select document from sale_record where tenant_id = $1 and place = $2
            and business_day = $3 and kind <> 'ticket')
"""  # noqa: S608 - our own names

# In this order always, so that the same records give the same hash.
_EVIDENCE = """
select count(*) as records,
    sha256(coalesce(string_agg(telling, ''::bytea order by document, telling), ''::bytea)) as hash
from sale_record where tenant_id = $1 and place = $2 and business_day = $3
"""


async def read_evidence(
    session: Session, tenant_id: UUID, place: str, day: date
) -> tuple[int, bytes]:
    """Count and hash the sale records of a place and day: what its journals add up to."""
    row = await session.fetch_one(_EVIDENCE, tenant_id, place, day)
    return (row["records"], row["hash"]) if row else (0, b"")


async def read_day_sums(
    session: Session, tenant_id: UUID, place: str, day: date
) -> dict[str, DaySums]:
    """Give totals and balances of a place and day by currency."""
    rows = await session.fetch(_TELLINGS, tenant_id, place, day)
    return sum_up(
        part
        for part in contributions(_telling(row) for row in rows)
        if (part.telling.place, part.telling.business_day) == (place, day)
    )


def _telling(row: Row) -> Telling:
    return Telling(
        document=row["document"],
        kind=row["kind"],
        event_id=row["event_id"],
        place=row["place"],
        channel=row["channel"],
        business_day=row["business_day"],
        currency=row["currency"],
        told_at=row["told_at"],
        version=row["version"],
        revision=row["revision"],
        facts=decode_facts(row["facts"]),
        lines=row["lines"],
        unmapped_lines=row["unmapped_lines"],
        is_clock_suspect=row["is_clock_suspect"],
    )
