"""A piece of work as the canonical event that asks for it: which type, under which names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.retail.returns.act import Task
from app.retail.returns.work import (
    Authorise,
    MoveStock,
    PayRefund,
    PostReversal,
    ReversePoints,
    TellHistory,
    Work,
)
from connectors.canonical.event import (
    RETURN_CASH_DUE,
    RETURN_CREDIT_DUE,
    RETURN_CUSTOMER_DUE,
    RETURN_HISTORY_DUE,
    RETURN_NUMBER_DUE,
    RETURN_POINTS_DUE,
    RETURN_REFUND_DUE,
    RETURN_REVERSAL_DUE,
    RETURN_STOCK_DUE,
    Event,
)
from connectors.canonical.money import Money
from connectors.canonical.return_step import ReturnStep, ReturnTask, StepMove, StepPosting

TYPES: dict[ReturnTask, str] = {
    "number": RETURN_NUMBER_DUE,
    "stock": RETURN_STOCK_DUE,
    "refund": RETURN_REFUND_DUE,
    "credit": RETURN_CREDIT_DUE,
    "cash": RETURN_CASH_DUE,
    "reversal": RETURN_REVERSAL_DUE,
    "points": RETURN_POINTS_DUE,
    "history": RETURN_HISTORY_DUE,
    "customer": RETURN_CUSTOMER_DUE,
}
# What a person is told when no connected system does it.
BY_HAND: dict[ReturnTask, str] = {
    "number": "No system gives out return numbers.",
    "stock": "No system is connected that moves the stock of returns.",
    "refund": "No system is connected that pays back by card or account.",
    "credit": "No system is connected that gives store credit, gift cards or exchange credit.",
    "cash": "Cash can only be given back by a person.",
    "reversal": "No books are connected that take reversals of returns.",
    "points": "No system is connected that takes loyalty points back.",
    "history": "No shop is connected that keeps the history of returns.",
    "customer": "No system is connected that tells the customer.",
}
STORED = frozenset({"gift_card", "store_credit", "voucher", "exchange"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the task, in words with its money, and the fields it needs."""

    task: ReturnTask
    words: str
    fields: dict[str, Any]


def wish_of(work: Work) -> Wish:
    """Say what a piece of work asks of which kind of system."""
    match work:
        case Authorise():
            return Wish("number", "give out a return number", {})
        case MoveStock(moves=moves):
            pieces = sum(move.quantity for move in moves if move.quantity > 0)
            told = tuple(
                StepMove(line_id=move.line_id, sku=move.sku, location=move.location,
                         state=move.state, quantity=move.quantity)
                for move in moves
            )  # fmt: skip
            return Wish("stock", f"move {pieces} pieces", {"moves": told})
        case PayRefund(paid=paid, currency=currency):
            words = f"pay {paid.amount} {currency} back by {paid.kind.replace('_', ' ')}"
            return Wish(_paid_by(paid.kind), words, {"paid": paid})
        case PostReversal(lines=lines, book=book, clears=clears):
            postings = tuple(StepPosting(key=key, amount=each) for key, each in lines.items())
            fields = {"postings": postings, "book": book, "clears": clears}
            return Wish("reversal", "reverse the sale in the books", fields)
        case ReversePoints(points=points):
            return Wish("points", f"take {points} points back", {"points": points})
        case TellHistory(to=to, refunded=refunded):
            task: ReturnTask = "history" if to == "channel" else "customer"
            return Wish(task, f"tell the {to}", {"refunded": refunded})


def event_of(task: Task) -> Event:
    """Write the event that asks for a piece of work; the same at every repeat.

    Each part of a step has a lane of its own: what one system refuses keeps nothing else waiting.
    What is asked for again after a refusal is another version, and so another delivery.
    """
    wish, request = wish_of(task.work), task.request
    currency = getattr(task.work, "currency", "") or request.currency
    step = ReturnStep(
        step_id=task.key,
        return_id=request.return_id,
        number=request.number,
        kind=request.kind,
        task=wish.task,
        asked_at=task.issued_at,
        order_id=request.order_id,
        rma=task.rma,
        has_receipt=task.has_receipt,
        currency=currency,
        **wish.fields,
    )
    amount = Money(amount=step.paid.amount, currency=currency) if step.paid else None
    return Event(
        type=TYPES[wish.task],
        key=f"return:{task.key.rpartition(':')[0]}",
        object_id=task.key,
        version=str(task.refusals + 1),
        label=f"Return {request.number}: {wish.words}",
        occurred_at=task.issued_at,
        amount=amount,
        body=step,
    )


def by_hand(task: Task) -> str:
    """Say to a person what is to be done where nobody is connected who does it."""
    wish = wish_of(task.work)
    return (
        f"{BY_HAND[wish.task]} Return {task.request.number}: {wish.words}, then say that it was"
        " done; or install a flow and ask again."
    )


def _paid_by(kind: str) -> ReturnTask:
    if kind in STORED:
        return "credit"
    return "cash" if kind == "cash" else "refund"
