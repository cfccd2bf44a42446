"""What other systems tell about returns, as facts: pure, one telling for each event that is about one.

A key names who told what in which version, so that the same telling counts once; of several versions
of one object the latest counts, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.retail.returns.facts import Fact, Inspected, Move, Opened, Received, Refunded, StockMoved
from app.retail.returns.tell_ticket import return_of_ticket, ticket_facts
from app.retail.told import Told
from connectors.canonical.event import (
    ORDER_REFUNDED,
    RETURN_TOLD,
    STOCK_MOVEMENT,
    TILL_SALE,
)
from connectors.canonical.inventory import NO_PLACE_OF_OURS, InventoryMovement
from connectors.canonical.order import Order, Refund
from connectors.canonical.returns import Disposition, PayBack, Return, ReturnLine

# What a movement of returned goods says about them; other states were not judged yet.
JUDGED: dict[str, Disposition] = {"available": "restock", "damaged": "damaged"}


@dataclass(frozen=True, slots=True)
class Telling:
    """Facts about one return: of which source, of which order, and what it is called.

    `name`: by what one that is known is found: the refund in it, its number, its source's id.
    """

    source_key: str
    facts: tuple[Fact, ...]
    label: str
    order_id: str = ""
    name: str = ""


def tellings(told: Told) -> Iterator[Telling]:
    """Give what an event says about a return; most events say nothing."""
    teller = _TELLERS.get(told.event.type)
    found = teller(told, told.event.body) if teller is not None else None
    if found is not None:
        yield found


def fact_key(told: Told, what: str) -> str:
    """Name a fact so that the same telling has the same name, and later versions sort behind."""
    event = told.event
    version = event.version.zfill(20) if event.version.isdecimal() else event.version
    place = f"{told.connection_id}:{event.object_id}:{version}:{told.revision}"
    return f"{event.type}:{place}:{what}"


def _return(told: Told, of: Return) -> Telling:
    at, source = told.event.occurred_at, str(told.connection_id)
    facts: list[Fact] = [Opened(key=fact_key(told, "opened"), at=at, request=of)]
    if any(line.received or line.dismissed for line in of.lines):
        facts.append(
            Received(
                key=fact_key(told, "received"),
                at=at,
                lines={line.line_id: line.received for line in of.lines if line.received},
                dismissed={line.line_id: line.dismissed for line in of.lines if line.dismissed},
                location=of.location or "",
                source=source,
                is_total=True,
            )
        )
    facts += [_judged(told, of, line) for line in of.lines if line.disposition and line.received]
    return Telling(
        f"{source}/{of.return_id}", tuple(facts), f"Return {of.number}", of.order_id or ""
    )


def _judged(told: Told, of: Return, line: ReturnLine) -> Inspected:
    source = str(told.connection_id)
    assert line.disposition is not None  # noqa: S101 - the caller looked
    return Inspected(
        key=fact_key(told, f"inspected:{line.line_id}"),
        at=told.event.occurred_at,
        inspection=f"{source}:{line.line_id}",
        line_id=line.line_id,
        quantity=line.received,
        disposition=line.disposition,
        location=line.restock_location or of.location or "",
        source=source,
    )


def _refund(told: Told, of: Refund) -> Telling:
    """Money that went back already: a fact, whoever decided it.

    A marketplace's refund of goods lets expect them. Any other is kept for the return that may be told
    later; one without goods only counts in what the order has left.
    """
    facts: list[Fact] = [
        Refunded(
            key=fact_key(told, f"refunded:{place}"),
            at=of.happened_at,
            paid=paid,
            reference=of.refund_id if place == 1 else f"{of.refund_id}/{place}",
            is_all=bool(of.lines),
        )
        for place, paid in enumerate(_paid(of), 1)
    ]
    if of.lines and any(each.kind == "marketplace" for each in of.tenders):
        request = _asked_by_refund(of)
        opened = Opened(key=fact_key(told, "opened"), at=of.happened_at, request=request,
                        is_derived=True)  # fmt: skip
        facts.insert(0, opened)
    place = "refund" if of.lines else "payment"
    source_key = f"{place}:{told.connection_id}/{of.refund_id}"
    label = f"Refund {of.refund_id}"
    return Telling(source_key, tuple(facts), label, of.order_id, of.refund_id)


def _paid(of: Refund) -> list[PayBack]:
    if not of.tenders:
        return [PayBack(tender_id="", kind="other", amount=abs(of.amount))]
    return [
        PayBack(tender_id=each.reference or each.kind, kind=each.kind, amount=abs(each.amount))
        for each in of.tenders
        if each.amount
    ]


def _asked_by_refund(of: Refund) -> Return:
    """Make the return that a refund of goods lets expect, when a channel paid before all else."""
    lines = tuple(
        ReturnLine(
            line_id=line.line_id,
            order_line_id=line.line_id,
            sku=line.sku,
            title=line.title,
            requested=abs(line.quantity),
            reason="refunded",
        )
        for line in of.lines
        if line.quantity
    )
    return Return(
        return_id=of.refund_id,
        number=of.refund_id,
        kind="marketplace",
        order_id=of.order_id,
        currency=of.currency,
        initiated_at=of.happened_at,
        lines=lines,
    )


def _movement(told: Told, of: InventoryMovement) -> Telling | None:
    """Goods of a return that somebody moved: that they are there, where, and as what."""
    if of.reason != "return" or not of.document:
        return None
    if of.to_place.location in NO_PLACE_OF_OURS:
        return None
    return Telling("", tuple(_moved(told, of)), "", name=of.document)


def _moved(told: Told, of: InventoryMovement) -> Iterator[Fact]:
    at, line_id, source = of.occurred_at, f"sku:{of.sku}", str(told.connection_id)
    to, origin = of.to_place, of.from_place
    has_come = origin.location in NO_PLACE_OF_OURS
    moves = [_move(line_id, of.sku, to.location, to.state, of)]
    if has_come:
        yield Received(key=fact_key(told, "received"), at=at, lines={line_id: of.quantity},
                       location=to.location, source=source)  # fmt: skip
    else:
        moves.insert(0, _move(line_id, of.sku, origin.location, origin.state, of, sign=-1))
    disposition = JUDGED.get(to.state)
    if disposition is not None:
        yield Inspected(
            key=fact_key(told, "inspected"),
            at=at,
            inspection=f"{source}:{of.movement_id}",
            line_id=line_id,
            quantity=of.quantity,
            disposition=disposition,
            location=to.location,
            source=source,
        )
    yield StockMoved(
        key=fact_key(told, "moved"), at=at, moves=tuple(moves), reference=of.movement_id
    )


def _move(
    line_id: str, sku: str, location: str, state: str, of: InventoryMovement, *, sign: int = 1
) -> Move:
    return Move(
        line_id=line_id, sku=sku, location=location, state=state, quantity=of.quantity * sign
    )


def _ticket(told: Told, of: Order) -> Telling | None:
    """A till ticket that takes goods back: they came, they were paid for, the day's journal books it."""
    request = return_of_ticket(of)
    if request is None:
        return None
    source_key = f"{told.connection_id}/{of.order_id}"
    facts = ticket_facts(of, request, lambda what: fact_key(told, what))
    return Telling(source_key, facts, told.event.label)


_TELLERS: dict[str, Callable[[Told, Any], Telling | None]] = {
    RETURN_TOLD: _return,
    ORDER_REFUNDED: _refund,
    STOCK_MOVEMENT: _movement,
    TILL_SALE: _ticket,
}
RETURN_TYPES = frozenset(_TELLERS)
