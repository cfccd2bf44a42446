"""How far a journal got: draft, balanced, sent, accepted, or refused with the words of the books.

It is read from its deliveries, so it is what happened and never a second opinion.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from app.retail.journals.read import journals_by_id
from connectors.canonical.journal import Journal
from infra.database.unit import Row, Session
from infra.errors import NotFound

End = Literal["draft", "balanced", "sent", "accepted", "refused", "given_up"]
# The state of a journal's delivery -> how far the journal got.
ENDS: dict[str, End] = {
    "ready": "sent",
    "delivering": "sent",
    "waiting": "sent",
    "checking": "sent",
    "held": "refused",
    "delivered": "accepted",
    "superseded": "given_up",
    "discarded": "given_up",
    "cancelled": "given_up",
}
_NO_FLOW = "No flow takes journals from the retail core to the books. Install journals_to_erp."

_COLUMNS = (
    "j.id, j.status, j.made_by, j.made_at, j.records, encode(j.evidence, 'hex') as evidence,"
    " told.state, told.words, told.external_ref, told.settled_at, told.hold_id"
)
# A journal that goes to several books is as far as the one that is furthest behind. An event that a
# person edited is a further event of the same object.
_TOLD = """
left join lateral (
    select d.state, coalesce(nullif(h.words, ''), d.words) as words, d.external_ref, d.settled_at,
        h.id as hold_id
    from event e join delivery d on d.tenant_id = e.tenant_id and d.event_id = e.id
    left join hold h on h.tenant_id = d.tenant_id and h.delivery_id = d.id and h.state = 'open'
    where e.tenant_id = j.tenant_id and e.object_id = j.object_id and j.object_id <> ''
        and e.type = 'retail.journal.posted.v1'
    order by d.is_open desc, d.state = 'held' desc, d.accepted_at desc, d.id desc limit 1) told on true
"""
_LIST = f"""
select {_COLUMNS} from journal j {_TOLD}
where j.tenant_id = $1 and ($2 = '' or j.place = $2) and ($3::date is null or j.business_day = $3)
    and ($4 = '' or j.kind = $4) and ($5::uuid is null or j.id < $5)
order by j.id desc limit $6
"""  # noqa: S608 - our own names
_ONE = f"select {_COLUMNS} from journal j {_TOLD} where j.tenant_id = $1 and j.id = $2"  # noqa: S608
_HAS_FLOW = """
select exists (select from flow f join connection c
    on c.tenant_id = f.tenant_id and c.id = f.source_connection_id
    where f.tenant_id = $1 and c.connector = 'core' and 'retail.journal.posted.v1' = any (f.event_types))
"""


@dataclass(frozen=True, slots=True)
class PostedJournal:
    """A journal with its end; `words` are why it waits, `reference` is the books' own number for it.

    `records` and `evidence` (hex) count and hash what it and the revisions before it add up to.
    `hold_id` names the exception that waits for a person.
    """

    id: UUID
    journal: Journal
    end: End
    words: str
    reference: str
    ended_at: datetime | None
    hold_id: UUID | None
    made_by: str
    made_at: datetime
    records: int
    evidence: str


async def list_posted(  # noqa: PLR0913 - one for each condition
    session: Session,
    tenant_id: UUID,
    *,
    place: str = "",
    day: date | None = None,
    kind: str = "",
    before: UUID | None = None,
    limit: int = 200,
) -> list[PostedJournal]:
    """List journals with their ends, the newest first, those made before the id `before`."""
    rows = await session.fetch(_LIST, tenant_id, place, day, kind, before, limit)
    return await _posted(session, tenant_id, rows)


async def read_posted(session: Session, tenant_id: UUID, journal_id: UUID) -> PostedJournal:
    """Give one journal; raises NotFound."""
    found = await _posted(session, tenant_id, await session.fetch(_ONE, tenant_id, journal_id))
    if not found:
        raise NotFound
    return found[0]


async def _posted(session: Session, tenant_id: UUID, rows: list[Row]) -> list[PostedJournal]:
    journals = await journals_by_id(session, tenant_id, [row["id"] for row in rows])
    has_flow = bool(rows) and await session.fetch_value(_HAS_FLOW, tenant_id)
    return [_one(row, journals[row["id"]], has_flow=has_flow) for row in rows]


def _one(row: Row, journal: Journal, *, has_flow: bool) -> PostedJournal:
    end = ENDS[row["state"]] if row["state"] else row["status"]
    words = row["words"] or ""
    if end == "balanced" and not has_flow:
        words = _NO_FLOW
    return PostedJournal(
        id=row["id"],
        journal=journal,
        end=end,
        words="" if end in {"accepted", "sent"} else words,
        reference=row["external_ref"] or "",
        ended_at=row["settled_at"],
        hold_id=row["hold_id"],
        made_by=row["made_by"],
        made_at=row["made_at"],
        records=row["records"],
        evidence=row["evidence"] or "",
    )
