"""Settlements as they are told: one that does not add up is held at once, all others are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.retail.settlements.take import proved
from app.retail.told import Told
from connectors.canonical.money import Money
from connectors.canonical.settlement import Settlement
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.errors import Unprocessable
from infra.ids import Id
from infra.keys.vault import TenantKey

_DUE = """
insert into settlement_due (tenant_id, event_id) select $1, unnest($2::uuid[]) on conflict do nothing
"""


async def take_settlements(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Hold what is not whole and mark the rest as due; matching and booking have their own duty."""
    holds = {each.event_id: hold for each in told if (hold := _refused(each)) is not None}
    due = [each.event_id for each in told if each.event_id not in holds]
    await mark_due(session, acting_tenant(session), due)
    return holds


async def mark_due(session: Session, tenant_id: UUID, event_ids: Sequence[UUID]) -> None:
    """Note that these settlements are to be taken, or taken again."""
    if event_ids:
        await session.execute(_DUE, tenant_id, list(event_ids))


def _refused(told: Told) -> HoldRecord | None:
    settlement = told.event.body
    if not isinstance(settlement, Settlement):
        return None
    try:
        proved(settlement)
    except Unprocessable as refusal:
        at_stake = Money(amount=settlement.payout, currency=settlement.currency)
        return HoldRecord(refusal.code, "/payout", str(refusal), at_stake)
    return None
