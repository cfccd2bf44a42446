"""Work out what follows from what was told: return by return, each in its own transaction.

Killed anywhere, nothing has happened and the return is still due.
"""

from __future__ import annotations

from datetime import timedelta

from app.retail.returns.find_sale import SaleSought, sale_facts
from app.retail.returns.store import add_facts, lock_process, read_kept, replan
from app.retail.returns.take import ACTOR, mark_due
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id
from infra.keys.vault import Vault

AT_ONCE = 100
PUT_OFF_S = 60.0
# A sale that is not known yet is looked for again: seldom, the longer it is missing.
LOOK_AGAIN_MIN, LOOK_AGAIN_MAX = timedelta(seconds=5), timedelta(hours=1)

_DUE = (
    "select distinct tenant_id, return_id from ("
    " select tenant_id, return_id from return_due where due_at <= now() order by due_at limit $1"
    ") due"
)
_TAKE = (
    "delete from return_due where tenant_id = $1 and return_id = $2 and due_at <= now()"
    " returning id"
)
_SOURCE = "select source_key, opened_at from return_process where tenant_id = $1 and id = $2"


async def due_returns(database: Database) -> list[tuple[TenantScope, Id]]:
    """Find the returns that are due, with the scope of their retailer."""
    async with begin(EngineScope(), database) as session:
        due = await session.fetch(_DUE, AT_ONCE)
    return [(TenantScope(row["tenant_id"], ACTOR), row["return_id"]) for row in due]


async def postpone(scope: TenantScope, database: Database, return_id: Id) -> None:
    """Put one return off whose planning fails, so that the others go on."""
    async with begin(scope, database) as session:
        await session.fetch(_TAKE, scope.tenant_id, return_id)
        await mark_due(session, return_id, PUT_OFF_S)


async def work_out(scope: TenantScope, database: Database, vault: Vault, return_id: Id) -> None:
    """Look for the sale of one return and plan what follows; twice changes nothing more."""
    async with begin(scope, database) as session:
        await lock_process(session, scope, return_id)
        await session.fetch(_TAKE, scope.tenant_id, return_id)
        kept = await read_kept(session, scope, return_id)
        source = await session.fetch_one(_SOURCE, scope.tenant_id, return_id)
        assert source is not None  # noqa: S101 - it is locked
        found = await sale_facts(
            session, vault, kept.case, SaleSought(return_id, source["source_key"])
        )
        await add_facts(session, scope, return_id, found)
        await replan(session, scope, return_id)
        await _look_again(session, scope, return_id, clock.now() - source["opened_at"])


async def _look_again(session: Session, scope: TenantScope, return_id: Id, age: timedelta) -> None:
    """Come back for a sale that is missing, after a share of the return's age."""
    case = (await read_kept(session, scope, return_id)).case
    if case.request is None or case.sale is not None:
        return
    wait = min(max(age / 4, LOOK_AGAIN_MIN), LOOK_AGAIN_MAX)
    await mark_due(session, return_id, wait.total_seconds())
