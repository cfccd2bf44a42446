"""What the saga asks other systems to do, and the fact that each becomes once it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from app.retail.returns.facts import (
    Authorised,
    Book,
    Fact,
    HistoryTold,
    Move,
    PointsRefused,
    PointsReversed,
    Posted,
    PostingRefused,
    Refunded,
    RefundRefused,
    StockMoved,
    Told,
    Unserved,
)
from app.retail.returns.steps import StepId
from connectors.canonical.returns import PayBack


class _Work(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    pass


class Authorise(_Work, frozen=True, kw_only=True, tag="authorise"):
    """Give out a return number."""


class MoveStock(_Work, frozen=True, kw_only=True, tag="move_stock"):
    """Put goods where they were judged to belong; a change of judgement is two moves in one."""

    moves: tuple[Move, ...]


class PayRefund(_Work, frozen=True, kw_only=True, tag="pay_refund"):
    """Give money back."""

    paid: PayBack
    currency: str


class PostReversal(_Work, frozen=True, kw_only=True, tag="post_reversal"):
    """Reverse revenue, tax and goods value: differences by posting key; money balances tenders."""

    lines: dict[str, Decimal]
    currency: str
    book: Book = "erp"
    clears: bool = False


class ReversePoints(_Work, frozen=True, kw_only=True, tag="reverse_points"):
    """Take loyalty points back."""

    points: int


class TellHistory(_Work, frozen=True, kw_only=True, tag="tell_history"):
    """Tell the channel's order history, or the customer, how much went back in all."""

    to: Told
    refunded: Decimal
    currency: str


Work = Authorise | MoveStock | PayRefund | PostReversal | ReversePoints | TellHistory
STEP_OF: dict[type[Work], StepId] = {
    Authorise: "R2",
    MoveStock: "R5",
    PayRefund: "R7",
    PostReversal: "R8",
    ReversePoints: "R9",
    TellHistory: "R10",
}
CommandState = Literal["waiting", "leased", "done", "refused", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Command:
    """One piece of work that was issued; `key` is its idempotency key, the same at every attempt."""

    key: str
    part: str
    work: Work
    state: CommandState = "waiting"
    attempts: int = 0

    @property
    def may_have_happened(self) -> bool:
        """Say whether it was begun and nobody knows yet how it ended: it counts as done until then."""
        return self.state in {"waiting", "leased"} and self.attempts > 0

    @property
    def is_unbegun(self) -> bool:
        """Say whether it can still be withdrawn without anybody noticing."""
        return self.state in {"waiting", "leased"} and self.attempts == 0


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, now or at an earlier attempt; `reference` is the doer's id of it."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be done like this; `words` say why."""

    words: str


@dataclass(frozen=True, slots=True)
class Later:
    """It is not known to be done; the same key is tried again, after so many seconds if it says so."""

    words: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Nobody:
    """No connected system does this: a person must, or say that it was done elsewhere."""

    words: str


Outcome = Done | Refused | Later | Nobody


def fact_of(command: Command, outcome: Done | Refused, at: datetime) -> Fact | None:
    """Give the fact that an outcome is; None where a refusal changes nothing (it is tried again)."""
    key = f"command:{command.key}"
    if isinstance(outcome, Done):
        return _DONE[type(command.work)](command.work, key, outcome.reference, at)
    refused = _REFUSED.get(type(command.work))
    return refused(command.work, key, outcome.words, at) if refused else None


# What tells a refusal by a fact; everything else is tried again until it is done.
def _refund_refused(work: PayRefund, key: str, words: str, at: datetime) -> Fact:
    return RefundRefused(key=key, at=at, tender_id=work.paid.tender_id, words=words)


def _posting_refused(work: PostReversal, key: str, words: str, at: datetime) -> Fact:
    return PostingRefused(key=key, at=at, words=words, book=work.book)


def _points_refused(_work: ReversePoints, key: str, words: str, at: datetime) -> Fact:
    return PointsRefused(key=key, at=at, words=words)


def _history_refused(work: TellHistory, key: str, _words: str, at: datetime) -> Fact:
    return HistoryTold(key=key, at=at, to=work.to, refunded=work.refunded, is_known=False)


_REFUSED: dict[type[Work], Callable[[Any, str, str, datetime], Fact]] = {
    PayRefund: _refund_refused,
    PostReversal: _posting_refused,
    ReversePoints: _points_refused,
    TellHistory: _history_refused,
}
# Work of which a refusal leads on: another way, suspense, a person's decision.
CAN_BE_REFUSED: frozenset[type[Work]] = frozenset(_REFUSED)
_DONE: dict[type[Work], Callable[[Any, str, str, datetime], Fact]] = {
    Authorise: lambda _work, key, reference, at: Authorised(key=key, at=at, rma=reference),
    MoveStock: lambda work, key, reference, at: StockMoved(
        key=key, at=at, moves=work.moves, reference=reference
    ),
    PayRefund: lambda work, key, reference, at: Refunded(
        key=key, at=at, paid=work.paid, reference=reference
    ),
    PostReversal: lambda work, key, reference, at: Posted(
        key=key,
        at=at,
        lines=work.lines,
        reference=reference,
        book=work.book,
        clears=work.clears,
    ),
    ReversePoints: lambda work, key, reference, at: PointsReversed(
        key=key, at=at, points=work.points, reference=reference
    ),
    TellHistory: lambda work, key, _reference, at: HistoryTold(
        key=key, at=at, to=work.to, refunded=work.refunded
    ),
}


def unserved_fact(command: Command, words: str, at: datetime) -> Unserved:
    """Give the fact that nobody does a piece of work."""
    return Unserved(
        key=f"unserved:{command.key}",
        at=at,
        command=command.key,
        step=STEP_OF[type(command.work)],
        part=command.part,
        work=encode_work(command.work),
        words=words,
    )


_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER: msgspec.json.Decoder[Work] = msgspec.json.Decoder(Work)


def encode_work(work: Work) -> str:
    """Write a piece of work as JSON."""
    return _ENCODER.encode(work).decode()


def decode_work(raw: str) -> Work:
    """Read a piece of work that `encode_work` wrote."""
    return _DECODER.decode(raw)
