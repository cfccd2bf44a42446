"""What the books, the loyalty account and the histories are still to be told: differences only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

from app.retail.returns.facts import Told
from app.retail.returns.fold import Case
from app.retail.returns.money import Standing
from app.retail.returns.questions import Question
from app.retail.returns.work import PostReversal, ReversePoints, TellHistory, Work

ZERO = Decimal(0)
Lines = defaultdict[str, Decimal]


def wanted_lines(case: Case, money: Standing) -> Lines:
    """Give what the books must hold: money by reason, the same money by tender, goods by judgement.

    Σ of `money:` = Σ of `tender:`; `goods:` are pieces.
    """
    lines: Lines = defaultdict(Decimal)
    for part in money.components:
        rate = "" if part.rate is None else f"@{part.rate}"
        lines[f"money:{part.kind}:{part.line_id}:{part.name}{rate}"] += part.amount
    for refund in case.refunds.values():
        lines[f"tender:{refund.paid.kind}"] += refund.paid.amount
    for each in case.inspections.values():
        lines[f"goods:{each.line_id}:{each.disposition}"] += each.quantity
    return lines


def posting_needed(
    case: Case, money: Standing, begun: Iterable[Work]
) -> tuple[Work | None, Question | None]:
    """Give the reversal that is missing; after a refusal it goes to suspense and finance is asked.

    The refund stands whatever the books say.
    """
    sale = case.sale
    under_way = any(isinstance(work, PostReversal) for work in begun)
    if sale is None or not money.is_even or under_way:
        return None, None
    refusal = _open_refusal(case)
    missing = wanted_lines(case, money)
    for book in (case.posted, case.suspended):
        for key, amount in book.items():
            missing[key] -= amount
    lines = {key: amount for key, amount in sorted(missing.items()) if amount}
    if refusal is None:
        return _post(case, lines, sale.currency), None
    was_suspense, subject, words = refusal
    if lines and not was_suspense:
        return PostReversal(lines=lines, currency=sale.currency, book="suspense"), None
    return None, _ask(subject, words, is_parked=not lines)


def _post(case: Case, lines: dict[str, Decimal], currency: str) -> Work | None:
    """Post what is missing; what a person wants tried again comes out of suspense first."""
    last = len(case.posting_refusals)
    parked = {key: amount for key, amount in sorted(case.suspended.items()) if amount}
    if parked and case.answers.get(("erp_refuses", f"refusal {last}")) == "retry":
        return PostReversal(lines=parked, currency=currency, clears=True)
    return PostReversal(lines=lines, currency=currency) if lines else None


def _open_refusal(case: Case) -> tuple[bool, str, str] | None:
    """Give the last refusal unless a person answered it: was it suspense, its subject, its words."""
    if not case.posting_refusals:
        return None
    subject = f"refusal {len(case.posting_refusals)}"
    if ("erp_refuses", subject) in case.answers:
        return None
    last = case.posting_refusals[-1]
    return last.book == "suspense", subject, last.words


def _ask(subject: str, words: str, *, is_parked: bool) -> Question:
    where = "It is in suspense." if is_parked else "Not even suspense took it."
    choices = ("retry", "accept") if is_parked else ("retry",)
    return Question(
        "erp_refuses", subject, f"The books refused the reversal: {words} {where}", choices
    )


def points_needed(
    case: Case, money: Standing, begun: Iterable[Work]
) -> tuple[Work | None, Question | None]:
    """Give the points to take back: the share of what came back, rounded down, less what was taken."""
    if case.sale is None or not case.sale.points or not money.is_even:
        return None, None
    subject = f"refusal {len(case.point_refusals)}"
    answer = case.answers.get(("points_short", subject))
    taken = case.points + sum(work.points for work in begun if isinstance(work, ReversePoints))
    missing = _points_owed(case, money) - taken
    if missing <= 0 or answer == "accept":
        return None, None
    if case.point_refusals and answer is None:
        words = f"{missing} points could not be taken back: {case.point_refusals[-1]}"
        return None, Question("points_short", subject, words, ("accept", "retry"))
    return ReversePoints(points=missing), None


def _points_owed(case: Case, money: Standing) -> int:
    sale = case.sale
    assert sale is not None  # noqa: S101 - `points_needed` looked
    sold = sum(
        (line.net + sum((tax.amount for tax in line.taxes), ZERO) for line in sale.lines), ZERO
    )
    back = sum((part.amount for part in money.components if part.kind in {"item", "tax"}), ZERO)
    if not sold:
        return 0
    return int((sale.points * back / sold).to_integral_value(ROUND_FLOOR))


def tellings_needed(case: Case, begun: Iterable[Work]) -> dict[str, Work]:
    """Give whom to tell how much went back; one who was told that amount is not told again."""
    request = case.request
    if request is None:
        return {}
    who: tuple[Told, ...] = ("channel", "customer") if request.order_id else ("customer",)
    under_way = {(work.to, work.refunded) for work in begun if isinstance(work, TellHistory)}
    refunded = case.refunded
    return {
        to: TellHistory(to=to, refunded=refunded, currency=request.currency)
        for to in who
        if (to, refunded) not in under_way
        and (to not in case.told or case.told[to].refunded != refunded)
    }
