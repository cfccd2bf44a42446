"""Every sale is booked on both sides alike, each amount once, and nothing is hidden."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retail.journals.facts import order_facts, refund_facts
from app.retail.journals.fold import (
    Balances,
    Unbalanced,
    added,
    difference,
    digest,
    fold,
    lines_of,
    move,
    posting_date,
    unmapped,
)
from app.retail.journals.rules import PostingRules
from app.retail.journals.templates import LEGS, MOVES, ROLES
from connectors.canonical.journal import imbalance
from connectors.canonical.order import Order, Refund, Tax, Tender
from tests.app.retail.journals.tickets import AT, DAY, D, line, orders, refunds, ticket

PLAIN = PostingRules()
ANY_RULES = st.builds(
    PostingRules,
    discounts=st.sampled_from(["net", "shown"]),
    marketplace_tax=st.sampled_from(["not_posted", "in_and_out"]),
    lines=st.just({"GIFT*": "gift_card_sold", "TIP": "tip"}),
    departments=st.just({"A": "Food"}),
)


def booked(order: Order | Refund, rules: PostingRules = PLAIN) -> dict[str, Decimal]:
    """Give balances as `role/detail`, debit positive."""
    facts = order_facts(order, rules) if isinstance(order, Order) else refund_facts(order, rules)
    return {f"{role}/{detail}".rstrip("/"): each for (role, detail), each in fold(facts).items()}


@given(orders(), ANY_RULES)
def test_whatever_a_source_says_of_an_order_debits_equal_credits(
    order: Order, rules: PostingRules
) -> None:
    lines = lines_of(fold(order_facts(order, rules)), rules)

    assert imbalance(lines) == 0
    assert all(line.debit >= 0 and line.credit >= 0 for line in lines)
    assert not any(line.debit and line.credit for line in lines)


@given(refunds(), ANY_RULES)
def test_whatever_a_source_says_of_a_refund_debits_equal_credits(
    refund: Refund, rules: PostingRules
) -> None:
    assert imbalance(lines_of(fold(refund_facts(refund, rules)), rules)) == 0


@given(st.lists(orders(), max_size=6), st.randoms(use_true_random=False))
def test_the_order_in_which_sales_are_summed_up_changes_nothing(
    sold: list[Order], chance: st.DataObject
) -> None:
    parts = [fold(order_facts(each, PLAIN)) for each in sold]
    mixed = [*parts]
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    assert added(parts) == added(mixed)
    assert digest(added(parts)) == digest(added(mixed))


@given(st.lists(orders(), min_size=1, max_size=6))
def test_the_sum_of_all_revisions_is_what_was_sold(sold: list[Order]) -> None:
    """L12. Each revision books only what those before it did not."""
    standing: Balances = {}
    revisions: list[Balances] = []
    for each in sold:
        standing = added([standing, fold(order_facts(each, PLAIN))])
        revisions.append(difference(standing, added(revisions)))

    assert added(revisions) == standing
    assert difference(standing, added(revisions)) == {}


def test_a_cash_sale_is_revenue_and_tax_against_cash() -> None:
    assert booked(ticket(line("10.83", "0.83"))) == {
        "revenue": D("-10.00"),
        "tax_payable/Sales tax": D("-0.83"),
        "tender_clearing/cash": D("10.83"),
    }


def test_split_tender_with_change_clears_each_tender_alone() -> None:
    """E-T01. Card, gift card and cash with change: the gift card lowers what we owe its holder."""
    sold = ticket(
        line("100.00"),
        paid=(("card", "50.00"), ("gift_card", "20.00"), ("cash", "40.00"), ("change", "-10.00")),
    )

    assert booked(sold) == {
        "revenue": D("-100.00"),
        "tender_clearing/card": D("50.00"),
        "gift_card_liability": D("20.00"),
        "tender_clearing/cash": D("30.00"),
    }


def test_cash_rounding_is_a_line_of_its_own() -> None:
    """E-T03. CHF 9.98 paid as 10.00: two centimes of rounding, whether told as amount or tender."""
    as_amount = ticket(
        line("9.98"), currency="CHF", rounding=D("0.02"), total=D("10.00"),
        tenders=(Tender(kind="cash", name="Cash", amount=D("10.00")),),
    )  # fmt: skip
    as_tender = ticket(
        line("9.98"), currency="CHF", paid=(("cash", "10.00"), ("rounding", "-0.02"))
    )

    wanted = {
        "revenue": D("-9.98"),
        "rounding/cash": D("-0.02"),
        "tender_clearing/cash": D("10.00"),
    }
    assert booked(as_amount) == wanted
    assert booked(as_tender) == wanted


def test_a_gift_card_sold_is_owed_and_no_revenue() -> None:
    """E-T05."""
    rules = PostingRules(lines={"GIFT*": "gift_card_sold"})

    assert booked(ticket(line("50.00", sku="GIFT-50"), line("10.00")), rules) == {
        "gift_card_liability": D("-50.00"),
        "revenue": D("-10.00"),
        "tender_clearing/cash": D("60.00"),
    }


def test_a_tip_is_owed_to_the_staff() -> None:
    rules = PostingRules(lines={"TIP": "tip"})

    assert booked(ticket(line("5.00", sku="TIP")), rules) == {
        "tips_payable": D("-5.00"),
        "tender_clearing/cash": D("5.00"),
    }


def test_a_discount_may_be_shown_beside_full_revenue() -> None:
    sold = line("8.00")
    reduced = type(sold)(
        line_id="1", sku="A", title="A", quantity=D(1), unit_price=D(10), discount=D(2), net=D(8),
        gross=D("8.00"),
    )  # fmt: skip

    assert booked(ticket(reduced), PostingRules(discounts="shown")) == {
        "revenue": D("-10.00"),
        "discounts": D("2"),
        "tender_clearing/cash": D("8.00"),
    }


def test_goods_taken_back_at_the_till_are_returns() -> None:
    assert booked(ticket(line("-10.83", "-0.83", quantity=-1))) == {
        "returns": D("10.00"),
        "tax_payable/Sales tax": D("0.83"),
        "tender_clearing/cash": D("-10.83"),
    }


def test_inclusive_and_exclusive_tax_of_one_sale_book_alike() -> None:
    """E-X01. What the customer paid and the tax in it decide; how prices are written does not."""
    exclusive = ticket(line("11.90", "1.90"))
    inclusive = ticket(line("11.90", "1.90"), tax_inclusive=True)

    assert booked(exclusive) == booked(inclusive)


def test_a_cent_between_lines_and_total_is_rounding_and_never_hidden() -> None:
    """E-X02. 69.34 in lines, 69.35 on the ticket."""
    odd = ticket(line("69.34"), total=D("69.35"), paid=(("cash", "69.35"),))

    assert booked(odd)["rounding/document"] == D("-0.01")


def test_more_than_rounding_stands_in_suspense_with_its_amount() -> None:
    odd = ticket(line("60.00"), total=D("69.35"), paid=(("cash", "69.35"),))

    assert booked(odd)["suspense/document"] == D("-9.35")


def test_tax_that_a_marketplace_collects_is_not_ours() -> None:
    """E-X04. Not posted, or posted in and out: the settlement brings it to nothing."""
    sold = ticket(line("10.83", "0.83"), kind="marketplace", tenders=())

    assert booked(sold) == {
        "revenue": D("-10.00"),
        "marketplace_receivable": D("10.00"),
    }
    assert booked(sold, PostingRules(marketplace_tax="in_and_out")) == {
        "revenue": D("-10.00"),
        "marketplace_tax/Sales tax": D("-0.83"),
        "marketplace_receivable": D("10.83"),
    }


def test_a_ticket_without_tender_is_owed_by_its_customer() -> None:
    assert booked(ticket(line("10.00"), tenders=()))["customer_receivable"] == D("10.00")


def test_a_mixed_basket_keeps_each_tax_apart() -> None:
    """E-X07. Food without tax, a book at 7 %, tobacco at 19 %."""
    food, book, tobacco = line("5.00"), line("10.70", "0.70"), line("11.90", "1.90")
    named = [
        type(each)(
            line_id=name, title=name, quantity=D(1), unit_price=each.net, net=each.net,
            gross=each.gross,
            taxes=tuple(Tax(name=name, amount=tax.amount) for tax in each.taxes),
        )
        for name, each in (("0", food), ("7", book), ("19", tobacco))
    ]  # fmt: skip

    found = booked(ticket(*named))

    assert found["tax_payable/7"] == D("-0.70")
    assert found["tax_payable/19"] == D("-1.90")
    assert found["revenue"] == D("-25.00")


def test_a_refund_with_kept_shipping_gives_back_goods_and_tax_only() -> None:
    refund = Refund(
        refund_id="1", order_id="1", currency="USD", happened_at=AT,
        lines=(line("-10.83", "-0.83", quantity=-1),), amount=D("10.83"),
        tenders=(Tender(kind="card", name="Visa", amount=D("10.83")),),
    )  # fmt: skip

    assert booked(refund) == {
        "returns": D("10.00"),
        "tax_payable/Sales tax": D("0.83"),
        "tender_clearing/card": D("-10.83"),
    }


def test_money_refunded_without_goods_is_a_return_of_its_own() -> None:
    refund = Refund(
        refund_id="1", order_id="1", currency="USD", happened_at=AT, amount=D("5.00"),
        tenders=(Tender(kind="card", name="Visa", amount=D("5.00")),),
    )  # fmt: skip

    assert booked(refund) == {"returns/other": D("5.00"), "tender_clearing/card": D("-5.00")}


@pytest.mark.parametrize("kind", MOVES)
def test_every_movement_is_balanced_and_its_reverse_undoes_it(kind: str) -> None:
    there, back = move(kind, D("7.50")), move(kind, D("-7.50"))

    assert sum(there.values()) == 0
    assert added([there, back]) == {}
    assert there[MOVES[kind].debit, ""] == D("7.50")


def test_every_role_of_a_template_is_known() -> None:
    named = {leg.role for leg in LEGS.values()}
    named |= {role for each in MOVES.values() for role in (each.debit, each.credit)}

    assert named <= set(ROLES)


def test_a_role_without_account_is_named_and_others_have_theirs() -> None:
    """E-F17. The department is new: its line has no account, and one is suggested."""
    rules = PostingRules(
        departments={"A": "Books"},
        accounts={"revenue/Food": "4000", "tender_clearing": "1010"},
    )
    lines = lines_of(fold(order_facts(ticket(line("10.00")), rules)), rules)

    assert [(each.role, each.detail, each.account) for each in lines] == [
        ("revenue", "Books", None),
        ("tender_clearing", "cash", "1010"),
    ]
    assert unmapped(lines) == [("revenue", "Books")]
    assert rules.suggestion("revenue") == "4000"


def test_lines_that_do_not_balance_are_never_made() -> None:
    with pytest.raises(Unbalanced, match=r"differ by 0\.01"):
        lines_of({("revenue", ""): D("-10.00"), ("tender_clearing", "cash"): D("10.01")}, PLAIN)


def test_a_day_in_a_closed_period_is_booked_on_the_first_open_day() -> None:
    """E-F16. The business day stays in the memo."""
    rules = PostingRules(closed_until=DAY)

    booked_on, memo = posting_date(DAY, rules)

    assert str(booked_on) == "2026-11-21"
    assert memo == "Business day 2026-11-20; its period is closed."
    assert posting_date(booked_on, rules) == (booked_on, "")
