"""Which tender gets how much back: stored value first, then cards, cash only where cash was paid.

The order is that of the risk of turning one kind of money into another. Within one rank the amount
is shared by what each tender can still take, by largest remainder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from app.retail.returns.sale import PaidTender
from connectors.canonical.money import allocate
from connectors.canonical.order import TenderKind
from connectors.canonical.returns import PayBack

ZERO = Decimal(0)
_STORED, _ACCOUNT, _CASH = 0, 1, 2
RANK: dict[TenderKind, int] = {
    "gift_card": _STORED, "store_credit": _STORED, "voucher": _STORED,
    "card": _ACCOUNT, "wallet": _ACCOUNT, "account": _ACCOUNT, "marketplace": _ACCOUNT,
    "check": _ACCOUNT, "other": _ACCOUNT,
    "cash": _CASH,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Routed:
    """Where an amount goes; `unrouted` is what no tender of the sale can take."""

    parts: tuple[PayBack, ...]
    unrouted: Decimal


def route(
    amount: Decimal, tenders: Sequence[PaidTender], paid: Iterable[PayBack], currency: str
) -> Routed:
    """Share an amount over the tenders of a sale, after what was paid back already.

    Shares are those of all that goes back, less what did: whether the first tender was paid yet or
    not, the second gets the same. A tender that got too much by others takes it from the last ones.

    Takes:  a payable amount >= 0; `paid` in this return, by whomever, also to no known tender.
    Gives:  parts > 0 in the order of payment; Σ parts + unrouted = amount, exactly.
    """
    before = list(paid)
    had = taken_by(tenders, before)
    whole = amount + sum((each.amount for each in before), ZERO)
    parts: list[PayBack] = []
    for tender, share in _shares(whole, tenders, currency):
        part = min(share - had[tender.tender_id], amount)
        if part > 0:
            parts.append(PayBack(tender_id=tender.tender_id, kind=tender.kind, amount=part))
            amount -= part
    return Routed(tuple(parts), amount)


def _shares(
    whole: Decimal, tenders: Sequence[PaidTender], currency: str
) -> Iterator[tuple[PaidTender, Decimal]]:
    """Share all that goes back over the tenders, rank by rank, as far as they can take it."""
    for _, group in groupby(_by_risk(tenders), key=lambda each: RANK.get(each.kind, _ACCOUNT)):
        ranked = list(group)
        room = [_room(each) for each in ranked]
        share = min(whole, sum(room, ZERO))
        whole -= share
        yield from zip(ranked, allocate(share, room, currency), strict=True)


def _room(tender: PaidTender) -> Decimal:
    return max(tender.amount - tender.refunded, ZERO)


def _by_risk(tenders: Sequence[PaidTender]) -> list[PaidTender]:
    return sorted(tenders, key=lambda each: RANK.get(each.kind, _ACCOUNT))


def taken_by(tenders: Sequence[PaidTender], paid: Iterable[PayBack]) -> dict[str, Decimal]:
    """Give what each tender got back of what was paid, by tender.

    What was paid to no tender we know counts for those of its kind first, then for the others.
    """
    left = {each.tender_id: _room(each) for each in tenders}
    strays: list[PayBack] = []
    for each in paid:
        over = _take(left, (each.tender_id,), each.amount)
        if over:
            strays.append(PayBack(tender_id="", kind=each.kind, amount=over))
    ordered = _by_risk(tenders)
    for each in strays:
        kin = [tender.tender_id for tender in ordered if tender.kind == each.kind]
        over = _take(left, kin, each.amount)
        _take(left, [tender.tender_id for tender in ordered], over)
    return {each.tender_id: _room(each) - left[each.tender_id] for each in tenders}


def _take(left: dict[str, Decimal], ids: Iterable[str], amount: Decimal) -> Decimal:
    """Take an amount off tenders one after the other; gives what found no room."""
    for tender_id in ids:
        taken = min(left.get(tender_id, ZERO), amount)
        if taken > 0:
            left[tender_id] -= taken
            amount -= taken
    return amount
