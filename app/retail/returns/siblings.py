"""Other returns of the same order: what they took of the sale's lines and of its tenders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec import structs

from app.retail.returns.fold import Case
from app.retail.returns.grant import returned_quantities
from app.retail.returns.sale import PaidTender, Sale, SoldLine
from app.retail.returns.tenders import taken_by
from app.retail.returns.work import Command, PayRefund
from connectors.canonical.returns import PayBack

ZERO = Decimal(0)
# Ends at which nothing came back.
EMPTY_ENDS = frozenset({"rejected", "expired"})


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another return of the order; `is_earlier`: it began before, so its goods count first."""

    case: Case
    commands: tuple[Command, ...]
    status: str
    is_earlier: bool


def sale_beside(sale: Sale, siblings: Sequence[Sibling]) -> Sale:
    """Give the sale as it is left by the other returns of the order.

    Money counts whoever began first; of goods, what began earlier is taken off the line, also while
    it is on its way.
    """
    if not siblings:
        return sale
    return structs.replace(
        sale, lines=_lines(sale, siblings), tenders=_tenders(sale, _paid(siblings))
    )


def _lines(sale: Sale, siblings: Iterable[Sibling]) -> tuple[SoldLine, ...]:
    taken: dict[str, Decimal] = {}
    for each in siblings:
        if each.is_earlier and each.status not in EMPTY_ENDS:
            for line_id, quantity in _quantities(each).items():
                taken[line_id] = taken.get(line_id, ZERO) + quantity
    return tuple(
        structs.replace(line, returned=line.returned + taken.get(line.line_id, ZERO))
        for line in sale.lines
    )


def _quantities(sibling: Sibling) -> dict[str, Decimal]:
    """Give by order line what a return takes: what it asked for until it is over."""
    request = sibling.case.request
    if request is None:
        return {}
    if sibling.status != "open":
        return returned_quantities(sibling.case)
    asked: dict[str, Decimal] = {}
    for line in request.lines:
        line_id = line.order_line_id or line.line_id
        asked[line_id] = asked.get(line_id, ZERO) + line.requested
    return asked


def _paid(siblings: Iterable[Sibling]) -> list[PayBack]:
    """Give what went back in other returns, and what was issued and may be paid at any moment."""
    paid: list[PayBack] = []
    for each in siblings:
        paid += [refund.paid for refund in each.case.refunds.values()]
        paid += [
            command.work.paid
            for command in each.commands
            if isinstance(command.work, PayRefund) and command.state in {"waiting", "leased"}
        ]
    return paid


def _tenders(sale: Sale, paid: Sequence[PayBack]) -> tuple[PaidTender, ...]:
    had = taken_by(sale.tenders, paid)
    over = sum((each.amount for each in paid), ZERO) - sum(had.values(), ZERO)
    tenders = [
        structs.replace(each, refunded=each.refunded + had[each.tender_id]) for each in sale.tenders
    ]
    if over and tenders:
        # More than all of them took in: kept where the sum over the order is looked at.
        tenders[0] = structs.replace(tenders[0], refunded=tenders[0].refunded + over)
    return tuple(tenders)
