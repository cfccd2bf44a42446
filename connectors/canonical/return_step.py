"""One step of a return that another system is asked to do, or a person where none is connected."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from connectors.canonical.returns import PayBack, ReturnKind

ReturnTask = Literal[
    "number", "stock", "refund", "credit", "cash", "reversal", "points", "history", "customer",
]  # fmt: skip


class StepMove(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods put to a place and state; a negative quantity takes them back from there."""

    line_id: str
    sku: str
    location: str
    state: str
    quantity: Decimal


class StepPosting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A difference under one posting key: `money:` by reason, `tender:` by way of payment, `goods:`."""

    key: str
    amount: Decimal


class ReturnStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked for, once: the same `step_id` twice must have its effect once.

    Filled is what `task` needs: `moves` for stock; `paid` for refund (card, wallet, account), credit
    (stored value, exchange) and cash; `postings` and `book` for the reversal, where `clears` takes
    them out of suspense; `points`; `refunded`, all that went back so far, for history and customer.
    `has_receipt` is false where the policy's price stands for the sale.
    """

    step_id: str
    return_id: str
    number: str
    kind: ReturnKind
    task: ReturnTask
    asked_at: datetime
    order_id: str | None = None
    rma: str = ""
    has_receipt: bool = True
    currency: str = ""
    moves: tuple[StepMove, ...] = ()
    paid: PayBack | None = None
    postings: tuple[StepPosting, ...] = ()
    book: Literal["erp", "suspense"] = "erp"
    clears: bool = False
    points: int = 0
    refunded: Decimal | None = None
