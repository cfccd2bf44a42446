"""Write promises on items; one that has its promise keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.exceptions.replay.items import change_items
from app.exceptions.replay.promise import Promise
from connectors.canonical.money import Money
from infra.database.unit import Session

_WRITE = """
update replay_item set promised = new.promised, promised_words = new.words,
    effects = coalesce(string_to_array(nullif(new.effects, ''), E'\\n'), '{}'),
    deliveries = new.deliveries, pinned_version = new.pinned,
    label = coalesce(nullif(new.label, ''), replay_item.label),
    amount = coalesce(new.amount, replay_item.amount),
    currency = coalesce(new.currency, replay_item.currency)
from unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::text[],
    $10::numeric[], $11::text[])
    as new (number, promised, words, effects, deliveries, pinned, label, amount, currency)
where replay_item.tenant_id = $1 and replay_item.replay_id = $2
    and replay_item.number = any($3) and replay_item.number = new.number
    and replay_item.promised = ''
"""


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise for one item; label and money only where reading a message anew told them."""

    number: int
    promise: Promise
    label: str = ""
    amount: Money | None = None


async def write_promises(
    session: Session, tenant_id: UUID, replay_id: UUID, promised: Sequence[Promised]
) -> None:
    """Write all promises in one statement."""
    if not promised:
        return
    rows = [
        (
            each.number,
            each.promise.promised,
            each.promise.words,
            "\n".join(each.promise.effects),
            each.promise.deliveries,
            each.promise.pinned_version,
            each.label,
            each.amount.amount if each.amount else None,
            each.amount.currency if each.amount else None,
        )
        for each in promised
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    await change_items(session, _WRITE, tenant_id, replay_id, columns)
