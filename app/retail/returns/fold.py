"""What is known of a return, folded from its facts: any order, any repetition gives the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from msgspec import structs

from app.retail.returns.facts import (
    Authorised,
    Decided,
    Fact,
    HistoryTold,
    Inspected,
    LimitPassed,
    Move,
    Opened,
    PointsRefused,
    PointsReversed,
    Policy,
    Posted,
    PostingRefused,
    Received,
    Refunded,
    RefundRefused,
    SaleKnown,
    SaleMissing,
    StockMoved,
    TermsKnown,
    Told,
    Unserved,
)
from app.retail.returns.sale import Sale
from app.retail.returns.steps import StepId
from connectors.canonical.returns import Return

Place = tuple[str, str, str, str]  # return line, sku, location, state


def _quantities() -> defaultdict[Any, Decimal]:
    return defaultdict(Decimal)


@dataclass(slots=True)
class Case:
    """A return as its facts make it; filled by `fold` and only read afterwards."""

    request: Return | None = None
    policy: Policy = field(default_factory=Policy)
    terms: Policy | None = None
    sale: Sale | None = None
    is_sale_missing: bool = False
    rma: str = ""
    received: defaultdict[str, Decimal] = field(default_factory=_quantities)
    dismissed: defaultdict[str, Decimal] = field(default_factory=_quantities)
    inspections: dict[str, Inspected] = field(default_factory=dict)
    moved: defaultdict[Place, Decimal] = field(default_factory=_quantities)
    refunds: dict[str, Refunded] = field(default_factory=dict)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    posted: defaultdict[str, Decimal] = field(default_factory=_quantities)
    suspended: defaultdict[str, Decimal] = field(default_factory=_quantities)
    posting_refusals: list[PostingRefused] = field(default_factory=list)
    points: int = 0
    point_refusals: list[str] = field(default_factory=list)
    told: dict[Told, HistoryTold] = field(default_factory=dict)
    passed: Counter[StepId] = field(default_factory=Counter)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    unserved: dict[tuple[StepId, str], Unserved] = field(default_factory=dict)
    is_derived: bool = False
    _arrivals: list[Received] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)

    @property
    def refunded(self) -> Decimal:
        """Sum up the money that went back for this return."""
        return sum((each.paid.amount for each in self.refunds.values()), Decimal(0))


def fold(facts: Iterable[Fact]) -> Case:
    """Fold the facts of one return."""
    case = Case()
    once = {fact.key: fact for fact in facts}
    for fact in sorted(once.values(), key=lambda each: (each.at, each.key)):
        _APPLY[type(fact)](case, fact)
    for reference in case.undone:  # a failure may be told before what it undoes
        case.refunds.pop(reference, None)
    if case.terms is not None and case.policy == Policy():
        case.policy = case.terms
    _name_lines(case)
    _count_arrivals(case)
    return case


def _name_lines(case: Case) -> None:
    """Give what was told by article the return line that it is about, whenever that was told."""
    judged: dict[str, list[Inspected]] = defaultdict(list)
    for each in case.inspections.values():
        judged[_line(case, each.line_id)].append(each)
    case.inspections = {
        each.inspection: structs.replace(each, line_id=line_id)
        for line_id, told in judged.items()
        # Of several sources the one that judged last.
        for each in told
        if each.source == max(told, key=lambda one: (one.at, one.key)).source
    }
    moved = _quantities()
    for (line_id, *place), quantity in case.moved.items():
        moved[_line(case, line_id), *place] += quantity
    case.moved = moved


def _line(case: Case, told: str) -> str:
    sku = told.removeprefix("sku:")
    if sku == told or case.request is None:
        return told
    return next((line.line_id for line in case.request.lines if line.sku == sku), told)


def _count_arrivals(case: Case) -> None:
    """Add up what came: by source, then the larger telling of each line."""
    by_source: dict[str, list[Received]] = defaultdict(list)
    for each in case._arrivals:  # noqa: SLF001 - filled only here
        by_source[each.source].append(each)
    for told in by_source.values():
        totals = [each for each in told if each.is_total]
        counted = [*totals[-1:], *(each for each in told if not each.is_total)]
        for of, into in (("lines", case.received), ("dismissed", case.dismissed)):
            sums = _quantities()
            for each in counted:
                for line_id, quantity in getattr(each, of).items():
                    sums[_line(case, line_id)] += quantity
            for line_id, quantity in sums.items():
                into[line_id] = max(into[line_id], quantity)


def _is_new(case: Case, what: str, reference: str) -> bool:
    """Say whether an effect is told for the first time: by us, and again by the one who did it."""
    known = (what, reference)
    is_new = known not in case._seen  # noqa: SLF001 - filled only here
    case._seen.add(known)  # noqa: SLF001
    return is_new


def _opened(case: Case, fact: Opened) -> None:
    if fact.is_derived and case.request is not None and not case.is_derived:
        return
    case.request, case.policy, case.is_derived = fact.request, fact.policy, fact.is_derived
    case.rma = case.rma or fact.request.rma


def _sale_known(case: Case, fact: SaleKnown) -> None:
    case.sale = fact.sale


def _authorised(case: Case, fact: Authorised) -> None:
    case.rma = fact.rma


def _received(case: Case, fact: Received) -> None:
    case._arrivals.append(fact)  # noqa: SLF001 - filled only here


def _inspected(case: Case, fact: Inspected) -> None:
    case.inspections[fact.inspection] = fact


def _stock_moved(case: Case, fact: StockMoved) -> None:
    if _is_new(case, "stock", fact.reference):
        for move in fact.moves:
            case.moved[place_of(move)] += move.quantity


def _refunded(case: Case, fact: Refunded) -> None:
    case.refunds.setdefault(fact.reference, fact)


def _refund_refused(case: Case, fact: RefundRefused) -> None:
    case.refusals.setdefault(fact.tender_id, []).append(fact.words)
    if fact.undoes:
        case.undone.add(fact.undoes)


def _posted(case: Case, fact: Posted) -> None:
    if not _is_new(case, "posting", fact.reference):
        return
    book = case.posted if fact.book == "erp" else case.suspended
    for key, amount in fact.lines.items():
        book[key] += amount
        if fact.clears:
            case.suspended[key] -= amount


def _posting_refused(case: Case, fact: PostingRefused) -> None:
    case.posting_refusals.append(fact)


def _points_reversed(case: Case, fact: PointsReversed) -> None:
    if _is_new(case, "points", fact.reference):
        case.points += fact.points


def _points_refused(case: Case, fact: PointsRefused) -> None:
    case.point_refusals.append(fact.words)


def _history_told(case: Case, fact: HistoryTold) -> None:
    case.told[fact.to] = fact


def _limit_passed(case: Case, fact: LimitPassed) -> None:
    case.passed[fact.step] += 1


def _terms_known(case: Case, fact: TermsKnown) -> None:
    case.terms = fact.policy


def _sale_missing(case: Case, _fact: SaleMissing) -> None:
    case.is_sale_missing = True


def _unserved(case: Case, fact: Unserved) -> None:
    case.unserved[fact.step, fact.part] = fact


def _decided(case: Case, fact: Decided) -> None:
    case.answers[fact.question, fact.subject] = fact.choice


def place_of(move: Move) -> Place:
    """Give where a move puts goods, as balances are kept."""
    return (move.line_id, move.sku, move.location, move.state)


_APPLY: dict[type[Fact], Callable[[Case, Any], None]] = {
    Opened: _opened,
    SaleKnown: _sale_known,
    Authorised: _authorised,
    Received: _received,
    Inspected: _inspected,
    StockMoved: _stock_moved,
    Refunded: _refunded,
    RefundRefused: _refund_refused,
    Posted: _posted,
    PostingRefused: _posting_refused,
    PointsReversed: _points_reversed,
    PointsRefused: _points_refused,
    HistoryTold: _history_told,
    LimitPassed: _limit_passed,
    Decided: _decided,
    TermsKnown: _terms_known,
    SaleMissing: _sale_missing,
    Unserved: _unserved,
}
