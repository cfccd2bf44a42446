"""What was told, to whom, when, and what did not arrive: the list of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.health.alerts.notice import AlertKind
from app.health.alerts.owner import OwnerScope, owner_id
from infra.database.pool import Database
from infra.database.unit import begin
from infra.ids import Id

AlertState = Literal["pending", "sent", "joined", "digested", "failed", "unneeded"]

# What a partner's channel is told about a retailer is the partner's, not the retailer's.
_LIST = (
    "select a.id, a.channel_id, coalesce(c.name, '') as channel, a.incident_id, a.kind, a.severity,"
    " a.state, a.subject, a.words, a.told_by, a.due_at, a.tries, a.last_problem, a.created_at,"
    " a.sent_at from alert a left join alert_channel c on c.id = a.channel_id"
    " where (a.partner_id = $1 or a.partner_id is null and a.tenant_id = $1)"
    " and ($2::text is null or a.state = $2) and ($3::uuid is null or a.channel_id = $3)"
    " and ($4::uuid is null or a.id < $4) order by a.id desc limit $5"
)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts of a list: by state, by channel, before an id."""

    state: AlertState | None = None
    channel_id: Id | None = None
    before: Id | None = None


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """One alert as the list shows it; `told_by` is the alert that told it together with others."""

    id: Id
    channel_id: Id
    channel: str
    incident_id: Id | None
    kind: AlertKind
    severity: int
    state: AlertState
    subject: str
    words: str
    told_by: Id | None
    due_at: datetime
    tries: int
    last_problem: str
    created_at: datetime
    sent_at: datetime | None


async def list_alerts(
    scope: OwnerScope, database: Database, wanted: AlertFilter, limit: int
) -> list[AlertEntry]:
    """List an owner's alerts, newest first."""
    async with begin(scope, database) as session:
        rows = await session.fetch(
            _LIST, owner_id(scope), wanted.state, wanted.channel_id, wanted.before, limit
        )
    return [AlertEntry(**dict(row)) for row in rows]
