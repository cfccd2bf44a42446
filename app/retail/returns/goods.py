"""Goods of a return: what is still to come, to be judged, and to be moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from app.retail.returns.facts import Move
from app.retail.returns.fold import Case, Place, place_of
from app.retail.returns.questions import Question
from app.retail.returns.steps import KINDS
from app.retail.returns.work import MoveStock, Work
from connectors.canonical.returns import Disposition

# Where goods stand after they were judged; None: they leave, and were never stock again.
STATE_OF: dict[Disposition, str | None] = {
    "restock": "available", "damaged": "damaged", "refurbish": "quality_control",
    "vendor_return": "quality_control", "quarantine": "quality_control",
    "destroy": None, "donate": None,
}  # fmt: skip


def expects_goods(case: Case) -> bool:
    """Say whether goods come to us at all."""
    return case.request is not None and KINDS[case.request.kind].expects_goods


def came(case: Case) -> Decimal:
    """Sum up what arrived, accepted or not."""
    return sum((*case.received.values(), *case.dismissed.values()), Decimal(0))


def is_received(case: Case) -> bool:
    """Say whether nothing more is to come: all is there, or a person gave up waiting."""
    if case.request is None:
        return False
    if not expects_goods(case) or given_up(case) is not None:
        return True
    return all(
        case.received[line.line_id] + case.dismissed[line.line_id] >= line.requested
        for line in case.request.lines
    )


def given_up(case: Case) -> str | None:
    """Give how a person ended the waiting for goods, None when nobody did."""
    for choice in ("write_off", "close_short"):
        if any(
            kind == "goods_missing" and said == choice for (kind, _), said in case.answers.items()
        ):
            return choice
    return None


def is_inspected(case: Case) -> bool:
    """Say whether all that was received was judged."""
    if not expects_goods(case):
        return True
    judged: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in case.inspections.values():
        judged[each.line_id] += each.quantity
    return all(judged[line_id] >= quantity for line_id, quantity in case.received.items())


def missing_question(case: Case) -> Question | None:
    """Ask what becomes of goods that did not come in time."""
    passed = case.passed["R3"]
    if not passed or is_received(case) or not (came(case) or case.refunded):
        return None
    subject = f"after limit {passed}"
    if case.answers.get(("goods_missing", subject)) == "wait":
        return None
    request = case.request
    assert request is not None  # noqa: S101 - it is not received, so it was asked for
    wanted = sum((line.requested for line in request.lines), Decimal(0))
    words = f"{came(case)} of {wanted} pieces arrived, and the time for the rest is over."
    choices = ("write_off" if not came(case) else "close_short", "wait")
    return Question("goods_missing", subject, words, choices)


def moves_needed(case: Case, begun: Iterable[Work]) -> dict[str, Work]:
    """Give by return line what is to be moved: where it belongs less where it was put already.

    An article that is not known has money but no stock.
    """
    balance: defaultdict[Place, Decimal] = defaultdict(Decimal)
    skus = {line.line_id: line.sku for line in case.request.lines} if case.request else {}
    for each in case.inspections.values():
        sku, state = skus.get(each.line_id), STATE_OF[each.disposition]
        if sku is not None and state is not None:
            balance[each.line_id, sku, each.location, state] += each.quantity
    for place, quantity in case.moved.items():
        balance[place] -= quantity
    for work in begun:
        for move in work.moves if isinstance(work, MoveStock) else ():
            balance[place_of(move)] -= move.quantity
    by_line: defaultdict[str, list[Move]] = defaultdict(list)
    # What is taken back comes first: the goods must be free before they go elsewhere.
    for place, quantity in sorted(balance.items(), key=lambda each: (each[1] > 0, each[0])):
        if quantity:
            line_id, sku, location, state = place
            by_line[line_id].append(
                Move(line_id=line_id, sku=sku, location=location, state=state, quantity=quantity)
            )
    return {line_id: MoveStock(moves=tuple(moves)) for line_id, moves in by_line.items()}
