"""What waits for a person, and what was decided about it: list and read."""

from __future__ import annotations

from collections.abc import Sequence
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

HoldState = Literal["open", "released", "edited", "discarded", "superseded", "healed"]
HoldSort = Literal["newest", "age", "money", "deadline"]

_COLUMNS = (
    "id, message_id, delivery_id, connection_id, flow_id, code, pointer, words, label,"
    " position::text, amount, currency, state, owner, due_at, reason, decided_by, decided_at,"
    " created_at, error_class, incident_id, tags, event_type, object_id, deadline_at, recheck_at"
)

# By what a list is sorted, whether it rises, and the id as the last word. What has no money or no
# deadline comes last.
_MONEY = "coalesce(amount, '-Infinity')"
_DEADLINE = "coalesce(deadline_at, 'infinity')"
SORTS: dict[HoldSort, tuple[str, str]] = {
    "newest": ("", "desc"),
    "age": ("", "asc"),
    "money": (_MONEY, "desc"),
    "deadline": (_DEADLINE, "asc"),
}


@dataclass(frozen=True, slots=True)
class Hold:
    """One record that waits, or waited, for a person.

    `delivery_id` is None when the message itself cannot be read; otherwise one target refused it.
    `position` is JSON text; times are UTC. `deadline_at` is when it begins to cost more than work,
    `recheck_at` when the target is asked next whether it has it by now.
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
    error_class: str = ""
    incident_id: UUID | None = None
    tags: tuple[str, ...] = ()
    event_type: str = ""
    object_id: str = ""
    deadline_at: datetime | None = None
    recheck_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HoldFilter:
    """Which holds to list; None lets all pass. `before` is the last id of the page before.

    `owner` empty is: nobody's. `created_before` finds what is older; `text` is part of the label in
    any case of letters.
    """

    state: HoldState | None = "open"
    code: str | None = None
    connection_id: Id | None = None
    before: Id | None = None
    error_class: str | None = None
    flow_id: Id | None = None
    incident_id: Id | None = None
    owner: str | None = None
    tag: str | None = None
    event_type: str | None = None
    min_amount: Decimal | None = None
    created_before: datetime | None = None
    text: str | None = None
    sort: HoldSort = "newest"


# field of the filter -> its condition; `{}` is the place of the argument
_CONDITIONS: dict[str, str] = {
    "state": "state = {}",
    "code": "code = {}",
    "connection_id": "connection_id = {}",
    "error_class": "error_class = {}",
    "flow_id": "flow_id = {}",
    "incident_id": "incident_id = {}",
    "owner": "owner = {}",
    "tag": "{} = any(tags)",
    "event_type": "event_type = {}",
    "min_amount": "amount >= {}",
    "created_before": "created_at < {}",
    "text": "label ilike {}",
}


def conditions(scope: TenantScope, wanted: HoldFilter) -> tuple[str, list[Any]]:
    """Write a filter as SQL on `hold` with its arguments; the tenant is the first of them."""
    parts = ["tenant_id = $1"]
    args: list[Any] = [scope.tenant_id]
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            args.append(_anywhere(value) if name == "text" else value)
            parts.append(condition.format(f"${len(args)}"))
    return " and ".join(parts), args


async def list_holds(
    scope: TenantScope, database: Database, wanted: HoldFilter, limit: int
) -> list[Hold]:
    """Give up to `limit` holds in the order that is wanted."""
    where, args = conditions(scope, wanted)
    key, direction = SORTS[wanted.sort]
    ranked = f"{key}, id" if key else "id"
    if wanted.before is not None:
        args.append(wanted.before)
        sign = "<" if direction == "desc" else ">"
        # The place of the last row is read from the row itself: a cursor is only an id.
        last = f"select {ranked} from hold where tenant_id = $1 and id = ${len(args)}"  # noqa: S608
        where += f" and ({ranked}) {sign} ({last})"
    order = f"{key} {direction}, id {direction}" if key else f"id {direction}"
    args.append(limit)
    async with begin(scope, database) as session:
        rows = await session.fetch(
            f"select {_COLUMNS} from hold where {where} order by {order} limit ${len(args)}",  # noqa: S608
            *args,
        )
    return [hold_of(row) for row in rows]


async def read_hold(scope: TenantScope, database: Database, hold_id: Id) -> Hold:
    """Give one hold; raises NotFound when it is missing or foreign."""
    async with begin(scope, database) as session:
        return await find_hold(session, scope, hold_id)


async def find_hold(session: Session, scope: TenantScope, hold_id: Id) -> Hold:
    """Give one hold within a transaction that is already open; raises NotFound."""
    found = await find_holds(session, scope, [hold_id])
    if not found:
        raise NotFound
    return found[0]


async def find_holds(
    session: Session, scope: TenantScope, ids: Sequence[Id], *, are_locked: bool = False
) -> list[Hold]:
    """Give the holds of these ids that there are, in the order of their ids, on demand locked."""
    rows = await session.fetch(
        f"select {_COLUMNS} from hold where tenant_id = $1 and id = any($2) order by id"  # noqa: S608
        f"{' for update' if are_locked else ''}",
        scope.tenant_id,
        list(ids),
    )
    return [hold_of(row) for row in rows]


def hold_of(row: Row) -> Hold:
    """Read a row."""
    return Hold(**{**dict(row), "tags": tuple(row["tags"])})


def _anywhere(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
