"""The book of stock facts: what was told, each telling once, and all that was told of articles."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from app.retail.inventory.facts import Document, DocumentKey, StockFact
from infra.database.unit import Session
from infra.ids import Id

_WRITE = """
insert into stock_fact (tenant_id, sku, source_key, telling, kind, quantity, from_location,
    from_state, to_location, to_state, occurred_at, uncertainty_s, reason, document, rank, stated_at,
    unit_price, currency, connection_id, event_id)
select $1, * from unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::numeric[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::int[], $13::text[], $14::text[],
    $15::text[], $16::timestamptz[], $17::numeric[], $18::text[], $19::uuid[], $20::uuid[])
on conflict do nothing
returning sku, occurred_at
"""
_WRITE_DOCUMENTS = """
insert into stock_document (tenant_id, connection_id, document, telling, kind, location, stated_at,
    rank)
select $1, * from unnest($2::uuid[], $3::text[], $4::bytea[], $5::text[], $6::text[],
    $7::timestamptz[], $8::text[])
on conflict do nothing
returning connection_id, document
"""
# Other tellings of the same documents may name other articles: these change too.
_NAMED_IN = """
select f.sku, min(f.occurred_at) as occurred_at from stock_fact f
join unnest($2::uuid[], $3::text[]) as d (connection_id, document)
    on f.connection_id = d.connection_id and f.document = d.document
where f.tenant_id = $1 and f.document <> '' group by f.sku
"""
_DUE = """
insert into stock_due (tenant_id, sku, occurred_at)
select $1, * from unnest($2::text[], $3::timestamptz[])
"""
_OF = """
select sku, source_key, kind, quantity, to_location, to_state, occurred_at, stated_at, connection_id,
    from_location, from_state, uncertainty_s, reason, document, rank, unit_price, currency, event_id,
    telling
from stock_fact where tenant_id = $1 and sku = any ($2)
"""
_DOCUMENTS_OF = """
select d.connection_id, d.document, d.kind, d.location, d.stated_at, d.rank, d.telling
from stock_document d
where d.tenant_id = $1 and (d.connection_id, d.document) in (
    select f.connection_id, f.document from stock_fact f
    where f.tenant_id = $1 and f.sku = any ($2) and f.document <> '')
"""


def telling_of(facts: Iterable[StockFact], document: Document | None) -> bytes:
    """Name one telling by its content, so that the same said again is the same."""
    told = [] if document is None else [repr((document.kind, document.location))]
    stated = [] if document is None else [document.stated_at.isoformat(), document.rank]
    said = sorted(
        repr(
            (
                *(fact.sku, fact.source_key, fact.kind, f"{fact.quantity.normalize():f}"),
                *(fact.from_location, fact.from_state, fact.to_location, fact.to_state),
                *(fact.occurred_at.timestamp(), fact.uncertainty_s, fact.rank),
            )
        )
        for fact in facts
    )
    return hashlib.sha256("|".join([*told, *stated, *said]).encode()).digest()[:16]


async def write_facts(
    session: Session, tenant_id: UUID, facts: Sequence[StockFact], documents: Sequence[Document]
) -> dict[str, datetime]:
    """Write what is new; gives the articles it touches, each with the earliest time it tells of."""
    due: dict[str, datetime] = {}
    known = await _write_documents(session, tenant_id, documents)
    rows = sorted({(f.sku, f.source_key, f.telling): f for f in facts}.items())
    if rows:
        columns = (list(column) for column in zip(*(_row(fact) for _, fact in rows), strict=True))
        for row in await session.fetch(_WRITE, tenant_id, *columns):
            _earliest(due, row["sku"], row["occurred_at"])
    if known:
        named = await session.fetch(
            _NAMED_IN, tenant_id, [key[0] for key in known], [key[1] for key in known]
        )
        for row in named:
            _earliest(due, row["sku"], row["occurred_at"])
    return due


async def mark_due(session: Session, tenant_id: UUID, due: dict[str, datetime]) -> None:
    """Let articles be worked out again, soon and elsewhere."""
    if due:
        skus = sorted(due)
        await session.execute(_DUE, tenant_id, skus, [due[sku] for sku in skus])


async def read_facts(
    session: Session, tenant_id: UUID, skus: Sequence[str]
) -> dict[str, list[StockFact]]:
    """Read all that was told of articles."""
    found: defaultdict[str, list[StockFact]] = defaultdict(list)
    for row in await session.fetch(_OF, tenant_id, skus):
        found[row["sku"]].append(StockFact(**dict(row)))
    return found


async def read_documents(
    session: Session, tenant_id: UUID, skus: Sequence[str]
) -> dict[DocumentKey, list[Document]]:
    """Read the tellings of all tickets and orders that name any of these articles."""
    found: defaultdict[DocumentKey, list[Document]] = defaultdict(list)
    for row in await session.fetch(_DOCUMENTS_OF, tenant_id, skus):
        found[row["connection_id"], row["document"]].append(Document(**dict(row)))
    return found


async def _write_documents(
    session: Session, tenant_id: UUID, documents: Sequence[Document]
) -> list[tuple[Id, str]]:
    rows = sorted({(d.connection_id, d.document, d.telling): d for d in documents}.items())
    if not rows:
        return []
    told = [each for _, each in rows]
    new = await session.fetch(
        _WRITE_DOCUMENTS,
        tenant_id,
        [each.connection_id for each in told],
        [each.document for each in told],
        [each.telling for each in told],
        [each.kind for each in told],
        [each.location for each in told],
        [each.stated_at for each in told],
        [each.rank for each in told],
    )
    return sorted({(row["connection_id"], row["document"]) for row in new})


def _earliest(due: dict[str, datetime], sku: str, at: datetime) -> None:
    due[sku] = min(due.get(sku, at), at)


def _row(fact: StockFact) -> tuple[object, ...]:
    return (
        fact.sku, fact.source_key, fact.telling, fact.kind, fact.quantity, fact.from_location,
        fact.from_state, fact.to_location, fact.to_state, fact.occurred_at, fact.uncertainty_s,
        fact.reason, fact.document, fact.rank, fact.stated_at, fact.unit_price, fact.currency,
        fact.connection_id, fact.event_id,
    )  # fmt: skip
