"""A till's ticket with lines taken back: goods, money and stock were done at the till already."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from app.retail.returns.bookings import wanted_lines
from app.retail.returns.facts import (
    Fact,
    HistoryTold,
    Inspected,
    Move,
    Opened,
    Posted,
    Received,
    Refunded,
    SaleKnown,
    StockMoved,
)
from app.retail.returns.fold import fold
from app.retail.returns.money import standing
from app.retail.returns.sale import PaidTender, Sale, SoldLine
from connectors.canonical.order import Line, Order, Tax
from connectors.canonical.returns import PayBack, Return, ReturnLine

ZERO = Decimal(0)
SHELF = "available"


def return_of_ticket(ticket: Order) -> Return | None:
    """Give what a ticket took back; None for a sale, a void and a test."""
    lines = _taken_back(ticket)
    if not lines or ticket.cancels or ticket.is_test:
        return None
    return Return(
        return_id=ticket.order_id,
        number=ticket.number,
        kind="in_store",
        currency=ticket.currency,
        initiated_at=ticket.placed_at,
        business_day=ticket.business_day,
        location=ticket.store,
        lines=tuple(
            ReturnLine(line_id=line.line_id, sku=line.sku, title=line.title,
                       requested=-line.quantity, reason="till")
            for line in lines
        ),
    )  # fmt: skip


def ticket_facts(ticket: Order, request: Return, key: Callable[[str], str]) -> tuple[Fact, ...]:
    """Give all that a till did: nothing is left to do but to know it.

    A ticket that does not name its sale is its own: what the till paid is what the goods are worth.
    """
    at, store = ticket.placed_at, ticket.store or ""
    worth = {line.line_id: line.requested for line in request.lines}
    facts: list[Fact] = [
        Opened(key=key("opened"), at=at, request=request),
        SaleKnown(key=key("sale"), at=at, sale=_sale(ticket)),
        Received(key=key("received"), at=at, lines=worth, location=store),
        *(
            Inspected(key=key(f"inspected:{line.line_id}"), at=at, inspection=line.line_id,
                      line_id=line.line_id, quantity=line.requested, disposition="restock",
                      location=store)
            for line in request.lines
        ),
        StockMoved(key=key("moved"), at=at, moves=_moves(request, store),
                   reference=ticket.order_id),
        *(
            Refunded(key=key(f"refunded:{place}"), at=at, paid=paid,
                     reference=f"{ticket.order_id}/{place}", is_all=True)
            for place, paid in enumerate(_paid(ticket), 1)
        ),
    ]  # fmt: skip
    refunded = sum((each.amount for each in _paid(ticket)), ZERO)
    case = fold(facts)
    booked = wanted_lines(case, standing(case, goods_are_final=True))
    return (
        *facts,
        # The journal of the store day books its tickets, those that take goods back among them.
        Posted(key=key("posted"), at=at, lines=dict(booked), reference=f"day:{ticket.order_id}"),
        HistoryTold(key=key("told"), at=at, to="customer", refunded=refunded),
    )


def _taken_back(ticket: Order) -> list[Line]:
    return [line for line in ticket.lines if line.quantity < 0 and not line.is_voided]


def _sale(ticket: Order) -> Sale:
    lines = tuple(
        SoldLine(
            line_id=line.line_id,
            sku=line.sku,
            quantity=-line.quantity,
            net=-(line.gross - sum((tax.amount for tax in line.taxes), ZERO)),
            taxes=tuple(Tax(name=t.name, rate=t.rate, amount=-t.amount) for t in line.taxes),
        )
        for line in _taken_back(ticket)
    )
    paid = PaidTender(tender_id="till", kind="other", amount=_worth(ticket))
    return Sale(
        order_id=None,
        currency=ticket.currency,
        sold_at=ticket.placed_at,
        lines=lines,
        tenders=(paid,),
    )


def _worth(ticket: Order) -> Decimal:
    return -sum((line.gross for line in _taken_back(ticket)), ZERO)


def _paid(ticket: Order) -> list[PayBack]:
    """Give how the worth went back: against new goods first, then by tender, the rest is rounding."""
    worth = _worth(ticket)
    bought = sum(
        (line.gross for line in ticket.lines if line.quantity > 0 and not line.is_voided), ZERO
    )
    parts = [PayBack(tender_id="exchange", kind="exchange", amount=min(worth, bought))]
    parts += [
        PayBack(tender_id=each.reference or each.kind, kind=each.kind, amount=-each.amount)
        for each in ticket.tenders
        if each.amount < 0 and each.kind not in {"change", "rounding"}
    ]
    rest = worth - sum((each.amount for each in parts), ZERO)
    parts.append(PayBack(tender_id="rounding", kind="rounding", amount=rest))
    return [each for each in parts if each.amount]


def _moves(request: Return, store: str) -> tuple[Move, ...]:
    """Give the stock that the ticket itself moves: back on the shelf of its store."""
    return tuple(
        Move(line_id=line.line_id, sku=line.sku, location=store, state=SHELF,
             quantity=line.requested)
        for line in request.lines
        if line.sku is not None
    )  # fmt: skip
