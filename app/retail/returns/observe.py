"""Take in what somebody tells about a return, and plan what follows, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.retail.returns.facts import Fact
from app.retail.returns.store import add_facts, open_process, replan
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id


@dataclass(frozen=True, slots=True)
class Observed:
    """The return that was told about, and how many of the facts were new."""

    return_id: Id
    new_facts: int


async def observe_facts(
    scope: TenantScope, database: Database, source_key: str, facts: Sequence[Fact], label: str = ""
) -> Observed:
    """Add facts to the return of `source_key`, which the first fact begins.

    Calling it twice is safe: a fact told twice under its key counts once.
    Raises FactDiffers when a key is told again with other content; nothing is written then.
    """
    async with begin(scope, database) as session:
        return_id = await open_process(session, scope, source_key, label)
        added = await add_facts(session, scope, return_id, facts)
        if added:
            await replan(session, scope, return_id)
    return Observed(return_id, added)
