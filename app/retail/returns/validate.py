"""Step R1: may this be returned? By the named rules of returns and the retailer's window."""

from __future__ import annotations

from datetime import timedelta

from app.retail.returns.fold import Case
from app.retail.returns.questions import Question
from app.retail.returns.sale import sold_for_checks
from connectors.canonical.return_checks import return_breaches


def problems(case: Case) -> tuple[str, ...]:
    """Give in words what speaks against the return; empty while the sale is not known."""
    request, sale = case.request, case.sale
    if request is None or sale is None:
        return ()
    found = [each.words for each in return_breaches(request, sold_for_checks(sale))]
    last_day = sale.sold_at + timedelta(days=case.policy.window_days)
    if request.initiated_at > last_day:
        found.append(f"Returns were possible until {last_day:%-d %b %Y}.")
    if request.order_id != sale.order_id and not goes_without_sale(case):
        found.append(f"It names order {request.order_id}, the sale found is {sale.order_id}.")
    if request.currency != sale.currency:
        found.append(f"It is in {request.currency}, the sale was in {sale.currency}.")
    return tuple(found)


def sale_question(case: Case) -> Question | None:
    """Ask about a sale that is not known here; it is asked no more once the sale was told."""
    request = case.request
    if request is None or case.sale is not None or not case.is_sale_missing:
        return None
    if not request.order_id or goes_without_sale(case):
        return None
    words = (
        f"Order {request.order_id} is not known here. It goes on by itself as soon as the order"
        " arrives; or take it as a return without a receipt."
    )
    return Question("sale_unknown", request.order_id, words, ("no_receipt",))


def identity_question(case: Case) -> Question | None:
    """Ask who brings goods without a receipt, where the retailer's terms say so."""
    if not _needs_identity(case):
        return None
    words = (
        "There is no receipt. Look at the identification of whoever brings the goods, and note in"
        " your own list that you did; nothing of it is kept here."
    )
    return Question("identify", "", words, ("seen", "reject"))


def _needs_identity(case: Case) -> bool:
    is_without = case.sale is not None and case.sale.order_id is None
    is_answered = ("identify", "") in case.answers
    return case.policy.asks_identity and is_without and not is_answered and not case.refunds


def goes_without_sale(case: Case) -> bool:
    """Say whether a person gave the sale up, so that the policy's price stands for it."""
    order_id = case.request.order_id if case.request is not None else None
    return case.answers.get(("sale_unknown", order_id or "")) == "no_receipt"


def validate_question(case: Case) -> Question | None:
    """Ask a person about a return that breaks a rule; after money went back it can only be approved."""
    found = problems(case)
    if not found or answer(case) is not None:
        return None
    choices = ("approve",) if case.refunds else ("approve", "reject")
    return Question("validate", "", " ".join(found), choices)


def answer(case: Case) -> str | None:
    """Give what a person said about the return."""
    return case.answers.get(("validate", ""))


def is_rejected(case: Case) -> bool:
    """Say whether a person rejected it; money that went back makes that void."""
    answers = {answer(case), case.answers.get(("identify", ""))}
    return "reject" in answers and not case.refunds


def is_valid(case: Case) -> bool:
    """Say whether the return may go on."""
    if case.request is None or case.sale is None:
        return False
    return not _needs_identity(case) and (not problems(case) or answer(case) is not None)
