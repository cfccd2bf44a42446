"""Oversell cases: list them with what could be done, and decide them.

A rule proposes, a person (or a rule of the retailer's own) decides. The decision goes out as an event
of the retail core; whoever serves the order and writes to the customer takes it from there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.retail.voice import say
from connectors.canonical.event import OVERSELL_DECIDED, Event
from connectors.canonical.money import Money
from connectors.canonical.oversell import OversellDecision, OversellResolution
from infra import clock
from infra.database.unit import Row, Session
from infra.errors import Conflict, NotFound, Unprocessable
from infra.ids import Id
from infra.keys.vault import TenantKey
from tenants.audit import record

# Why there are no goods, in the words of the book and in those of people.
CAUSES = {
    "another_channel": "another channel sold it at the same time",
    "store": "a customer in a shop took it",
    "count": "a count found less than was on record",
    "stale_stock": "less was there than was on record",
}

_LIST = """
select o.id, o.sku, o.connection_id, c.name as channel, o.order_id, o.units, o.amount, o.currency,
    o.cause, o.state, o.resolution, o.found_at, o.ended_at, o.decided_by
from oversell_case o join connection c on c.tenant_id = o.tenant_id and c.id = o.connection_id
where o.tenant_id = $1 and ($2::uuid is null or o.id = $2) and ($3 = '' or o.state = $3)
    and ($4::uuid is null or o.id < $4)
order by o.id desc limit $5
"""
# Where the goods could come from: places that another channel does not keep for itself, and not what
# other orders without a place will take from any of them.
_ELSEWHERE = """
with spoken as (
    select sku, sum(quantity) as units from stock_position
    where tenant_id = $1 and sku = any ($2) and state = 'committed' and location like 'channel:%'
    group by sku
), free as (
    select p.sku, p.location, p.quantity, sum(p.quantity) over (partition by p.sku) as all_units
    from stock_position p
    left join stock_place s on s.tenant_id = p.tenant_id and s.location = p.location
    where p.tenant_id = $1 and p.sku = any ($2) and p.state = 'available' and p.quantity > 0
        and s.only_channel is null
)
select f.sku, f.location, least(f.quantity, f.all_units - coalesce(spoken.units, 0)) as quantity
from free f left join spoken on spoken.sku = f.sku
order by f.sku, quantity desc, f.location
"""
_COMING = """
select sku, sum(quantity) as units from stock_position
where tenant_id = $1 and sku = any ($2) and state in ('incoming', 'in_transit') and quantity > 0
group by sku
"""
_DECIDE = """
update oversell_case set state = 'resolved', resolution = $3, detail = $4::jsonb, ended_at = now(),
    decided_by = $5
where tenant_id = $1 and id = $2 and state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the rule proposes, in words, and the place that has the goods, if any has."""

    resolution: OversellResolution
    words: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class OversellCase:
    """An order without goods: what, how many, how much money, why, and what could be done."""

    id: Id
    sku: str
    connection_id: Id
    channel: str
    order_id: str
    units: Decimal
    amount: Decimal | None
    currency: str | None
    cause: str
    state: str
    resolution: str
    found_at: datetime
    ended_at: datetime | None
    decided_by: str
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Decision:
    """How a case ends; see `OversellDecision` for the parts."""

    resolution: OversellResolution
    location: str = ""
    substitute_sku: str = ""
    expected_at: datetime | None = None
    message: str = ""


async def list_cases(
    session: Session, state: str = "open", before: Id | None = None, limit: int = 50
) -> list[OversellCase]:
    """List cases, newest first, each with what the rule proposes; state '' lists all."""
    rows = await session.fetch(_LIST, acting_tenant(session), None, state, before, limit)
    return await _with_proposals(session, rows)


async def read_case(session: Session, case_id: Id) -> OversellCase:
    """Give one case; raises NotFound."""
    rows = await session.fetch(_LIST, acting_tenant(session), case_id, "", None, 1)
    if not rows:
        raise NotFound
    return (await _with_proposals(session, rows))[0]


async def resolve_case(
    session: Session, key: TenantKey, case_id: Id, decision: Decision
) -> OversellCase:
    """Decide a case and tell it to those who serve the order; ring the bell after the commit.

    Raises NotFound, Conflict when it was decided or its goods came, Unprocessable when the decision
    lacks what it needs.
    """
    _check(decision)
    case = await read_case(session, case_id)
    tenant_id = acting_tenant(session)
    actor = str(getattr(session.scope, "actor", ""))
    detail = {
        "location": decision.location,
        "substitute_sku": decision.substitute_sku,
        "expected_at": decision.expected_at.isoformat() if decision.expected_at else "",
        "message": decision.message,
    }
    decided = await session.execute(
        _DECIDE, tenant_id, case_id, decision.resolution, json.dumps(detail), actor
    )
    if not decided:
        words = "This case was decided before, or its goods came. Read it again."
        raise Conflict(words, code="oversell.decided")
    await say(session, key, [_event(case, decision)])
    summary = {"order": case.order_id, "sku": case.sku, "resolution": decision.resolution}
    await record(session, "stock.resolve_oversell", f"oversell:{case_id}", summary)
    return await read_case(session, case_id)


def _check(decision: Decision) -> None:
    needed = {
        "re_source": ("location", decision.location, "Name the place that sends the goods."),
        "substitute": ("substitute_sku", decision.substitute_sku, "Name the other article."),
        "cancel": ("message", decision.message, "Write what the customer is told."),
        "backorder": ("message", decision.message, "Write what the customer is told."),
    }
    name, value, words = needed[decision.resolution]
    if not value:
        raise Unprocessable(f"{words} The field `{name}` is empty.", code="oversell.incomplete")


async def _with_proposals(session: Session, rows: list[Row]) -> list[OversellCase]:
    tenant_id = acting_tenant(session)
    skus = sorted({row["sku"] for row in rows})
    elsewhere = await _elsewhere(session, tenant_id, skus)
    coming = {row["sku"]: row["units"] for row in await session.fetch(_COMING, tenant_id, skus)}
    return [OversellCase(**dict(row), proposal=_proposal(row, elsewhere, coming)) for row in rows]


async def _elsewhere(
    session: Session, tenant_id: UUID, skus: list[str]
) -> dict[str, list[tuple[str, Decimal]]]:
    found: dict[str, list[tuple[str, Decimal]]] = {}
    for row in await session.fetch(_ELSEWHERE, tenant_id, skus):
        found.setdefault(row["sku"], []).append((row["location"], row["quantity"]))
    return found


def _proposal(
    row: Row, elsewhere: dict[str, list[tuple[str, Decimal]]], coming: dict[str, Decimal]
) -> Proposal:
    """Propose the first that is possible: send it from elsewhere, wait for goods, cancel."""
    sku, units = row["sku"], row["units"]
    for location, quantity in elsewhere.get(sku, ()):
        if quantity >= units:
            words = f"{location} has {quantity.normalize():f} of {sku}. Let it send the goods."
            return Proposal("re_source", words, location)
    if coming.get(sku, Decimal(0)) >= units:
        words = f"{coming[sku].normalize():f} of {sku} are on their way. Let the customer wait."
        return Proposal("backorder", words)
    words = (
        f"No place has {sku} and none is on its way. Offer another article, or cancel with a word."
    )
    return Proposal("cancel", words)


def _event(case: OversellCase, decision: Decision) -> Event:
    now = clock.now()
    amount = None
    if case.amount is not None and case.currency:
        amount = Money(amount=round(case.amount, 2), currency=case.currency)
    return Event(
        type=OVERSELL_DECIDED,
        key=f"order:{case.order_id}",
        object_id=str(case.id),
        version="1",
        label=f"Order {case.order_id}: {decision.resolution} of {case.sku}",
        occurred_at=now,
        amount=amount,
        body=OversellDecision(
            case_id=str(case.id),
            channel=case.channel,
            order_id=case.order_id,
            sku=case.sku,
            quantity=case.units,
            resolution=decision.resolution,
            location=decision.location,
            substitute_sku=decision.substitute_sku,
            expected_at=decision.expected_at,
            message=decision.message,
            decided_at=now,
            amount=amount.amount if amount else None,
            currency=case.currency or "",
        ),
    )
