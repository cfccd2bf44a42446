"""A person tells what they saw: goods that came, how they look, money that was given back."""

from __future__ import annotations

from app.retail.returns.facts import Inspected, Received, Refunded, RefundRefused, kind_of
from app.retail.returns.store import add_facts, lock_process, replan
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id
from tenants.audit import record

# What a person may tell; everything else is known by the systems that do it.
ByHand = Received | Inspected | Refunded | RefundRefused


async def tell_by_hand(scope: TenantScope, database: Database, return_id: Id, fact: ByHand) -> bool:
    """Add one fact to a return and plan what follows; says whether it was new.

    The same key again is the same fact. Raises NotFound, FactDiffers.
    """
    async with begin(scope, database) as session:
        await lock_process(session, scope, return_id)
        is_new = bool(await add_facts(session, scope, return_id, [fact]))
        if is_new:
            await replan(session, scope, return_id)
            detail = {"kind": kind_of(fact), "key": fact.key}
            await record(session, "returns.tell_fact", f"return:{return_id}", detail)
    return is_new
