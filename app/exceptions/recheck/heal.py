"""Close a hold because its target has the record: delivered, counted once, its lane goes on."""

from __future__ import annotations

from app.deliveries.pricing import priced
from app.exceptions.claim import (
    AlreadyDecided,
    Decision,
    HeldDelivery,
    close_hold,
    take_delivery,
    unblock_lane,
)
from app.exceptions.hold import Hold, find_hold
from app.exceptions.recheck.question import Question, scope_of
from connectors.sdk.outcome import Found
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin

ACTION = "exceptions.heal_hold"
_REFERENCE_MAX = 200


async def heal_hold(database: Database, question: Question, found: Found, target: str) -> Hold:
    """Close the hold that was asked about; `target` is what the retailer calls the system.

    Raises AlreadyDecided when a person was faster, or changed what is to be sent meanwhile: the
    answer was about something else then.
    """
    scope = scope_of(question.due)
    reference = found.reference[:_REFERENCE_MAX]
    named = f" ({reference})" if reference else ""
    words = f"{target} has it now{named}; closed by itself."
    async with begin(scope, database) as session:
        hold = await find_hold(session, scope, question.due.id)
        held = await take_delivery(session, scope, hold)
        if held.event_id != question.delivery.event_id:
            raise AlreadyDecided
        await _deliver(session, scope, held, reference)
        await _count_usage(session, scope, question)
        decision = Decision("healed", ACTION, words)
        return await close_hold(session, scope, hold, decision, {"reference": reference})


async def _deliver(
    session: Session, scope: TenantScope, held: HeldDelivery, reference: str
) -> None:
    await session.execute(
        "update delivery set state = 'delivered', settled_at = now(), code = '', words = '',"
        " error_class = '', external_ref = $3 where tenant_id = $1 and id = $2",
        scope.tenant_id,
        held.id,
        reference,
    )
    await unblock_lane(session, scope, held, 1)
    await session.execute(
        "update message set open_routes = open_routes - 1,"
        " state = case when open_routes = 1 and state = 'prepared' then 'settled' else state end"
        " where tenant_id = $1 and id = $2",
        scope.tenant_id,
        held.message_id,
    )


async def _count_usage(session: Session, scope: TenantScope, question: Question) -> None:
    """Count it as the engine does: once for each business object, whoever finds it delivered."""
    facts = priced(question.loaded.event)
    if facts.usage_kind:
        await session.execute(
            "insert into usage_fact (tenant_id, kind, business_key, delivery_id)"
            " values ($1, $2, $3, $4) on conflict do nothing",
            scope.tenant_id,
            facts.usage_kind,
            facts.business_key,
            question.delivery.id,
        )
