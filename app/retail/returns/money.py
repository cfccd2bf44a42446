"""What is owed, what was paid, and what a person must say before the two agree.

Never more goes back than was captured. What went out is never taken back by us: a difference becomes
a component with its own name, so that the books say what was paid and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.retail.returns.fold import Case
from app.retail.returns.grant import ZERO, components, total
from app.retail.returns.questions import Question
from app.retail.returns.steps import KINDS
from connectors.canonical.money import quantized
from connectors.canonical.returns import Component


@dataclass(frozen=True, slots=True)
class Standing:
    """Money of a return as it stands: Σ components = owed; `rest` is what we are to pay now."""

    components: tuple[Component, ...] = ()
    owed: Decimal = ZERO
    paid: Decimal = ZERO
    rest: Decimal = ZERO
    question: Question | None = None
    breaks: tuple[str, ...] = ()

    @property
    def is_even(self) -> bool:
        """Say whether all that is owed was paid, and nothing is in question."""
        return self.question is None and self.owed == self.paid


def standing(case: Case, *, goods_are_final: bool) -> Standing:
    """Compare what a return comes to with what was paid.

    `goods_are_final`: nothing more comes or is judged, so money ahead of the goods is a difference.
    """
    if case.sale is None or case.request is None:
        return Standing(paid=case.refunded)
    parts, paid = components(case), case.refunded
    owed = total(parts)
    plain = Standing(parts, owed, paid)
    if case.sale.refunded + paid > case.sale.captured + case.policy.goodwill:
        return _over(case, plain)
    if paid > owed:
        return _ahead(case, plain) if goods_are_final else plain
    if paid == owed:
        return plain
    return _short(case, plain, goods_are_final=goods_are_final)


def _over(case: Case, plain: Standing) -> Standing:
    sale = case.sale
    assert sale is not None  # noqa: S101 - `standing` looked
    back = sale.refunded + plain.paid
    words = (
        f"{_said(case, back)} went back for an order of which {_said(case, sale.captured)} were"
        " paid. Nothing more is paid back until somebody says what becomes of the difference."
    )
    subject = _said(case, plain.paid)
    question = Question("over_refund", subject, words, ("accept_loss", "claimed_back"))
    return _settled_by(case, plain, question, "over_refund")


def _ahead(case: Case, plain: Standing) -> Standing:
    if ("goods_missing", "write_off") in {(kind, said) for (kind, _), said in case.answers.items()}:
        return _evened(plain, "goods_written_off")
    subject = f"{_said(case, plain.paid)} for {_said(case, plain.owed)}"
    words = (
        f"{_said(case, plain.paid)} went back, the goods that came are worth"
        f" {_said(case, plain.owed)}."
    )
    question = Question("refund_differs", subject, words, ("accept",))
    return _settled_by(case, plain, question, "refund_differs")


def _short(case: Case, plain: Standing, *, goods_are_final: bool) -> Standing:
    request, sale = case.request, case.sale
    assert request is not None  # noqa: S101 - `standing` looked
    assert sale is not None  # noqa: S101 - `standing` looked
    if not KINDS[request.kind].we_pay:
        # The channel pays: until it has, there is nothing to compare.
        return _differs(case, plain, ("accept",)) if plain.paid and goods_are_final else plain
    if any(each.is_all for each in case.refunds.values()):
        answered = _differs(case, plain, ("pay_rest", "accept"))
        if answered.question is not None or answered.is_even:
            return answered
    limit = case.policy.approve_above
    if limit is not None and plain.owed > limit:
        approval = _approval(case, plain)
        if approval.question is not None or approval.is_even:
            return approval
    most = sale.captured + case.policy.goodwill - sale.refunded
    if plain.owed > most:
        return _nothing_left(case, plain, most)
    return Standing(plain.components, plain.owed, plain.paid, plain.owed - plain.paid)


def _differs(case: Case, plain: Standing, choices: tuple[str, ...]) -> Standing:
    # A refund that failed afterwards makes it another question.
    subject = f"{_said(case, plain.owed)} after {len(case.undone)} failed"
    words = (
        f"{_said(case, plain.paid)} went back and was said to be all; by the sale it should be"
        f" {_said(case, plain.owed)}."
    )
    question = Question("refund_differs", subject, words, choices)
    if case.answers.get((question.kind, subject)) == "pay_rest":
        return plain
    return _settled_by(case, plain, question, "refund_differs")


def _approval(case: Case, plain: Standing) -> Standing:
    words = (
        f"A refund of {_said(case, plain.owed)} is more than is paid back without asking"
        f" ({_said(case, case.policy.approve_above or ZERO)})."
    )
    question = Question("approve_refund", _said(case, plain.owed), words, ("approve", "reject"))
    if case.answers.get((question.kind, question.subject)) == "approve":
        return plain
    return _settled_by(case, plain, question, "refund_rejected")


def _nothing_left(case: Case, plain: Standing, most: Decimal) -> Standing:
    """Pay what is left of what was captured, then ask about the rest."""
    if plain.paid < most:
        return Standing(plain.components, plain.owed, plain.paid, most - plain.paid)
    words = (
        f"The return comes to {_said(case, plain.owed)}, but no more than {_said(case, most)}"
        " is left of what was paid for the order."
    )
    question = Question("nothing_left", _said(case, plain.owed), words, ("accept",))
    return _settled_by(case, plain, question, "nothing_left")


def _settled_by(case: Case, plain: Standing, question: Question, reason: str) -> Standing:
    """Ask, or take what was paid as what is owed once that was answered."""
    if (question.kind, question.subject) in case.answers:
        return _evened(plain, reason)
    return Standing(plain.components, plain.owed, plain.paid, question=question)


def _evened(plain: Standing, reason: str) -> Standing:
    off = plain.paid - plain.owed
    parts = (*plain.components, Component(kind="discrepancy", amount=off, name=reason))
    return Standing(parts, plain.paid, plain.paid, breaks=(reason,))


def _said(case: Case, amount: Decimal) -> str:
    currency = case.sale.currency if case.sale is not None else ""
    return f"{quantized(amount, currency)} {currency}"
