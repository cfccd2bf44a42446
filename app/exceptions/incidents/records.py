"""The held records of an incident, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from app.exceptions.hold import HoldState
from app.exceptions.incidents.read import find_incident
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id

Shown = Literal["open", "any"]


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """One hold of an incident; times are UTC."""

    id: UUID
    message_id: UUID
    delivery_id: UUID | None
    label: str
    words: str
    code: str
    amount: Decimal | None
    currency: str | None
    state: HoldState
    owner: str
    due_at: datetime | None
    deadline_at: datetime | None
    created_at: datetime


async def list_records(
    scope: TenantScope,
    database: Database,
    incident_id: Id,
    shown: Shown,
    before: Id | None,
    limit: int,
) -> list[HeldRecord]:
    """Give up to `limit` held records of an incident; raises NotFound for an unknown one."""
    async with begin(scope, database) as session:
        await find_incident(session, scope, incident_id)
        rows = await session.fetch(
            "select id, message_id, delivery_id, label, words, code, amount, currency, state, owner,"
            " due_at, deadline_at, created_at from hold where tenant_id = $1 and incident_id = $2"
            " and ($3 = 'any' or state = 'open') and ($4::uuid is null or id < $4)"
            " order by id desc limit $5",
            scope.tenant_id,
            incident_id,
            shown,
            before,
            limit,
        )
    return [HeldRecord(**dict(row)) for row in rows]
