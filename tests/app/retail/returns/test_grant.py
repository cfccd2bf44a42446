"""What a return comes to: exact shares of the sale, in however many parts it comes back."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.retail.returns.facts import Fact, Policy
from app.retail.returns.fold import fold
from app.retail.returns.grant import components, total
from app.retail.returns.sale import Sale, SoldLine, sale_of, sold_for_checks
from connectors.canonical.order import Line, Order, Tax, Tender
from connectors.canonical.return_checks import grant_breaches
from connectors.canonical.returns import PayBack, RefundGrant
from tests.app.retail.returns.shapes import AT, inspected, known, opened, received, sale, tender

D = Decimal
cents = st.integers(0, 50_000).map(lambda each: D(each) / 100)


@st.composite
def sold_lines(draw: st.DrawFn) -> SoldLine:
    taxes = draw(st.lists(cents, max_size=3))
    return SoldLine(
        line_id="1",
        sku="SHIRT",
        quantity=D(draw(st.integers(1, 9))),
        net=draw(cents),
        taxes=tuple(
            Tax(name=f"T{place}", rate=D("0.1"), amount=tax) for place, tax in enumerate(taxes)
        ),
    )


def worth(line: SoldLine, returned: int, quantity: int) -> Decimal:
    before = SoldLine(
        line_id="1",
        quantity=line.quantity,
        returned=D(returned),
        net=line.net,
        taxes=line.taxes,
    )
    of = sale(tender("card", "9999"), lines=(before,))
    facts: list[Fact] = [
        opened(quantities=(str(quantity), "0")),
        known(of),
        inspected("a", "r1", str(quantity)),
    ]
    return total(components(fold(facts)))


@given(sold_lines(), st.data())
def test_parts_that_come_back_one_after_the_other_make_the_whole_line(
    line: SoldLine, data: st.DataObject
) -> None:
    returned, sums = 0, D(0)
    while returned < line.quantity:
        quantity = data.draw(st.integers(1, int(line.quantity) - returned))
        sums += worth(line, returned, quantity)
        returned += quantity

    assert sums == line.net + sum((tax.amount for tax in line.taxes), D(0))


def test_tax_goes_back_at_the_rate_of_the_sale_whatever_it_is_today() -> None:
    """E-X05. The tax rate changed between sale and return."""
    facts: list[Fact] = [opened(quantities=("1", "0")), known(sale()), inspected("a", "r1", "1")]

    parts = components(fold(facts))

    assert [(part.kind, part.name, part.rate, part.amount) for part in parts] == [
        ("item", "", None, D("10.00")),
        ("tax", "State", D("0.0825"), D("0.82")),
        ("tax", "City", D("0.0110"), D("0.11")),
    ]


def test_a_restocking_fee_and_the_label_are_taken_off_and_named() -> None:
    """E-R13. Restocking fee and return label are deducted."""
    policy = Policy(restocking_fee=D("2.00"), label_fee=D("20.00"))
    facts: list[Fact] = [
        opened(quantities=("1", "0"), policy=policy),
        known(sale()),
        inspected("a", "r1", "1"),
    ]

    parts = components(fold(facts))

    fees = [(part.kind, part.amount) for part in parts if part.amount < 0]
    assert fees == [("restocking_fee", D("-2.00")), ("return_shipping", D("-8.93"))]
    assert total(parts) == 0


def test_what_was_dismissed_is_not_paid_back() -> None:
    """E-R03. The returned item differs from what was claimed."""
    facts: list[Fact] = [
        opened(quantities=("3", "0")),
        known(sale()),
        received(r1="1", dismissed={"r1": D(2)}),
        inspected("a", "r1", "1"),
    ]

    assert total(components(fold(facts))) == D("10.93")


def test_more_pieces_than_can_come_back_are_worth_no_more_than_the_line() -> None:
    facts: list[Fact] = [opened(quantities=("9", "0")), known(sale()), inspected("a", "r1", "9")]

    assert total(components(fold(facts))) == D("32.79")


def test_a_grant_that_follows_the_sale_breaks_no_rule() -> None:
    of = sale()
    parts = components(fold([opened(), known(of), inspected("a", "r1", "3")]))
    grant = RefundGrant(
        return_id="R-1",
        order_id="1001",
        currency="USD",
        components=parts,
        tenders=(PayBack(tender_id="card", kind="card", amount=total(parts)),),
    )

    assert grant_breaches(grant, sold_for_checks(of)) == []


def test_the_sale_of_a_till_ticket_takes_change_off_the_cash_and_tax_out_of_the_price() -> None:
    """E-T01. Split tender with change."""
    line = Line(
        line_id="1", title="Shirt", quantity=D(1), unit_price=D("11.90"), net=D("11.90"),
        taxes=(Tax(name="VAT", rate=D("0.19"), amount=D("1.90")),), gross=D("11.90"),
    )  # fmt: skip
    order = Order(
        order_id="7", number="7", kind="pos", currency="EUR", tax_inclusive=True, placed_at=AT,
        lines=(line,), total=D("11.90"),
        tenders=(
            Tender(kind="gift_card", name="Card", amount=D("1.90"), reference="GC"),
            Tender(kind="cash", name="Cash", amount=D("20.00")),
            Tender(kind="change", name="Change", amount=D("-10.00")),
        ),
    )  # fmt: skip

    made: Sale = sale_of(order)

    assert (made.lines[0].net, made.captured) == (D("10.00"), D("11.90"))
    assert Counter({each.kind: each.amount for each in made.tenders}) == {
        "gift_card": D("1.90"),
        "cash": D("10.00"),
    }
