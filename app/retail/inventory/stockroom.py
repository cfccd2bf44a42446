"""Read everything that says how articles stand: facts, orders, reservations, rules, places, kits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from app.retail.inventory.channels import Kit, PlaceRule, PoolRule, Rules
from app.retail.inventory.fact_book import read_documents, read_facts
from app.retail.inventory.facts import Document, DocumentKey, StockFact
from app.retail.inventory.kits import KitBook, kits_near
from app.retail.inventory.promise import ChannelRule
from app.retail.inventory.shelf import Kept, Shelf, shelf_of
from infra import clock
from infra.database.unit import Row, Session

# A reservation keeps goods until its order itself is known; one that was converted for an order that
# never comes gives them back after a day.
_KEPT = """
select r.sku, r.connection_id, r.location, r.quantity from reservation r
where r.tenant_id = $1 and r.sku = any ($2)
    and (r.state = 'held' or r.state = 'converted' and r.ended_at > now() - interval '1 day')
    and (r.order_id = '' or not exists (
        select from stock_document d where d.tenant_id = r.tenant_id
            and d.connection_id = r.connection_id and d.document = r.order_id))
"""
_RULES = """
select connection_id, sku, pool, share_0_1, safety_units, publish_from, publish_most,
    self_decrements
from channel_rule where tenant_id = $1 and sku = any ($2)
"""
_PLACES = """
select location, dark_since is not null as is_dark, dark_keeps, only_channel from stock_place
where tenant_id = $1 and (dark_since is not null or only_channel is not null)
"""


@dataclass(frozen=True, slots=True)
class Stockroom:
    """Some articles with all that decides what may be shown of them; kits are among them."""

    skus: tuple[str, ...]
    shelves: Mapping[str, Shelf]
    rules: Rules


async def open_stockroom(session: Session, tenant_id: UUID, skus: Sequence[str]) -> Stockroom:
    """Read and fold articles, those that share a kit with them, and the kits.

    `skus` of the result: those asked for, and all kits whose number may change with them.
    """
    book = await kits_near(session, tenant_id, skus)
    now = clock.now()
    kits = {sku: parts for sku in book.kits() if (parts := book.at(sku, now)) is not None}
    touched = _touched(kits, skus)
    needed = sorted({*skus, *touched, *(part for sku in touched for part, _ in kits.get(sku, ()))})
    kept = await _kept(session, tenant_id, needed, book, kits)
    facts = await read_facts(session, tenant_id, needed)
    documents = _by_article(await read_documents(session, tenant_id, needed), facts)
    shelves = {
        sku: shelf_of(sku, facts.get(sku, ()), documents[sku], kept.get(sku, ())) for sku in needed
    }
    rules = await _rules(session, tenant_id, sorted({*needed, ""}), kits)
    return Stockroom(tuple(sorted({*skus, *touched})), shelves, rules)


def _touched(kits: Mapping[str, Kit], skus: Sequence[str]) -> set[str]:
    changed = set(skus)
    return {
        sku
        for sku, parts in kits.items()
        if sku in changed or changed & {part for part, _ in parts}
    }


def _by_article(
    documents: Mapping[DocumentKey, list[Document]], facts: Mapping[str, Sequence[StockFact]]
) -> defaultdict[str, dict[DocumentKey, list[Document]]]:
    found: defaultdict[str, dict[DocumentKey, list[Document]]] = defaultdict(dict)
    for sku, told in facts.items():
        for fact in told:
            key = (fact.connection_id, fact.document)
            if key in documents:
                found[sku][key] = documents[key]
    return found


async def _kept(
    session: Session,
    tenant_id: UUID,
    skus: Sequence[str],
    book: KitBook,
    kits: Mapping[str, Kit],
) -> Mapping[str, Sequence[Kept]]:
    """Read what is kept for buyers; a kit that is kept keeps its parts."""
    asked = sorted({*skus, *book.kits()})
    found: defaultdict[str, list[Kept]] = defaultdict(list)
    for row in await session.fetch(_KEPT, tenant_id, asked):
        parts: Kit = kits.get(row["sku"]) or ((row["sku"], Decimal(1)),)
        for part, of_one in parts:
            kept = Kept(row["connection_id"], row["location"], row["quantity"] * of_one)
            found[part].append(kept)
    return found


async def _rules(
    session: Session, tenant_id: UUID, skus: Sequence[str], kits: Mapping[str, Kit]
) -> Rules:
    channels = await session.fetch(_RULES, tenant_id, skus)
    places = await session.fetch(_PLACES, tenant_id)
    return Rules(
        {(row["connection_id"], row["sku"]): _rule(row) for row in channels},
        {
            row["location"]: PlaceRule(row["is_dark"], row["dark_keeps"], row["only_channel"])
            for row in places
        },
        kits,
    )


def _rule(row: Row) -> PoolRule:
    return PoolRule(
        row["connection_id"],
        row["sku"],
        tuple(row["pool"]),
        row["safety_units"],
        ChannelRule(
            row["share_0_1"], row["publish_from"], row["publish_most"], row["self_decrements"]
        ),
    )
