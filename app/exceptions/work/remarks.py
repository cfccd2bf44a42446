"""What people say about a hold to each other; a remark is never changed or taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.exceptions.hold import find_hold
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id, new_id
from tenants.audit import record

MOST_SHOWN = 500
WORDS_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark: who said what, when (UTC)."""

    id: Id
    at: datetime
    author: str
    words: str


async def remark_on_hold(
    scope: TenantScope, database: Database, hold_id: Id, words: str
) -> list[Remark]:
    """Add a remark, to a decided hold as well; gives all of them. Raises NotFound."""
    async with begin(scope, database) as session:
        await find_hold(session, scope, hold_id)
        remark_id = new_id()
        await session.execute(
            "insert into remark (tenant_id, id, hold_id, author, words) values ($1, $2, $3, $4, $5)",
            scope.tenant_id,
            remark_id,
            hold_id,
            scope.actor,
            words,
        )
        remarks = await _remarks(session, scope, hold_id)
        # The words stay where people with the right to read them look for them.
        detail = {"remark": str(remark_id)}
        await record(session, "exceptions.comment_hold", f"hold:{hold_id}", detail)
    return remarks


async def list_remarks(scope: TenantScope, database: Database, hold_id: Id) -> list[Remark]:
    """Give the newest 500 remarks on a hold, oldest first; raises NotFound."""
    async with begin(scope, database) as session:
        await find_hold(session, scope, hold_id)
        return await _remarks(session, scope, hold_id)


async def _remarks(session: Session, scope: TenantScope, hold_id: Id) -> list[Remark]:
    rows = await session.fetch(
        "select id, at, author, words from remark where tenant_id = $1 and hold_id = $2"
        " order by id desc limit $3",
        scope.tenant_id,
        hold_id,
        MOST_SHOWN,
    )
    return [Remark(**dict(row)) for row in reversed(rows)]
