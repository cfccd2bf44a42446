"""What the list and the page of one exception show."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from app.api.paging import cursor_after, read_cursor
from app.exceptions.hold import Hold, list_holds, read_hold
from app.exceptions.work.remarks import list_remarks
from app.intake.incoming import body_context
from infra.database.unit import Session, begin
from infra.ids import Id
from portal.door.desk import Desk
from portal.screens.exceptions.selection import OWNERS, SORTS, STATES, Asked
from tenants.audit import record
from tenants.roles import Permission

PAGE = 50
EXPORT_PAGE, EXPORT_MOST = 1_000, 10_000
SHOWN_BYTES = 200_000
_COLUMNS = (
    *("id", "label", "code", "words", "amount", "currency", "state", "owner", "created_at"),
    *("due_at", "deadline_at", "event_type", "object_id"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CODES = (
    "select code, count(*) as count from hold where tenant_id = $1 and state = 'open'"
    " group by code order by count desc limit 12"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What was sent: as text, and whether it is an event of ours (or else a raw body)."""

    text: str
    is_event: bool
    is_cut: bool


async def listed(desk: Desk, wanted: Asked, cursor: str | None) -> dict[str, Any]:
    """Give one page of the list."""
    of_list = f"portal exceptions {wanted.filter.sort}"
    sought = wanted.filter.hold_filter(desk.scope.actor, before=read_cursor(of_list, cursor))
    found = await list_holds(desk.scope, desk.parts.database, sought, PAGE + 1)
    async with begin(desk.scope, desk.parts.database) as session:
        codes = await session.fetch(_CODES, desk.scope.tenant_id)
    holds = found[:PAGE]
    return {
        "holds": holds,
        "asked": wanted,
        "codes": [(row["code"], row["count"]) for row in codes],
        "next_cursor": cursor_after(of_list, holds[-1].id) if len(found) > PAGE else None,
        "cursor": cursor or "",
        "sorts": SORTS,
        "owners": OWNERS,
        "states": STATES,
        "may_decide": desk.may(Permission.EXCEPTIONS_DECIDE),
        "may_replay": desk.may(Permission.REPLAYS_RUN),
    }


async def detail(desk: Desk, hold_id: Id, *, with_content: bool) -> dict[str, Any]:
    """Give one exception, its remarks and, when asked for and permitted, its content."""
    hold = await read_hold(desk.scope, desk.parts.database, hold_id)
    may_read = desk.may(Permission.PAYLOADS_READ)
    is_open = hold.state == "open"
    decides = is_open and desk.may(Permission.EXCEPTIONS_DECIDE)
    return {
        "hold": hold,
        "remarks": await list_remarks(desk.scope, desk.parts.database, hold_id),
        "content": await read_content(desk, hold) if with_content and may_read else None,
        "may_read": may_read,
        "decides": decides,
        "edits": decides and may_read,
        "place": json.loads(hold.position) if hold.position else None,
    }


async def read_content(desk: Desk, hold: Hold) -> Content | None:
    """Open what was sent; each reading stands in the audit log. None when it is gone."""
    async with begin(desk.scope, desk.parts.database) as session:
        if hold.delivery_id is None:
            content = await _body(session, desk, hold)
        else:
            content = await _event(session, desk, hold)
        if content is not None:
            await record(session, "exceptions.read_content", f"hold:{hold.id}", {})
    return content


async def exported(desk: Desk, wanted: Asked) -> AsyncIterator[str]:
    """Write exactly what the filter finds as CSV (RFC 4180), at most 10,000 rows."""
    yield _lines([_COLUMNS])
    sought = wanted.filter.hold_filter(desk.scope.actor)
    for _ in range(EXPORT_MOST // EXPORT_PAGE):
        found = await list_holds(desk.scope, desk.parts.database, sought, EXPORT_PAGE)
        yield _lines([tuple(_cell(getattr(each, name)) for name in _COLUMNS) for each in found])
        if len(found) < EXPORT_PAGE:
            return
        sought = replace(sought, before=found[-1].id)


async def _body(session: Session, desk: Desk, hold: Hold) -> Content | None:
    row = await session.fetch_one(
        "select revision, sealed, period from message_body where tenant_id = $1"
        " and message_id = $2 order by revision desc limit 1",
        desk.scope.tenant_id,
        hold.message_id,
    )
    if row is None:
        return None
    key = await desk.parts.vault.of(desk.scope.tenant_id, row["period"], session)
    body = key.open(body_context(hold.message_id, row["revision"]), row["sealed"])
    text = body[:SHOWN_BYTES].decode("utf-8", "replace")
    return Content(text, is_event=False, is_cut=len(body) > SHOWN_BYTES)


async def _event(session: Session, desk: Desk, hold: Hold) -> Content | None:
    row = await session.fetch_one(
        "select e.id, e.sealed, e.period from delivery d"
        " join event e on e.tenant_id = d.tenant_id and e.id = d.event_id"
        " where d.tenant_id = $1 and d.id = $2",
        desk.scope.tenant_id,
        hold.delivery_id,
    )
    if row is None:
        return None
    key = await desk.parts.vault.of(desk.scope.tenant_id, row["period"], session)
    told = json.loads(key.open(f"event|{row['id']}", row["sealed"]))
    text = json.dumps(told, indent=2, ensure_ascii=False)
    return Content(text[:SHOWN_BYTES], is_event=True, is_cut=len(text) > SHOWN_BYTES)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:f}" if hasattr(value, "as_tuple") else str(value)
    # What a spreadsheet would take for a formula; an amount may begin with a minus all the same.
    is_number = hasattr(value, "as_tuple")
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text


def _lines(rows: list[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
