"""Take what events say about stock into the book of facts; nothing is worked out here.

What is taken again is the same fact. Articles that it touches are marked as due, and the keeper folds
them. An article that nobody knows is no reason to hold a sale: its line has money and no stock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.retail.breaks import Seen, see_breaks
from app.retail.inventory.fact_book import mark_due, telling_of, write_facts
from app.retail.inventory.facts import Document, StockFact, is_account, with_telling
from app.retail.inventory.fold import VIRTUAL
from app.retail.inventory.guard import hold_mass_zero
from app.retail.inventory.kits import KitBook, kits_near
from app.retail.inventory.said import Booking, Heard, Said
from app.retail.inventory.telling import TAKES, hear
from app.retail.inventory.units import Units, UnitUnknown, in_base_unit, units_of
from app.retail.told import Told
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

UNIT_BREAK = "stock_unit_unknown"

# A channel that only one place serves books its orders there.
_BOOKING = """
select connection_id, pool[1] as location from channel_rule
where tenant_id = $1 and sku = '' and cardinality(pool) = 1
"""
_HEARD = """
insert into stock_place (tenant_id, location, heard_at)
select $1, * from unnest($2::text[], $3::timestamptz[])
on conflict (tenant_id, location) do update set heard_at = excluded.heard_at
where stock_place.heard_at is null or stock_place.heard_at < excluded.heard_at
"""


@dataclass(slots=True)
class Taking:
    """What one batch says: facts by event, tellings of documents, what cannot be taken."""

    facts: dict[Id, list[StockFact]] = field(default_factory=dict)
    documents: dict[Id, Document] = field(default_factory=dict)
    holds: dict[Id, HoldRecord] = field(default_factory=dict)
    breaks: list[Seen] = field(default_factory=list)


async def take_stock(
    session: Session, key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Record what a batch of events says about stock; gives what must be held, by event."""
    del key
    tenant_id = acting_tenant(session)
    booking = {
        row["connection_id"]: row["location"] for row in await session.fetch(_BOOKING, tenant_id)
    }
    taking = Taking()
    heard = _hear_all(told, booking, taking)
    skus = sorted({said.fact.sku for each in heard.values() for said in each.said})
    if skus:
        kits = await kits_near(session, tenant_id, skus)
        units = await units_of(session, tenant_id, skus)
        for event_id, each in heard.items():
            _settle(event_id, each, kits, units, taking)
    taking.documents = {
        event_id: each.document for event_id, each in heard.items() if each.document is not None
    }
    taking.holds.update(await hold_mass_zero(session, tenant_id, told, taking.facts))
    await _write(session, tenant_id, told, taking)
    return taking.holds


def _hear_all(told: Sequence[Told], booking: Booking, taking: Taking) -> dict[Id, Heard]:
    heard: dict[Id, Heard] = {}
    for each in told:
        if each.event.type not in TAKES:
            continue
        try:
            heard[each.event_id] = hear(each, booking)
        except HoldRecord as hold:
            taking.holds[each.event_id] = hold
    return heard


def _settle(
    event_id: Id, heard: Heard, kits: KitBook, units: Mapping[str, Units], taking: Taking
) -> None:
    """Bring what an event says into base units and down to the parts of kits."""
    facts: list[StockFact] = []
    for said in heard.said:
        try:
            facts += _in_parts(said, kits, units)
        except UnitUnknown as fault:
            if not said.is_of_sale:
                taking.holds[event_id] = HoldRecord(fault.code, "/uom", fault.words)
                return
            # The sale is real whatever the unit: it goes on, and its stock waits for a person.
            taking.breaks.append(Seen(UNIT_BREAK, f"{said.fact.sku}/{said.uom}", fault.words))
    telling = telling_of(facts, heard.document)
    if heard.document is not None:
        facts = [with_telling(fact, telling, event_id) for fact in _summed(facts)]
    else:
        facts = [with_telling(fact, telling_of([fact], None), event_id) for fact in facts]
    taking.facts[event_id] = facts


def _in_parts(said: Said, kits: KitBook, units: Mapping[str, Units]) -> Iterable[StockFact]:
    fact = said.fact
    quantity = in_base_unit(fact.sku, fact.quantity, said.uom, units.get(fact.sku))
    parts = kits.at(fact.sku, fact.occurred_at) if fact.kind != "count" else None
    if parts is None:
        return [replace(fact, quantity=quantity)]
    # A kit that moves is its parts moving; what a part was sold for nobody says.
    return [
        replace(
            *(fact,),
            sku=part,
            quantity=quantity * of_one,
            source_key=f"{fact.source_key}/{fact.sku}",
            unit_price=None,
            currency=None,
        )
        for part, of_one in parts
    ]


def _summed(facts: Sequence[StockFact]) -> list[StockFact]:
    """Let an order state each article once, however many lines it has."""
    found: dict[tuple[str, str], StockFact] = {}
    for fact in facts:
        name = (fact.sku, fact.source_key)
        known = found.get(name)
        if known is not None:
            fact = replace(known, quantity=known.quantity + fact.quantity)  # noqa: PLW2901
        found[name] = fact
    return list(found.values())


async def _write(session: Session, tenant_id: UUID, told: Sequence[Told], taking: Taking) -> None:
    documents = []
    facts: list[StockFact] = []
    heard: dict[str, datetime] = {}
    for each in told:
        if each.event_id in taking.holds:
            continue
        own = taking.facts.get(each.event_id, [])
        document = taking.documents.get(each.event_id)
        if document is not None:
            telling = own[0].telling if own else telling_of([], document)
            documents.append(replace(document, telling=telling))
        facts += own
        _note_places(each, own, heard)
    due = await write_facts(session, tenant_id, facts, documents)
    await mark_due(session, tenant_id, due)
    if heard:
        places = sorted(heard)
        await session.execute(_HEARD, tenant_id, places, [heard[place] for place in places])
    await see_breaks(session, tenant_id, taking.breaks)


def _note_places(told: Told, facts: Sequence[StockFact], heard: dict[str, datetime]) -> None:
    """Note as of when places were heard of: news of three hours ago say nothing about now."""
    for fact in facts:
        if fact.kind in {"order", "shipment"}:
            continue
        at = min(fact.occurred_at, told.received_at)
        for location in (fact.from_location, fact.to_location):
            if location and location not in VIRTUAL and not is_account(location):
                heard[location] = max(heard.get(location, at), at)
