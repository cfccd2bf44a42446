"""Whose turn it is on a return, until when, and what it waits for, in plain words."""

from __future__ import annotations

from datetime import timedelta

from app.retail.returns import goods
from app.retail.returns.fold import Case
from app.retail.returns.plan import Plan
from app.retail.returns.steps import BY_ID, KINDS, PERSON_LIMIT, StepId


def names_of(case: Case) -> tuple[str, str, str, str]:
    """Give the order, the number, the kind and the source's id; empty while nobody told them."""
    request = case.request
    if request is None:
        return "", "", "", ""
    return request.order_id or "", request.number, request.kind, request.return_id


def is_money_alone(case: Case) -> bool:
    """Say whether only a refund is known: nothing is to be done until goods are told of."""
    return case.request is None and not goods.came(case)


def limit_of(case: Case, made: Plan) -> timedelta | None:
    """Say how long a step may be without word; goods as long as the retailer's terms say."""
    if is_money_alone(case):
        return None
    if made.questions:
        return PERSON_LIMIT
    if made.current == "R3":
        return timedelta(days=case.policy.goods_wait_days)
    return BY_ID[made.current].stuck_after


def waits_for(case: Case, made: Plan) -> str:
    """Say who must act now: a person whenever something is asked."""
    if made.end is not None or is_money_alone(case):
        return "nobody"
    if made.questions:
        return "human"
    request = case.request
    if made.current == "R7" and request is not None and not KINDS[request.kind].we_pay:
        return "external"
    return BY_ID[made.current].who


def words_of(case: Case, made: Plan) -> str:
    """Say in plain words what the return waits for."""
    if made.end is not None:
        return ""
    if made.questions:
        return made.questions[0].words
    if is_money_alone(case):
        return "A refund was told of; nothing is known of goods that come back."
    if case.request is None:
        return "Something came back; what for is not known yet."
    if case.sale is None:
        return "The sale is not found yet."
    return _WAITING[made.current]


_WAITING: dict[StepId, str] = {
    "R1": "It is checked against the sale.",
    "R2": "A return number is given out.",
    "R3": "The goods have not arrived yet.",
    "R4": "The goods arrived and wait to be inspected.",
    "R5": "The stock is being moved.",
    "R6": "The refund is being decided.",
    "R7": "The money is being paid back.",
    "R8": "Revenue and tax are being reversed in the books.",
    "R9": "Loyalty points are being taken back.",
    "R10": "The order's history and the customer are being told.",
    "R11": "It is being closed.",
}
