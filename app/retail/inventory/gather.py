"""From all that was told of one article to what is folded, and to the orders that still wait for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from app.retail.inventory.commitments import OrderGoods, Sent, Wanted, follow_order
from app.retail.inventory.facts import (
    AVAILABLE,
    CUSTOMER,
    ON_HAND_COUNT,
    Document,
    DocumentKey,
    Documents,
    StockFact,
)
from app.retail.inventory.fold import Count, Fact, Movement, State
from infra.ids import Id

# Counts that say how much can be sold.
SELLABLE_COUNTS = frozenset({AVAILABLE, ON_HAND_COUNT})


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit was sold for last."""

    amount: Decimal
    currency: str
    at: datetime


@dataclass(slots=True)
class Gathered:
    """One article: facts to fold, its orders by document, its last price, where it was sold."""

    facts: list[Fact] = field(default_factory=list)
    orders: dict[DocumentKey, OrderGoods] = field(default_factory=dict)
    price: Price | None = None
    # The last count of what can be sold at a location: (as of, how many seconds that may be off).
    counted: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    # What customers took: (when, location, how many); for how fast an article sells.
    sold: list[tuple[datetime, str, Decimal]] = field(default_factory=list)


def gather(told: Iterable[StockFact], documents: Documents) -> Gathered:
    """Let of each thing the telling count that ranks last, and follow orders through time."""
    found = Gathered()
    facts = _winning(told, documents)
    orders = {key for key, tellings in documents.items() if tellings[0].kind == "order"}
    sent: defaultdict[DocumentKey, list[Sent]] = defaultdict(list)
    wanted: defaultdict[DocumentKey, dict[bytes, Decimal]] = defaultdict(dict)
    named = {document: (connection_id, document) for connection_id, document in sorted(orders)}
    for fact in facts:
        _note_price(found, fact)
        key = (fact.connection_id, fact.document)
        if fact.kind == "order":
            wanted[key][fact.telling] = wanted[key].get(fact.telling, Decimal(0)) + fact.quantity
        elif fact.kind == "shipment":
            if fact.quantity > 0:
                sent[key].append(
                    Sent(fact.occurred_at, fact.quantity, fact.to_location, is_placed=False)
                )
        else:
            _take(found, fact)
            order = named.get(fact.document)
            if order is not None and _leaves_for_customer(fact):
                sent[order].append(
                    Sent(fact.occurred_at, fact.quantity, fact.from_location, is_placed=True)
                )
    for key in sorted({*wanted, *sent}):
        goods = follow_order(
            f"{key[0]}/{key[1]}", _wanted(documents.get(key, ()), wanted[key]), sent[key]
        )
        found.orders[key] = goods
        found.facts += goods.movements
    return found


def _winning(told: Iterable[StockFact], documents: Documents) -> list[StockFact]:
    """Leave out what was told otherwise later; orders keep all tellings, they state changes."""
    best: dict[tuple[Id, str], StockFact] = {}
    kept: list[StockFact] = []
    for fact in told:
        key = (fact.connection_id, fact.document)
        tellings = documents.get(key, ())
        if fact.kind == "order":
            kept.append(fact)
        elif fact.kind == "movement" and tellings and tellings[0].kind == "ticket":
            if max(tellings, key=_place_in_rank).telling == fact.telling:
                kept.append(fact)
        else:
            name = (fact.connection_id, fact.source_key)
            known = best.get(name)
            if known is None or _rank(known) < _rank(fact):
                best[name] = fact
    return [*kept, *best.values()]


def _rank(fact: StockFact) -> tuple[str, datetime, bytes]:
    return (fact.rank, fact.stated_at, fact.telling)


def _place_in_rank(told: Document) -> tuple[str, datetime, bytes]:
    return (told.rank, told.stated_at, told.telling)


def _place_in_time(told: Document) -> tuple[datetime, str, bytes]:
    return (told.stated_at, told.rank, told.telling)


def _wanted(tellings: Sequence[Document], quantities: dict[bytes, Decimal]) -> list[Wanted]:
    """Give what each telling of an order wants; an article that it leaves out it wants no more."""
    ordered = sorted(tellings, key=_place_in_time)
    return [
        Wanted(each.stated_at, each.location, quantities.get(each.telling, Decimal(0)))
        for each in ordered
    ]


def _take(found: Gathered, fact: StockFact) -> None:
    name = f"{fact.connection_id}/{fact.source_key}"
    if fact.kind == "count":
        as_of = fact.occurred_at - timedelta(seconds=fact.uncertainty_s)
        state = cast("State", fact.to_state)
        found.facts.append(Count(name, fact.quantity, fact.to_location, state, as_of))
        if fact.to_state in SELLABLE_COUNTS:
            known = found.counted.get(fact.to_location, (as_of, 0))
            found.counted[fact.to_location] = max(known, (as_of, fact.uncertainty_s))
        return
    if fact.quantity <= 0:
        return
    found.facts.append(
        Movement(
            name,
            fact.quantity,
            (fact.from_location, cast("State", fact.from_state)),
            (fact.to_location, cast("State", fact.to_state)),
            fact.occurred_at,
        )
    )
    if fact.to_location == CUSTOMER:
        found.sold.append((fact.occurred_at, fact.from_location, fact.quantity))


def _leaves_for_customer(fact: StockFact) -> bool:
    return fact.kind == "movement" and fact.to_location == CUSTOMER and fact.quantity > 0


def _note_price(found: Gathered, fact: StockFact) -> None:
    if fact.unit_price is None or fact.currency is None:
        return
    if found.price is None or (found.price.at, found.price.amount) < (
        fact.occurred_at,
        fact.unit_price,
    ):
        found.price = Price(fact.unit_price, fact.currency, fact.occurred_at)
