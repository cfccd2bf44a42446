"""What is sent about returns: a new one, a fact that a person saw, an answer, the terms."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import Field, StringConstraints

from app.api.decisions import CLEAN
from app.api.shapes import Moment, Request
from app.retail.returns.facts import Inspected, Policy, Received, Refunded, RefundRefused
from app.retail.returns.tell_by_hand import ByHand
from app.retail.returns.terms import MAY_BE_ELSEWHERE, Terms
from connectors.canonical.returns import (
    Disposition,
    Exchange,
    PayBack,
    PayBackKind,
    Return,
    ReturnKind,
    ReturnLine,
)
from infra import clock
from infra.errors import FieldError, Unprocessable
from infra.ids import new_id

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=CLEAN)]
Words = Annotated[str, StringConstraints(max_length=500, pattern=CLEAN)]
Quantity = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=13, decimal_places=6)]
Amount = Annotated[Decimal, Field(gt=0, le=10_000_000, max_digits=12, decimal_places=3)]
Fee = Annotated[Decimal, Field(ge=0, le=10_000_000, max_digits=12, decimal_places=3)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
LINES_MAX = 500
_T = TypeVar("_T")


class ReturnLineRequest(Request):
    """One line that comes back."""

    line_id: Name
    order_line_id: Name | None = Field(default=None, description="Left out without a receipt.")
    sku: Name | None = None
    title: Words = ""
    quantity: Quantity
    reason: Words = ""


class ExchangeRequest(Request):
    """The new order that is given for the goods."""

    order_id: Name
    total: Amount


class StartReturnRequest(Request):
    """Start a return in a store or by a portal; without `order_id` there is no receipt."""

    return_id: Name | None = Field(
        default=None, description="Your own id; the same id twice is one return."
    )
    number: Name | None = None
    kind: ReturnKind
    order_id: Name | None = None
    currency: Currency
    initiated_at: Moment | None = None
    location: Name | None = None
    is_gift: bool = False
    lines: list[ReturnLineRequest] = Field(min_length=1, max_length=LINES_MAX)
    exchange: ExchangeRequest | None = None

    def as_return(self) -> Return:
        """Make the canonical return; what was left out gets an id and the moment of today."""
        return_id = self.return_id or new_id().hex[-12:].upper()
        return Return(
            return_id=return_id,
            number=self.number or return_id,
            kind=self.kind,
            order_id=self.order_id,
            currency=self.currency,
            initiated_at=self.initiated_at or clock.now(),
            location=self.location,
            is_gift=self.is_gift,
            lines=tuple(_line(each) for each in self.lines),
            exchange=None
            if self.exchange is None
            else Exchange(order_id=self.exchange.order_id, total=self.exchange.total),
        )


class TellReturnRequest(Request):
    """One thing a person saw. What is needed depends on `kind`.

    `received` and `inspected`: `line_id`, `quantity`, and `disposition` and `location` to judge it.
    `dismissed`: `line_id` and `quantity`, for what came but is not what was announced.
    `refunded`: `tender`, `amount`; `refund_failed`: `tender_id`, `words`, and `reference` if known.
    """

    kind: Literal["received", "dismissed", "inspected", "refunded", "refund_failed"]
    key: Name | None = Field(
        default=None, description="Your own id; the same id twice is one fact."
    )
    at: Moment | None = None
    line_id: Name | None = None
    quantity: Quantity | None = None
    disposition: Disposition | None = None
    location: Name | None = None
    tender: PayBackKind | None = None
    tender_id: Name | None = None
    amount: Amount | None = None
    reference: Name | None = None
    words: Words = ""

    def as_fact(self) -> ByHand:
        """Make the fact; raises Unprocessable for what is missing."""
        key, at = f"person:{self.key or new_id()}", self.at or clock.now()
        match self.kind:
            case "received":
                return Received(key=key, at=at, lines=self._pieces(), location=self.location or "")
            case "dismissed":
                return Received(key=key, at=at, lines={}, dismissed=self._pieces())
            case "inspected":
                return self._judged(key, at)
            case "refunded":
                return self._refunded(key, at)
            case "refund_failed":
                tender_id = _needed(self.tender_id, "tender_id")
                return RefundRefused(key=key, at=at, tender_id=tender_id, words=self.words,
                                     undoes=self.reference or "")  # fmt: skip

    def _pieces(self) -> dict[str, Decimal]:
        return {_needed(self.line_id, "line_id"): _needed(self.quantity, "quantity")}

    def _judged(self, key: str, at: datetime) -> Inspected:
        return Inspected(
            key=key,
            at=at,
            inspection=key,
            line_id=_needed(self.line_id, "line_id"),
            quantity=_needed(self.quantity, "quantity"),
            disposition=_needed(self.disposition, "disposition"),
            location=_needed(self.location, "location"),
        )

    def _refunded(self, key: str, at: datetime) -> Refunded:
        kind: PayBackKind = _needed(self.tender, "tender")
        amount = _needed(self.amount, "amount")
        paid = PayBack(tender_id=self.tender_id or kind, kind=kind, amount=amount)
        return Refunded(key=key, at=at, paid=paid, reference=self.reference or key)


class AnswerReturnRequest(Request):
    """Answer a question of a return."""

    question: Name
    subject: Annotated[str, StringConstraints(max_length=300, pattern=CLEAN)] = ""
    choice: Name
    remark: Words = ""


class ReturnTermsRequest(Request):
    """The terms for returns that begin from now on; `elsewhere` counts at once."""

    window_days: int = Field(default=30, ge=0, le=3650)
    approve_above: Fee | None = Field(default=None, description="More than this a person decides.")
    refunds_shipping: bool = False
    restocking_fee: Fee = Decimal(0)
    label_fee: Fee = Decimal(0)
    goods_wait_days: int = Field(default=3, ge=0, le=365)
    asks_identity: bool = Field(
        default=False, description="Ask who brings goods without a receipt."
    )
    points_per_money: Fee = Field(
        default=Decimal(0), description="Points a known customer earns for each unit of money."
    )
    elsewhere: list[Literal["stock", "reversal", "points", "history", "customer"]] = Field(
        default_factory=list,
        max_length=len(MAY_BE_ELSEWHERE),
        description="Steps that your own systems do by themselves, without being asked.",
    )

    def as_terms(self) -> Terms:
        """Make the terms."""
        policy = Policy(
            window_days=self.window_days,
            approve_above=self.approve_above,
            refunds_shipping=self.refunds_shipping,
            restocking_fee=self.restocking_fee,
            label_fee=self.label_fee,
            goods_wait_days=self.goods_wait_days,
            asks_identity=self.asks_identity,
            points_per_money=self.points_per_money,
        )
        return Terms(policy, frozenset(self.elsewhere))


def _line(of: ReturnLineRequest) -> ReturnLine:
    return ReturnLine(
        line_id=of.line_id,
        order_line_id=of.order_line_id,
        sku=of.sku,
        title=of.title,
        requested=of.quantity,
        reason=of.reason,
    )


def _needed(value: _T | None, name: str) -> _T:
    if value is None:
        words = f"'{name}' is missing; it is needed for this."
        raise Unprocessable(
            words,
            code="return.fact_incomplete",
            errors=(FieldError(f"/{name}", "return.fact_incomplete", words),),
        )
    return value
