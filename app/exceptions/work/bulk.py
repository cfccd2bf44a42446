"""Act on many records at once: in chunks, each in a transaction of its own.

What was done stays done when the connection breaks or a chunk cannot be written: the same call again
refuses what is decided and does the rest, or goes on after `resume_after`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.exceptions import discard, release
from app.exceptions.claim import Decision
from app.exceptions.together import close_all, discard_all, release_all, take_all
from app.exceptions.work.assign import (
    Assignment,
    Tagging,
    Touched,
    assign_all,
    check_tags,
    tag_all,
)
from app.exceptions.work.selection import DECIDED, MISSING, Selection, pick
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import Unavailable
from infra.ids import Id, new_id
from tenants.audit import Detail, record

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Decide:
    """Release all, or give all of them up, for one reason."""

    what: Literal["release", "discard"]
    reason: str


BulkAct = Decide | Assignment | Tagging


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What one call did: ids done, ids refused by code, in the order of the ids.

    `left` counts what the filter found beyond one call, and what a broken call did not reach;
    `resume_after` is where the next call goes on, None when there is nothing left. `words` say why
    it stopped early.
    """

    bulk_id: Id
    done: tuple[Id, ...]
    refused: tuple[tuple[Id, str], ...]
    left: int
    resume_after: Id | None
    words: str = ""


async def run_bulk(
    scope: TenantScope,
    database: Database,
    selection: Selection,
    act: BulkAct,
    ring: Callable[[], None],
) -> BulkResult:
    """Act on at most 10,000 records; raises Unprocessable before anything is done.

    One line of the audit log tells of the call before it begins, and one of each record.
    """
    if isinstance(act, Tagging):
        check_tags(act)
    picked = await pick(scope, database, selection)
    bulk_id = new_id()
    await _tell(scope, database, bulk_id, act, len(picked.ids))
    done: list[Id] = []
    refused: list[tuple[Id, str]] = []
    reached, words = selection.after, ""
    for start in range(0, len(picked.ids), CHUNK):
        ids = picked.ids[start : start + CHUNK]
        try:
            touched = await _chunk(scope, database, ids, act, bulk_id)
        except Unavailable as fault:
            words = f"{fault.detail} The rest was not done; call again."
            break
        done += touched.changed
        refused += [(each, DECIDED) for each in touched.decided]
        refused += [(each, MISSING) for each in touched.missing]
        reached = ids[-1]
        ring()
    left = picked.left + len(picked.ids) - len(done) - len(refused)
    return BulkResult(
        bulk_id, tuple(done), tuple(sorted(refused)), left, reached if left else None, words
    )


async def _tell(
    scope: TenantScope, database: Database, bulk_id: Id, act: BulkAct, records: int
) -> None:
    action, detail = _described(act)
    async with begin(scope, database) as session:
        await record(session, f"{action}_many", f"bulk:{bulk_id}", {"records": records, **detail})


async def _chunk(
    scope: TenantScope, database: Database, ids: Sequence[Id], act: BulkAct, bulk_id: Id
) -> Touched:
    detail: Detail = {"bulk": str(bulk_id)}
    async with begin(scope, database) as session:
        match act:
            case Decide():
                return await _decide(session, scope, ids, act, detail)
            case Assignment():
                return await assign_all(session, scope, ids, act, detail)
            case Tagging():
                return await tag_all(session, scope, ids, act, detail)


async def _decide(
    session: Session, scope: TenantScope, ids: Sequence[Id], act: Decide, detail: Detail
) -> Touched:
    taken = await take_all(session, scope, ids)
    told: Detail = {"reason": act.reason, **detail}
    if act.what == "release":
        await release_all(session, scope, taken)
        decision = Decision("released", release.ACTION, act.reason)
    else:
        await discard_all(session, scope, taken)
        decision = Decision("discarded", discard.ACTION, act.reason)
    await close_all(session, scope, taken, decision, told)
    return Touched(tuple(hold.id for hold in taken.holds), taken.decided, taken.missing)


def _described(act: BulkAct) -> tuple[str, Detail]:
    match act:
        case Decide(what=what, reason=reason):
            return f"exceptions.{what}", {"reason": reason}
        case Assignment(owner=owner):
            return "exceptions.assign", {"owner": owner}
        case Tagging(add=add, remove=remove):
            return "exceptions.tag", {"add": list(add), "remove": list(remove)}
