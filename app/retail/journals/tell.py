"""Tell journals to the books of account: each revision is one event that the retail core says."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.retail.journals.read import journals_by_id
from app.retail.voice import say
from connectors.canonical.event import JOURNAL_POSTED, Event
from connectors.canonical.journal import (
    Journal,
    journal_label,
    journal_name,
    journal_total,
    ordering_key,
)
from connectors.canonical.money import Money
from infra import clock
from infra.database.unit import Session
from infra.keys.vault import TenantKey

_TOLD = """
update journal j set object_id = told.name
from unnest($2::uuid[], $3::text[]) as told (id, name)
where j.tenant_id = $1 and j.id = told.id
"""


async def tell_journals(
    session: Session, tenant_id: UUID, sealing: TenantKey, ids: Sequence[UUID]
) -> None:
    """Say balanced journals in the open transaction, in the order given; said again, nothing happens."""
    journals = await journals_by_id(session, tenant_id, ids)
    await say(session, sealing, [journal_event(journals[each]) for each in ids])
    names = [journal_name(journals[each]) for each in ids]
    await session.execute(_TOLD, tenant_id, list(ids), names)


def journal_event(journal: Journal) -> Event:
    """Write one revision as its event."""
    return Event(
        type=JOURNAL_POSTED,
        key=ordering_key(journal),
        object_id=journal_name(journal),
        label=journal_label(journal),
        occurred_at=clock.now(),
        business_day=journal.day,
        amount=Money(amount=journal_total(journal), currency=journal.currency),
        body=journal,
    )
