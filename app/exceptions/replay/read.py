"""Read replays: a list, one, and its items page by page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.errors import NotFound
from infra.ids import Id

ReplayState = Literal[
    "previewing", "refused", "previewed", "awaiting_approval", "running", "done", "cancelled"
]

_COLUMNS = (
    "id, title, selection::text, mapping, reason, state, words, needs_approval, records, previewed,"
    " preview::text, receipt::text, chosen, started, finished, created_by, created_at, previewed_at,"
    " started_by, started_at, approved_by, approved_at, finished_at"
)
_ITEMS = """
select number, hold_id, message_id, delivery_id, new_delivery_id, flow_id, label, amount, currency,
    effects, promised, promised_words, deliveries, state, happened, happened_words
from replay_item
where tenant_id = $1 and replay_id = $2 and number > $3
    and ($4::text is null or promised = $4)
    and (not $5::bool or (state = 'done' and happened <> promised))
order by number limit $6
"""


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay: what was chosen, promised and done so far. Times are UTC.

    `records` were chosen, `previewed` of them looked at; `chosen` are to be brought, `started` begun,
    `finished` known to their end. `words` say why it was refused, or why a second person must approve.
    """

    id: UUID
    title: str
    selection: dict[str, Any]
    mapping: str
    reason: str
    state: ReplayState
    words: str
    needs_approval: bool
    records: int
    previewed: int
    preview: dict[str, Any]
    receipt: dict[str, Any]
    chosen: int
    started: int
    finished: int
    created_by: str
    created_at: datetime
    previewed_at: datetime | None
    started_by: str
    started_at: datetime | None
    approved_by: str
    approved_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReplayItem:
    """One record of a replay: what was promised for it, and what happened to it."""

    number: int
    hold_id: UUID | None
    message_id: UUID
    delivery_id: UUID | None
    new_delivery_id: UUID | None
    flow_id: UUID | None
    label: str
    amount: Decimal | None
    currency: str | None
    effects: list[str]
    promised: str
    promised_words: str
    deliveries: int
    state: str
    happened: str
    happened_words: str


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items to list; `after` is the number of the last one of the page before."""

    promised: str | None = None
    only_differences: bool = False
    after: int = 0


async def list_replays(
    scope: TenantScope, database: Database, before: Id | None, limit: int
) -> list[Replay]:
    """Give up to `limit` replays, newest first."""
    async with begin(scope, database) as session:
        rows = await session.fetch(
            f"select {_COLUMNS} from replay where tenant_id = $1"  # noqa: S608 - our own names
            " and ($2::uuid is null or id < $2) order by id desc limit $3",
            scope.tenant_id,
            before,
            limit,
        )
    return [_replay(row) for row in rows]


async def read_replay(scope: TenantScope, database: Database, replay_id: Id) -> Replay:
    """Give one replay; raises NotFound when it is missing or foreign."""
    async with begin(scope, database) as session:
        return await find_replay(session, scope.tenant_id, replay_id)


async def find_replay(
    session: Session, tenant_id: Id, replay_id: Id, *, for_update: bool = False
) -> Replay:
    """Give one replay within an open transaction, locked when it is to be changed."""
    lock = " for update" if for_update else ""
    row = await session.fetch_one(
        f"select {_COLUMNS} from replay where tenant_id = $1 and id = $2{lock}",  # noqa: S608
        tenant_id,
        replay_id,
    )
    if row is None:
        raise NotFound
    return _replay(row)


async def list_items(
    scope: TenantScope, database: Database, replay_id: Id, wanted: ItemFilter, limit: int
) -> list[ReplayItem]:
    """Give up to `limit` items in the order of acceptance; none of a replay that is not there."""
    async with begin(scope, database) as session:
        rows = await session.fetch(
            _ITEMS,
            scope.tenant_id,
            replay_id,
            wanted.after,
            wanted.promised,
            wanted.only_differences,
            limit,
        )
    return [ReplayItem(**dict(row)) for row in rows]


def _replay(row: Row) -> Replay:
    parsed = {name: json.loads(row[name]) for name in ("selection", "preview", "receipt")}
    return Replay(**{**dict(row), **parsed})
