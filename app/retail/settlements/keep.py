"""Keep settlements up to date: those that were told are taken, those that differ are looked at again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from app.retail.breaks import Seen, see_breaks
from app.retail.each_retailer import for_each_retailer
from app.retail.journals.records import SOLD
from app.retail.journals.take import take_sales
from app.retail.settlements.take import MATCH_BREAKS, TakenSettlement, take_settlement
from app.retail.settlements.told import mark_due
from connectors.canonical.event import Event, decode
from connectors.canonical.settlement import Settlement
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Session, begin
from infra.errors import Conflict, NotFound, PlatformError, Unprocessable
from infra.ids import lowest_id_at
from infra.keys.vault import KeyErased, Vault
from infra.telemetry.tell_fault import tell_fault

KEEP_EVERY_S = 30.0
# Sales older than this were looked at by an earlier turn.
LOOKED_BACK = timedelta(minutes=15)
AGAIN_AFTER = timedelta(minutes=10)

# Retailers with something due, and those that sold lately: an order that was missing may be there.
_WAITING = """
select distinct tenant_id from settlement_due where due_at <= now()
union select t.id from tenant t where exists (
    select from event e where e.tenant_id = t.id and e.id >= $1 and e.type = any ($2))
"""
# Taken before, with a difference about an order of which something was told since.
_AGAIN = """
insert into settlement_due (tenant_id, event_id)
select distinct s.tenant_id, s.event_id from settlement s
join break b on b.tenant_id = s.tenant_id and b.state = 'open' and b.kind = any ($2)
    and b.place = s.channel || '/' || s.external_id
join sale_record r on r.tenant_id = b.tenant_id and r.taken_at > b.last_seen_at
    and r.reference = substr(b.key, length(s.channel) + 2) and r.reference <> ''
where s.tenant_id = $1 and s.event_id is not null
on conflict do nothing
"""
_DUE = """
select d.event_id, e.sealed, e.period, e.label from settlement_due d
left join event e on e.tenant_id = d.tenant_id and e.id = d.event_id
where d.tenant_id = $1 and d.due_at <= now() order by d.due_at, d.event_id limit 1
"""
_EVENT = "select event_id from settlement where tenant_id = $1 and id = $2"
_DONE = "delete from settlement_due where tenant_id = $1 and event_id = $2"
_LATER = "update settlement_due set due_at = now() + $3 where tenant_id = $1 and event_id = $2"


@dataclass(frozen=True, slots=True)
class _Due:
    event_id: UUID
    label: str
    event: Event | None


async def keep_settlements(database: Database, vault: Vault) -> int:
    """Take what is due of all retailers; gives how many settlements were taken.

    Safe to run twice at once: a settlement is one row, and its journal books only what is missing.
    The fault of one retailer is told and keeps no other waiting.
    """
    since = lowest_id_at(clock.now() - LOOKED_BACK)
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_WAITING, since, list(SOLD))

    async def work(scope: TenantScope) -> int:
        return len(await take_due(scope, database, vault))

    return await for_each_retailer("settlements", [row["tenant_id"] for row in rows], work)


async def take_due(scope: TenantScope, database: Database, vault: Vault) -> list[TakenSettlement]:
    """Take all settlements of one retailer that are due, the oldest first, after what was sold."""
    async with begin(scope, database) as session:
        await session.execute(_AGAIN, scope.tenant_id, list(MATCH_BREAKS))
        due = await _next(session, scope, vault)
    if due is None:
        return []
    await take_sales(scope, database, vault)
    taken = []
    while due is not None:
        found = await _take(scope, database, vault, due)
        taken += [found] if found is not None else []
        async with begin(scope, database) as session:
            due = await _next(session, scope, vault)
    return taken


async def take_again(scope: TenantScope, database: Database, settlement_id: UUID) -> None:
    """Note that a settlement is to be matched again; raises NotFound, also when it was not told."""
    async with begin(scope, database) as session:
        event_id = await session.fetch_value(_EVENT, scope.tenant_id, settlement_id)
        if event_id is None:
            raise NotFound
        await mark_due(session, scope.tenant_id, [event_id])


async def _next(session: Session, scope: TenantScope, vault: Vault) -> _Due | None:
    row = await session.fetch_one(_DUE, scope.tenant_id)
    if row is None:
        return None
    if row["sealed"] is None:
        return _Due(row["event_id"], f"Settlement {row['event_id']}", None)
    try:
        key = await vault.of(scope.tenant_id, row["period"], session)
        sealed = key.open(f"event|{row['event_id']}", row["sealed"])
        # A settlement has tens of thousands of lines; nobody else waits while they are read.
        return _Due(row["event_id"], row["label"], await asyncio.to_thread(decode, sealed))
    except (KeyErased, msgspec.DecodeError):
        return _Due(row["event_id"], row["label"], None)


async def _take(
    scope: TenantScope, database: Database, vault: Vault, due: _Due
) -> TakenSettlement | None:
    """Take one; what cannot be taken is told as a break, and no other waits for it."""
    taken, told = None, None
    if due.event is None or not isinstance(due.event.body, Settlement):
        words = f"{due.label} cannot be read any more; its money is in no journal."
        told = Seen("record_unreadable", str(due.event_id), words)
    else:
        settlement = due.event.body
        try:
            taken = await take_settlement(scope, database, vault, settlement, due.event_id)
        except (Conflict, Unprocessable) as refusal:
            told = Seen(
                "settlement_refused",
                f"{settlement.channel}/{settlement.account}/{settlement.settlement_id}",
                str(refusal),
                place=settlement.channel,
                amount=settlement.payout,
                currency=settlement.currency,
            )
        except PlatformError as fault:
            tell_fault("duty.failed", fault, case="settlements")
            async with begin(scope, database) as session:
                await session.execute(_LATER, scope.tenant_id, due.event_id, AGAIN_AFTER)
            return None
    async with begin(scope, database) as session:
        await see_breaks(session, scope.tenant_id, [told] if told is not None else [])
        await session.execute(_DONE, scope.tenant_id, due.event_id)
    return taken
