"""Money goes back the way it came, to the minor unit, and never more than came."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.retail.returns.sale import PaidTender
from app.retail.returns.tenders import RANK, route
from connectors.canonical.order import TenderKind
from connectors.canonical.returns import PayBack

D = Decimal
kinds: st.SearchStrategy[TenderKind] = st.sampled_from(sorted(RANK))
cents = st.integers(0, 20_000).map(lambda each: D(each) / 100)


@st.composite
def paid_with(draw: st.DrawFn) -> list[PaidTender]:
    made = draw(st.lists(st.tuples(kinds, cents, cents), min_size=1, max_size=5))
    return [
        PaidTender(tender_id=f"t{place}", kind=kind, amount=amount, refunded=min(amount, refunded))
        for place, (kind, amount, refunded) in enumerate(made)
    ]


def tender(tender_id: str, kind: TenderKind, amount: str) -> PaidTender:
    return PaidTender(tender_id=tender_id, kind=kind, amount=D(amount))


def back(tender_id: str, kind: TenderKind, amount: str) -> PayBack:
    return PayBack(tender_id=tender_id, kind=kind, amount=D(amount))


@given(paid_with(), cents)
def test_every_cent_is_routed_or_said_to_be_unrouted(
    tenders: list[PaidTender], amount: Decimal
) -> None:
    routed = route(amount, tenders, [], "USD")

    room = {each.tender_id: each.amount - each.refunded for each in tenders}
    sums = sum((part.amount for part in routed.parts), D(0))
    assert sums + routed.unrouted == amount
    assert routed.unrouted == max(amount - sum(room.values(), D(0)), D(0))
    assert all(0 < part.amount <= room[part.tender_id] for part in routed.parts)


@given(paid_with(), cents, st.integers(0, 4))
def test_what_was_paid_already_does_not_change_what_the_others_get(
    tenders: list[PaidTender], amount: Decimal, paid: int
) -> None:
    whole = route(amount, tenders, [], "USD")
    first, later = whole.parts[:paid], whole.parts[paid:]
    left = amount - sum((part.amount for part in first), D(0))

    assert route(left, tenders, first, "USD").parts == later


@given(paid_with(), st.lists(cents, max_size=6), st.lists(st.tuples(kinds, cents), max_size=2))
def test_in_however_many_parts_no_tender_gets_more_than_it_paid(
    tenders: list[PaidTender], tranches: list[Decimal], strays: list[tuple[TenderKind, Decimal]]
) -> None:
    room = {each.tender_id: each.amount - each.refunded for each in tenders}
    paid = [PayBack(tender_id="", kind=kind, amount=amount) for kind, amount in strays]
    ours: defaultdict[str, Decimal] = defaultdict(Decimal)
    total = sum((each.amount for each in paid), D(0))

    for tranche in tranches:
        routed = route(tranche, tenders, paid, "USD")
        paid += routed.parts
        for part in routed.parts:
            ours[part.tender_id] += part.amount
            total += part.amount

    assert all(amount <= room[tender_id] for tender_id, amount in ours.items())
    strayed = sum((amount for _, amount in strays), D(0))
    assert total <= max(sum(room.values(), D(0)), strayed)


def test_a_gift_card_is_filled_first_and_cash_comes_last() -> None:
    """E-T06. A gift card redeemed partly gets its part back first."""
    tenders = [tender("c", "cash", "10"), tender("v", "card", "20"), tender("g", "gift_card", "5")]

    routed = route(D("27"), tenders, [], "USD")

    assert list(routed.parts) == [
        back("g", "gift_card", "5"),
        back("v", "card", "20"),
        back("c", "cash", "2"),
    ]


def test_two_cards_share_to_the_cent_by_largest_remainder() -> None:
    tenders = [tender("a", "card", "33.33"), tender("b", "card", "33.33")]

    routed = route(D("0.01"), tenders, [], "USD")

    assert list(routed.parts) == [back("a", "card", "0.01")]


def test_cash_is_never_given_for_a_card() -> None:
    routed = route(D("30"), [tender("v", "card", "20")], [], "USD")

    assert (list(routed.parts), routed.unrouted) == ([back("v", "card", "20")], D(10))


def test_cash_that_the_till_gave_for_a_card_is_not_given_to_the_card_again() -> None:
    """E-T14. A refund on another tender than that of the sale."""
    tenders = [tender("v", "card", "20")]

    routed = route(D("5"), tenders, [back("", "cash", "15")], "USD")

    assert (list(routed.parts), routed.unrouted) == ([back("v", "card", "5")], D(0))


def test_yen_have_no_cents() -> None:
    """E-X12. A currency without decimals."""
    tenders = [tender("a", "card", "500"), tender("b", "card", "500")]

    routed = route(D("333"), tenders, [], "JPY")

    assert [part.amount for part in routed.parts] == [D("167"), D("166")]
