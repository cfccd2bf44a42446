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
    if request.order_id != sale.order_id:
        found.append(f"It names order {request.order_id}, the sale found is {sale.order_id}.")
    if request.currency != sale.currency:
        found.append(f"It is in {request.currency}, the sale was in {sale.currency}.")
    return tuple(found)


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
    return answer(case) == "reject" and not case.refunds


def is_valid(case: Case) -> bool:
    """Say whether the return may go on."""
    if case.request is None or case.sale is None:
        return False
    return not problems(case) or answer(case) is not None
