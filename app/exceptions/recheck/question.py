"""What is asked about a held delivery: its event and the key under which it was sent."""

from __future__ import annotations

from dataclasses import dataclass

from app.deliveries.claim import Claimed
from app.deliveries.handover import Loaded
from app.exceptions.recheck.due import DueHold
from connectors.canonical.event import decode
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.keys.vault import Vault

ACTOR = "system"

_SQL = """
select d.id, d.event_id, d.message_id, d.flow_id, d.connection_id, d.attempt_count, d.effect_key,
    d.accepted_at, d.pinned_version, e.sealed, e.period, m.trace_parent
from hold h
join delivery d on d.tenant_id = h.tenant_id and d.id = h.delivery_id and d.state = 'held'
join event e on e.tenant_id = d.tenant_id and e.id = d.event_id
join message m on m.tenant_id = d.tenant_id and m.id = d.message_id
where h.tenant_id = $1 and h.id = $2 and h.state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One held delivery as it was when it was asked about."""

    due: DueHold
    delivery: Claimed
    loaded: Loaded


def scope_of(due: DueHold) -> TenantScope:
    """Give the scope in which the platform itself acts for the retailer of a hold."""
    return TenantScope(due.tenant_id, ACTOR)


async def read_question(database: Database, vault: Vault, due: DueHold) -> Question | None:
    """Read what to ask; None when the hold was decided meanwhile."""
    async with begin(scope_of(due), database) as session:
        row = await session.fetch_one(_SQL, due.tenant_id, due.id)
        if row is None:
            return None
        key = await vault.of(due.tenant_id, row["period"], session)
        event = decode(key.open(f"event|{row['event_id']}", row["sealed"]))
    delivery = Claimed(
        tenant_id=due.tenant_id,
        id=row["id"],
        event_id=row["event_id"],
        message_id=row["message_id"],
        flow_id=row["flow_id"],
        connection_id=row["connection_id"],
        attempt=row["attempt_count"],
        crashes=0,
        must_check=True,
        effect_key=row["effect_key"],
        accepted_at=row["accepted_at"],
        pinned_version=row["pinned_version"],
    )
    return Question(due, delivery, Loaded(event, row["trace_parent"]))
