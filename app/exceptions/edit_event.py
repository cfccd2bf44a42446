"""Give a held delivery a changed event; other targets keep the event as it was."""

from __future__ import annotations

from typing import Any

from app.exceptions.claim import HeldDelivery, take_delivery, unblock_lane
from app.exceptions.content import EditUnderWay, Replaced, WrongContent
from app.exceptions.contract import edited_event
from app.pipeline.write import effect_key
from connectors.canonical.event import Event, encode
from connectors.sdk.outcome import Unknown
from infra.database.unit import Row
from infra.errors import Conflict
from infra.ids import Id, new_id


class EffectUnknown(Conflict):
    """The last attempt may have had its effect; a changed event would have it a second time."""

    code = "hold.effect_unknown"

    def __init__(self) -> None:
        super().__init__(
            "The target may already have this: its last answer was lost. Release it, so that it is"
            " sent again under the same key, or discard it."
        )


async def edit_event(edit: EditUnderWay, content: dict[str, Any] | None) -> Replaced:
    """Write the event's next revision and send it; raises EffectUnknown, Unprocessable."""
    if content is None:
        raise WrongContent("One target refused this event. Give the new `event`.")
    held = await take_delivery(edit.session, edit.scope, edit.hold)
    await _refuse_unknown_effect(edit, held)
    row = await _event_before(edit, held.event_id)
    key = await edit.vault.of(edit.scope.tenant_id, row["period"], edit.session)
    before = key.open(_context(held.event_id), row["sealed"])
    event = edited_event(before, content)
    after, event_id = encode(event), new_id()
    await _write_event(edit, held.event_id, event_id, event, after)
    await _send_instead(edit, held, event_id)
    return Replaced(before, after, row["revision"] + 1)


async def _refuse_unknown_effect(edit: EditUnderWay, held: HeldDelivery) -> None:
    last = await edit.session.fetch_value(
        "select outcome from attempt where tenant_id = $1 and delivery_id = $2"
        " order by id desc limit 1",
        edit.scope.tenant_id,
        held.id,
    )
    if last == Unknown.__name__:
        raise EffectUnknown


async def _event_before(edit: EditUnderWay, event_id: Id) -> Row:
    row = await edit.session.fetch_one(
        "select revision, sealed, period from event where tenant_id = $1 and id = $2",
        edit.scope.tenant_id,
        event_id,
    )
    if row is None:
        raise WrongContent("The content of this event is not here any more.")
    return row


async def _write_event(
    edit: EditUnderWay, before_id: Id, event_id: Id, event: Event, encoded: bytes
) -> None:
    """Write the new revision. It is routed nowhere anew: the books know its first telling."""
    amount = event.amount
    await edit.session.execute(
        "insert into event (tenant_id, id, message_id, connection_id, type, contract, key, object_id,"
        " version, label, occurred_at, business_day, amount, currency, revision, routed_to, sealed,"
        " period, accepted_at)"
        " select tenant_id, $3, message_id, connection_id, type, contract, key, object_id, $4, $5,"
        " $6, $7, $8, $9, revision + 1, '{}', $10, $11, accepted_at"
        " from event where tenant_id = $1 and id = $2",
        edit.scope.tenant_id,
        before_id,
        event_id,
        event.version,
        event.label,
        event.occurred_at,
        event.business_day,
        amount.amount if amount else None,
        amount.currency if amount else None,
        edit.key.seal(_context(event_id), encoded),
        edit.key.period,
    )


async def _send_instead(edit: EditUnderWay, held: HeldDelivery, event_id: Id) -> None:
    tenant_id = edit.scope.tenant_id
    await edit.session.execute(
        "update delivery set state = 'ready', event_id = $3, effect_key = $4, attempt_count = 0,"
        " not_before = null, code = '', words = '' where tenant_id = $1 and id = $2",
        tenant_id,
        held.id,
        event_id,
        effect_key(tenant_id, held.flow_id, event_id),
    )
    await unblock_lane(edit.session, edit.scope, held, 0)


def _context(event_id: Id) -> str:
    return f"event|{event_id}"
