"""Take what was told about returns, in the batch's own transaction: facts are added, nothing is decided.

What follows from them is worked out by `work_out`, return by return. Taking twice is harmless: a fact
told twice under its key counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from app.connections.tenant import acting_tenant
from app.retail.returns.facts import TermsKnown
from app.retail.returns.store import FactDiffers, add_facts
from app.retail.returns.tell import RETURN_TYPES, Telling, tellings
from app.retail.returns.terms import terms_of
from app.retail.told import Told
from connectors.sdk.message import HoldRecord
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey

ACTOR = "system"
TEXT_MAX = 500

_DUE = (
    "insert into return_due (tenant_id, id, return_id, due_at)"
    " values ($1, $2, $3, now() + make_interval(secs => $4))"
)
_BEGIN = """
insert into return_process (tenant_id, id, source_key, label, step, waits_for, order_id)
values ($1, $2, $3, $4, 'R1', 'auto', $5) on conflict (tenant_id, source_key) do nothing
returning id
"""
_BY_KEY = "select id from return_process where tenant_id = $1 and source_key = $2"
# A refund of the channel began it; now its own source tells of the return.
_BEGUN_BY_REFUND = """
select id from return_process where tenant_id = $1 and order_id = $2 and status = 'open'
    and source_key like 'refund:%' order by id limit 1
"""
_ADOPT = "update return_process set source_key = $3, label = $4 where tenant_id = $1 and id = $2"
# The one that knows this very refund, then what is open and about goods, then the newest.
_BY_ORDER = """
select process.id from return_process process
where process.tenant_id = $1 and process.order_id = $2
order by exists (select 1 from return_fact fact where fact.tenant_id = $1
        and fact.return_id = process.id and fact.kind = 'refunded'
        and strpos(fact.body, $3) > 0) desc,
    process.status <> 'open', process.source_key like 'payment:%', process.id desc
limit 1
"""
_BY_NAME = """
select id from return_process where tenant_id = $1 and (source_ref = $2 or number = $2)
order by status <> 'open', id desc limit 1
"""
# What carries out our own step names it: it is told by its delivery already.
_IS_OUR_STEP = "select 1 from return_command where tenant_id = $1 and key = $2 limit 1"


async def take_returns(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Add what is told to the returns that it is about; gives what must be held, by event."""
    held: dict[Id, HoldRecord] = {}
    found = [(one, telling) for one in told for telling in tellings(one)]
    # One order for all: two who tell of the same returns wait for each other at most once.
    for one, telling in sorted(found, key=lambda each: (each[1].source_key, each[1].name)):
        try:
            await _take(session, _kept(telling))
        except FactDiffers as refusal:
            held[one.event_id] = HoldRecord("return.fact_differs", "", str(refusal))
    return held


def _kept(telling: Telling) -> Telling:
    """Give names as the book keeps them: without NUL and lone surrogates, and bounded."""
    texts = {
        field: getattr(telling, field).replace("\x00", "").encode("utf-8", "replace").decode()
        for field in ("source_key", "label", "order_id", "name")
    }
    return replace(telling, **{field: text[:TEXT_MAX] for field, text in texts.items()})


async def mark_due(session: Session, return_id: Id, after_s: float = 0.0) -> None:
    """Let a return be worked out soon, or after so many seconds."""
    await session.execute(_DUE, acting_tenant(session), new_id(), return_id, after_s)


async def _take(session: Session, telling: Telling) -> None:
    return_id = await _find(session, telling)
    if return_id is None:
        return
    scope = TenantScope(acting_tenant(session), ACTOR)
    if await add_facts(session, scope, return_id, telling.facts):
        await mark_due(session, return_id)


async def _find(session: Session, telling: Telling) -> Id | None:
    """Find the return that is told about, or begin it; None when nobody knows it."""
    if not telling.order_id and telling.name:
        return await _by_name(session, telling.name)
    tenant_id = acting_tenant(session)
    if telling.name:
        of_order: Id | None = await session.fetch_value(
            _BY_ORDER, tenant_id, telling.order_id, _as_reference(telling.name)
        )
        if of_order is not None:
            return of_order
    return await _adopt(session, telling) or await begin_return(session, telling)


def _as_reference(name: str) -> str:
    """Write a refund's id as it stands in a stored fact."""
    return f'"reference":{msgspec.json.encode(name).decode()}'


async def _by_name(session: Session, name: str) -> Id | None:
    tenant_id = acting_tenant(session)
    if await session.fetch_value(_IS_OUR_STEP, tenant_id, name):
        return None
    found: Id | None = await session.fetch_value(_BY_NAME, tenant_id, name)
    return found


async def _adopt(session: Session, telling: Telling) -> Id | None:
    """Give a return that a refund began to the source that now tells of it."""
    tenant_id = acting_tenant(session)
    known: Id | None = await session.fetch_value(_BY_KEY, tenant_id, telling.source_key)
    if known is not None or not telling.order_id or telling.name:
        return known
    begun: Id | None = await session.fetch_value(_BEGUN_BY_REFUND, tenant_id, telling.order_id)
    if begun is not None:
        await session.execute(_ADOPT, tenant_id, begun, telling.source_key, telling.label)
    return begun


async def begin_return(session: Session, telling: Telling) -> Id:
    """Begin a return under the retailer's terms of today; the one that is there already, if so."""
    tenant_id = acting_tenant(session)
    row = (tenant_id, new_id(), telling.source_key, telling.label, telling.order_id)
    begun: Id | None = await session.fetch_value(_BEGIN, *row)
    if begun is None:
        known: Id = await session.fetch_value(_BY_KEY, tenant_id, telling.source_key)
        return known
    policy = (await terms_of(session)).policy
    at = min(fact.at for fact in telling.facts)
    fact = TermsKnown(key="terms", at=at, policy=policy)
    await add_facts(session, TenantScope(tenant_id, ACTOR), begun, [fact])
    return begun


__all__ = ["RETURN_TYPES", "begin_return", "mark_due", "take_returns"]
