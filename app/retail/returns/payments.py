"""To whom the rest is paid: exchange first, then the tenders of the sale, or what a person chose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from app.retail.returns.fold import Case
from app.retail.returns.money import Standing
from app.retail.returns.questions import Question
from app.retail.returns.tenders import Routed, route
from app.retail.returns.work import PayRefund, Work
from connectors.canonical.returns import PayBack

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Payments:
    """What is to be paid now, by tender, and what a person must choose first."""

    works: dict[str, Work]
    questions: tuple[Question, ...] = ()


NOTHING = Payments({})


def payments_needed(case: Case, money: Standing, begun: Iterable[Work]) -> Payments:
    """Route what is to be paid; what was begun counts as paid until it is known that it was not."""
    sale, request = case.sale, case.request
    if sale is None or request is None or money.question is not None:
        return NOTHING
    under_way = [work.paid for work in begun if isinstance(work, PayRefund)]
    paid = [*(each.paid for each in case.refunds.values()), *under_way]
    rest = money.rest - sum((each.amount for each in under_way), ZERO)
    if rest <= 0:
        return NOTHING
    credit = _credit(case, paid, rest)
    parts = [credit] if credit is not None else []
    if credit is not None:
        rest -= credit.amount
    routed = route(rest, sale.tenders, [*paid, *parts], sale.currency)
    # Only goodwill can exceed what the tenders take: it is given as credit.
    return _choose(case, [*parts, *_with_goodwill(routed)], sale.currency)


def _credit(case: Case, paid: list[PayBack], rest: Decimal) -> PayBack | None:
    """Give the part that pays for the new order of an exchange."""
    exchange = case.request.exchange if case.request is not None else None
    if exchange is None:
        return None
    given = sum((each.amount for each in paid if each.kind == "exchange"), ZERO)
    amount = min(exchange.total - given, rest)
    if amount <= 0:
        return None
    return PayBack(
        tender_id="exchange", kind="exchange", amount=amount, reference=exchange.order_id
    )


def _with_goodwill(routed: Routed) -> tuple[PayBack, ...]:
    if not routed.unrouted:
        return routed.parts
    more = PayBack(tender_id="goodwill", kind="store_credit", amount=routed.unrouted)
    return (*routed.parts, more)


def _choose(case: Case, parts: Iterable[PayBack], currency: str) -> Payments:
    works: dict[str, Work] = {}
    questions: list[Question] = []
    for part in parts:
        refused = case.refusals.get(part.tender_id, [])
        subject = f"{part.tender_id} refused {len(refused)}"
        answer = case.answers.get(("alternative_tender", subject))
        if refused and answer is None:
            words = (
                f"{part.amount} {currency} could not go back by {part.kind}: {refused[-1]}"
                " Choose another way."
            )
            choices = ("store_credit", "retry")
            questions.append(Question("alternative_tender", subject, words, choices))
            continue
        works[part.tender_id] = PayRefund(paid=_as_paid(case, part), currency=currency)
    return Payments(works, tuple(questions))


def _has_credit_chosen(case: Case, tender_id: str) -> bool:
    """Say whether the last answer about a tender was credit, and nothing was refused since."""
    refused = len(case.refusals.get(tender_id, []))
    subject = f"{tender_id} refused {refused}"
    return case.answers.get(("alternative_tender", subject)) == "store_credit"


def _as_paid(case: Case, part: PayBack) -> PayBack:
    is_gift = case.request is not None and case.request.is_gift
    if part.kind != "exchange" and (is_gift or _has_credit_chosen(case, part.tender_id)):
        return msgspec.structs.replace(part, kind="store_credit")
    return part
