"""What waits for a person, and what was decided about it: list and read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.errors import NotFound
from infra.ids import Id

HoldState = Literal["open", "released", "edited", "discarded", "superseded", "healed"]

_COLUMNS = (
    "id, message_id, delivery_id, connection_id, flow_id, code, pointer, words, label,"
    " position::text, amount, currency, state, owner, due_at, reason, decided_by, decided_at,"
    " created_at"
)


@dataclass(frozen=True, slots=True)
class Hold:
    """One record that waits, or waited, for a person.

    `delivery_id` is None when the message itself cannot be read; otherwise one target refused it.
    `position` is JSON text; times are UTC.
    """

    id: UUID
    message_id: UUID
    delivery_id: UUID | None
    connection_id: UUID
    flow_id: UUID | None
    code: str
    pointer: str
    words: str
    label: str
    position: str | None
    amount: Decimal | None
    currency: str | None
    state: HoldState
    owner: str
    due_at: datetime | None
    reason: str
    decided_by: str
    decided_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HoldFilter:
    """Which holds to list; None lets all pass. `before` is the last id of the page before."""

    state: HoldState | None = "open"
    code: str | None = None
    connection_id: Id | None = None
    before: Id | None = None


async def list_holds(
    scope: TenantScope, database: Database, wanted: HoldFilter, limit: int
) -> list[Hold]:
    """Give up to `limit` holds, newest first."""
    async with begin(scope, database) as session:
        rows = await session.fetch(
            f"select {_COLUMNS} from hold where tenant_id = $1"  # noqa: S608 - our own names
            " and ($2::uuid is null or id < $2) and ($3::text is null or state = $3)"
            " and ($4::text is null or code = $4) and ($5::uuid is null or connection_id = $5)"
            " order by id desc limit $6",
            scope.tenant_id,
            wanted.before,
            wanted.state,
            wanted.code,
            wanted.connection_id,
            limit,
        )
    return [_hold(row) for row in rows]


async def read_hold(scope: TenantScope, database: Database, hold_id: Id) -> Hold:
    """Give one hold; raises NotFound when it is missing or foreign."""
    async with begin(scope, database) as session:
        return await find_hold(session, scope, hold_id)


async def find_hold(session: Session, scope: TenantScope, hold_id: Id) -> Hold:
    """Give one hold within a transaction that is already open; raises NotFound."""
    row = await session.fetch_one(
        f"select {_COLUMNS} from hold where tenant_id = $1 and id = $2",  # noqa: S608
        scope.tenant_id,
        hold_id,
    )
    if row is None:
        raise NotFound
    return _hold(row)


def _hold(row: Row) -> Hold:
    return Hold(**dict(row))
