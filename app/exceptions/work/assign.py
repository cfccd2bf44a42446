"""Give a hold to somebody, until when, and under which tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.exceptions.claim import AlreadyDecided
from app.exceptions.hold import Hold, find_hold, find_holds
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import FieldError, NotFound, Unprocessable
from infra.ids import Id
from tenants.audit import Detail, Line, record_many

ASSIGN, TAG = "exceptions.assign_hold", "exceptions.tag_hold"
MOST_TAGS = 20
_TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who has it (empty is nobody), and until when it is to be done."""

    owner: str
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tagging:
    """Which tags to give and to take away; a tag that is there already is left."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Touched:
    """Holds that were changed, and those that are decided or missing."""

    changed: tuple[Id, ...]
    decided: tuple[Id, ...]
    missing: tuple[Id, ...]


async def assign_hold(
    scope: TenantScope, database: Database, hold_id: Id, assignment: Assignment
) -> Hold:
    """Give an open hold to somebody; raises NotFound, AlreadyDecided."""
    async with begin(scope, database) as session:
        _refuse_untouched(await assign_all(session, scope, [hold_id], assignment, {}))
        return await find_hold(session, scope, hold_id)


async def tag_hold(scope: TenantScope, database: Database, hold_id: Id, tagging: Tagging) -> Hold:
    """Change the tags of an open hold; raises NotFound, AlreadyDecided, Unprocessable."""
    check_tags(tagging)
    async with begin(scope, database) as session:
        _refuse_untouched(await tag_all(session, scope, [hold_id], tagging, {}))
        return await find_hold(session, scope, hold_id)


async def assign_all(
    session: Session, scope: TenantScope, ids: Sequence[Id], given: Assignment, detail: Detail
) -> Touched:
    """Give all open holds of these to one person; each is audited, last in the transaction."""
    touched = await _open_ones(session, scope, ids)
    await session.execute(
        "update hold set owner = $3, due_at = $4 where tenant_id = $1 and id = any($2)",
        scope.tenant_id,
        list(touched.changed),
        given.owner,
        given.due_at,
    )
    until = given.due_at.isoformat() if given.due_at else None
    told: Detail = {"owner": given.owner, "due_at": until, **detail}
    await record_many(session, [Line(ASSIGN, f"hold:{each}", told) for each in touched.changed])
    return touched


async def tag_all(
    session: Session, scope: TenantScope, ids: Sequence[Id], given: Tagging, detail: Detail
) -> Touched:
    """Change the tags of all open holds of these; the first twenty in their order are kept."""
    touched = await _open_ones(session, scope, ids)
    await session.execute(
        "update hold set tags = (array(select tag from unnest(tags || $3::text[]) tag"
        " where tag <> all($4::text[]) group by tag order by tag))[:$5]"
        " where tenant_id = $1 and id = any($2)",
        scope.tenant_id,
        list(touched.changed),
        list(given.add),
        list(given.remove),
        MOST_TAGS,
    )
    told: Detail = {"add": list(given.add), "remove": list(given.remove), **detail}
    await record_many(session, [Line(TAG, f"hold:{each}", told) for each in touched.changed])
    return touched


def check_tags(tagging: Tagging) -> None:
    """Refuse what is no tag: lower-case letters, digits, `-` and `_`, at most 40 characters."""
    for name in ("add", "remove"):
        for tag in getattr(tagging, name):
            if not _TAG.fullmatch(tag):
                words = "A tag has 1 to 40 lower-case letters, digits, hyphens or underscores."
                raise Unprocessable(
                    words,
                    code="exceptions.tag_invalid",
                    errors=(FieldError(f"/{name}", "exceptions.tag_invalid", words),),
                )


def _refuse_untouched(touched: Touched) -> None:
    if touched.missing:
        raise NotFound
    if touched.decided:
        raise AlreadyDecided


async def _open_ones(session: Session, scope: TenantScope, ids: Sequence[Id]) -> Touched:
    found = await find_holds(session, scope, ids, are_locked=True)
    return Touched(
        tuple(hold.id for hold in found if hold.state == "open"),
        tuple(hold.id for hold in found if hold.state != "open"),
        tuple(sorted(set(ids) - {hold.id for hold in found})),
    )
