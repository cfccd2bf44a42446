"""Start a return here: in a store or by a portal, where no other system begins it."""

from __future__ import annotations

from app.retail.returns.store import add_facts
from app.retail.returns.take import begin_return, mark_due
from app.retail.returns.tell import tellings
from app.retail.told import Told
from app.retail.voice import core_connection, say
from connectors.canonical.event import RETURN_TOLD, Event
from connectors.canonical.returns import Return
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id, new_id
from infra.keys.vault import Vault
from tenants.audit import record


async def start_return(scope: TenantScope, database: Database, vault: Vault, request: Return) -> Id:
    """Begin a return and tell those systems of it that a flow of the core brings it to.

    Calling it twice with the same return is safe. Raises FactDiffers when its id was used for another.
    """
    event = Event(
        type=RETURN_TOLD,
        key=f"return:{request.return_id}",
        object_id=request.return_id,
        label=f"Return {request.number}",
        occurred_at=request.initiated_at,
        body=request,
    )
    key = await vault.current(scope.tenant_id)
    async with begin(scope, database) as session:
        connection_id = await core_connection(session)
        # The same facts under the same keys as those that the pipeline reads out of the event.
        told = Told(new_id(), connection_id, event, clock.now())
        (telling,) = tellings(told)
        return_id = await begin_return(session, telling)
        if await add_facts(session, scope, return_id, telling.facts):
            await mark_due(session, return_id)
            await say(session, key, [event])
            detail = {"number": request.number, "kind": request.kind}
            await record(session, "returns.start_return", f"return:{return_id}", detail)
    return return_id
