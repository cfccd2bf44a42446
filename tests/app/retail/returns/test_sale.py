"""What stands for the sale where there is none, and where the goods never come."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from app.retail.returns.facts import LimitPassed
from app.retail.returns.fold import fold
from app.retail.returns.plan import plan
from app.retail.returns.sale import PriceSeen, sale_without_receipt
from connectors.canonical.returns import ReturnLine
from tests.app.retail.returns.shapes import AT, known, opened, refunded, sale, tender

D = Decimal
RATE = D("0.0825")


def test_without_a_receipt_the_lowest_price_of_ninety_days_is_given_as_credit() -> None:
    """E-R01. Return without receipt."""
    lines = (ReturnLine(line_id="r1", sku="SHIRT", requested=D(2)),)
    request = opened(order_id=None, lines=lines).request
    prices = [
        PriceSeen("SHIRT", D("9.99"), RATE, AT - timedelta(days=91)),
        PriceSeen("SHIRT", D("10.82"), RATE, AT - timedelta(days=90)),
        PriceSeen("SHIRT", D("12.99"), RATE, AT),
        PriceSeen("SHIRT", D("1.00"), RATE, AT + timedelta(seconds=1)),
    ]

    made = sale_without_receipt(request, prices)

    (line,) = made.lines
    assert (line.net, line.taxes[0].amount) == (D("19.99"), D("1.65"))
    assert [(each.kind, each.amount) for each in made.tenders] == [("store_credit", D("21.64"))]


def test_an_article_that_was_not_sold_lately_is_worth_nothing() -> None:
    request = opened(order_id=None).request

    assert sale_without_receipt(request, []).captured == D(0)


def test_money_went_back_and_the_goods_are_overdue_so_a_person_is_asked() -> None:
    """E-R06. Refund first, goods never arrive."""
    of = sale(tender("marketplace", "43.49"))
    late = LimitPassed(key="limit:R3:1", at=AT, step="R3")

    made = plan(
        fold([opened("marketplace"), known(of), refunded("a", "marketplace", "43.49"), late]), []
    )

    (question,) = made.questions
    assert (question.kind, question.choices) == ("goods_missing", ("write_off", "wait"))
    assert question.words == "0 of 4 pieces arrived, and the time for the rest is over."
