"""The book of versions: what was told of prices, promotions and products, and which telling counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from app.connections.tenant import acting_tenant
from app.retail.prices.versions import Telling, newest
from infra.database.unit import Row, Session
from infra.ids import Id

SubjectName = Literal["price", "promotion", "product"]
VersionState = Literal["held", "current", "superseded"]
T = TypeVar("T")

_OF_ITEMS = """
select id, subject, connection_id, object_id, version, content_hash, item, body, told_at, state,
    words, approved_by, withdrawn_at, message_id
from price_version where tenant_id = $1 and subject = $2 and item = any ($3)
    and ($4 or state <> 'superseded')
order by told_at, id
"""
_INSERT = """
insert into price_version (tenant_id, id, subject, connection_id, object_id, version, content_hash,
    item, body, told_at, state, words, message_id)
select $1, id, $2, connection_id, object_id, version, content_hash, item, body::jsonb, told_at,
    state, words, message_id
from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bytea[], $8::text[], $9::text[],
    $10::timestamptz[], $11::text[], $12::text[], $13::uuid[])
as told (id, connection_id, object_id, version, content_hash, item, body, told_at, state, words,
    message_id)
on conflict do nothing
"""
_TELLINGS = """
select v.id, v.connection_id, v.object_id, v.version, v.content_hash, v.told_at, v.state, v.item
from price_version v join unnest($3::uuid[], $4::text[]) as wanted (connection_id, object_id)
    using (connection_id, object_id)
where v.tenant_id = $1 and v.subject = $2 and v.state <> 'held'
"""
_SETTLE = """
update price_version set state = case when id = any ($2) then 'current' else 'superseded' end
where tenant_id = $1 and id = any ($3)
"""
_DUE = """
insert into price_due (tenant_id, subject, item) select $1, $2, unnest($3::text[])
on conflict (tenant_id, subject, item) do update set since = least(price_due.since, excluded.since)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version as it is in the book; `body` is the JSON of its object."""

    id: Id
    connection_id: Id
    object_id: str
    version: str
    content_hash: bytes
    item: str
    body: str
    told_at: datetime
    state: VersionState
    words: str = ""
    approved_by: str = ""
    withdrawn_at: datetime | None = None
    message_id: Id | None = None

    def read(self, kind: type[T]) -> T:
        """Read the object back."""
        return msgspec.json.decode(self.body, type=kind)

    @property
    def of(self) -> tuple[Id, str]:
        """Name the object that this is a version of."""
        return self.connection_id, self.object_id

    def is_same_telling(self, other: Stored) -> bool:
        """Say whether both say the same of one object."""
        return (self.of, self.version, self.content_hash) == (
            other.of,
            other.version,
            other.content_hash,
        )


async def versions_of(
    session: Session, subject: SubjectName, items: Iterable[str], *, with_superseded: bool = False
) -> dict[str, list[Stored]]:
    """Give the versions of items in the order they were told; replaced ones only if asked."""
    rows = await session.fetch(
        _OF_ITEMS, acting_tenant(session), subject, sorted(set(items)), with_superseded
    )
    found: defaultdict[str, list[Stored]] = defaultdict(list)
    for row in rows:
        found[row["item"]].append(stored(row))
    return dict(found)


async def add_versions(session: Session, subject: SubjectName, new: Sequence[Stored]) -> None:
    """Write versions down, say which telling of each object counts, and mark their items as due.

    The same telling twice is one version.
    """
    if not new:
        return
    rows = [
        (
            each.id,
            each.connection_id,
            each.object_id,
            each.version,
            each.content_hash,
            each.item,
            each.body,
            each.told_at,
            each.state,
            each.words,
            each.message_id,
        )
        for each in new
    ]
    columns = (list(column) for column in zip(*rows, strict=True))
    await session.execute(_INSERT, acting_tenant(session), subject, *columns)
    await settle_newest(session, subject, {each.of for each in new})
    await mark_due(session, subject, {each.item for each in new if each.state != "held"})


async def settle_newest(
    session: Session, subject: SubjectName, objects: Iterable[tuple[Id, str]]
) -> None:
    """Let the newest telling of each object count and all others be superseded; held ones wait."""
    wanted = sorted(objects)
    rows = await session.fetch(
        _TELLINGS,
        acting_tenant(session),
        subject,
        [each[0] for each in wanted],
        [each[1] for each in wanted],
    )
    tellings: defaultdict[tuple[Id, str], list[Row]] = defaultdict(list)
    for row in rows:
        tellings[row["connection_id"], row["object_id"]].append(row)
    counts = {newest(map(_telling, found)).id for found in tellings.values()}
    wrong = [row for row in rows if (row["id"] in counts) != (row["state"] == "current")]
    if wrong:
        ids = sorted(row["id"] for row in wrong)
        await session.execute(_SETTLE, acting_tenant(session), sorted(counts), ids)
        # A price may have moved from one article to another: both are worked out.
        await mark_due(session, subject, {row["item"] for row in wrong})


async def mark_due(session: Session, subject: SubjectName, items: Iterable[str]) -> None:
    """Let items be worked out again, soon."""
    wanted = sorted(set(items))
    if wanted:
        await session.execute(_DUE, acting_tenant(session), subject, wanted)


def stored(row: Row) -> Stored:
    """Make a version of its row."""
    return Stored(
        id=row["id"],
        connection_id=row["connection_id"],
        object_id=row["object_id"],
        version=row["version"],
        content_hash=row["content_hash"],
        item=row["item"],
        body=row["body"],
        told_at=row["told_at"],
        state=row["state"],
        words=row["words"],
        approved_by=row["approved_by"],
        withdrawn_at=row["withdrawn_at"],
        message_id=row["message_id"],
    )


def _telling(row: Row) -> Telling:
    return Telling(row["id"], row["told_at"], row["version"], row["content_hash"])
