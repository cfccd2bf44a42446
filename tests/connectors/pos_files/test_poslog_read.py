"""What a POSLog transaction means: goods, voids, rewards, taxes, tenders, and what is no sale."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.canonical.money import Money
from connectors.canonical.order import Order
from connectors.sdk.message import HoldRecord, JsonObject
from tests.connectors.pos_files.poslog_text import line, poslog, sale, simple, tender, transaction
from tests.connectors.pos_files.reading import FIXTURES, POSLOG, outcomes

CONTROL = "skipped.control_transaction"


def _order(*items: str, total: str) -> Order:
    found = outcomes(poslog(sale(total, *items)), POSLOG)
    assert found.held == {}
    return found.orders()[0]


def _held(text: str, settings: JsonObject = POSLOG) -> HoldRecord:
    ((_, problem),) = outcomes(poslog(text), settings).held.items()
    return problem


def test_fixture_sale_is_read_with_weight_reward_tax_and_cash_back() -> None:
    found = outcomes((FIXTURES / "two_stores.xml").read_bytes(), POSLOG)

    event = found.events["12/2026-03-07/1/8"]
    assert (event.type, event.key, event.object_id, event.label) == (
        "retail.till.sale.v1", "till:12/1", "12/2026-03-07/1/8", "Ticket 8, store 12 till 1",
    )  # fmt: skip
    assert event.occurred_at == datetime(2026, 3, 7, 14, 4, 30, tzinfo=UTC)
    assert event.business_day == date(2026, 3, 7)
    assert event.amount == Money(amount=Decimal("6.46"), currency="USD")
    order = event.body
    assert isinstance(order, Order)
    pears, soap = order.lines
    assert (pears.quantity, pears.uom, pears.unit_price, pears.net) == (
        Decimal("0.42"), "LBR", Decimal("2.99"), Decimal("1.26"),
    )  # fmt: skip
    assert (pears.title, pears.gtin) == ("Pears & more", None)
    assert (soap.title, soap.gtin) == ("Soap </Transaction> bar", "00036000241457")
    assert (soap.unit_price, soap.discount, soap.net) == (
        Decimal("2.50"), Decimal("0.25"), Decimal("4.75"),
    )  # fmt: skip
    assert [(tax.name, tax.amount) for tax in soap.taxes] == [("Sales tax", Decimal("0.45"))]
    assert soap.gross == Decimal("5.20")
    assert [(paid.kind, paid.amount) for paid in order.tenders] == [
        ("card", Decimal("26.46")), ("change", Decimal("-20.00")),
    ]  # fmt: skip


def test_fixture_return_has_negative_lines_and_names_the_ticket_it_undoes() -> None:
    found = outcomes((FIXTURES / "two_stores.xml").read_bytes(), POSLOG)

    order = found.events["31/2026-03-07/2/8"].body
    assert isinstance(order, Order)
    assert order.total == Decimal("-7.50")
    assert [(each.quantity, each.net) for each in order.lines] == [(Decimal(-1), Decimal("-7.50"))]
    assert [(paid.kind, paid.amount) for paid in order.tenders] == [("cash", Decimal("-7.50"))]
    assert order.cancels == "31/2026-03-05/2/3"


def test_void_with_its_opposite_voids_both_lines() -> None:
    order = _order(
        line("4.40", number="1"),
        line("2.00", number="2", item="B-2"),
        line("-4.40", number="3", price="4.40", quantity="-1", flags=' VoidFlag="true"'),
        tender("2.00"),
        total="2.00",
    )

    assert [each.is_voided for each in order.lines] == [True, False, True]
    assert sum(each.gross for each in order.lines) == Decimal("2.00")


def test_void_of_a_part_is_a_negative_line() -> None:
    order = _order(
        line("6.00", number="1", price="3.00", quantity="2"),
        line("-3.00", number="2", price="3.00", quantity="-1", flags=' VoidFlag="true"'),
        tender("3.00"),
        total="3.00",
    )

    assert [(each.is_voided, each.quantity) for each in order.lines] == [
        (False, Decimal(2)),
        (False, Decimal(-1)),
    ]


def test_line_that_was_struck_out_counts_with_nothing() -> None:
    order = _order(
        line("6.00", number="1"),
        line("9.00", number="2", item="B-2", flags=' VoidFlag="true"'),
        tender("6.00"),
        total="6.00",
    )

    assert [(each.is_voided, each.gross) for each in order.lines] == [
        (False, Decimal(6)),
        (True, Decimal(0)),
    ]


@pytest.mark.parametrize(("amount", "total"), [("8.00", "8.00"), ("10.00", "8.00")])
def test_line_discount_is_read_whether_the_till_writes_amounts_after_or_before_it(
    amount: str, total: str
) -> None:
    order = _order(
        line(amount, price="5.00", quantity="2", discount="2.00"), tender(total), total=total
    )

    (only,) = order.lines
    assert (only.unit_price, only.discount, only.net) == (
        Decimal("5.00"), Decimal("2.00"), Decimal("8.00"),
    )  # fmt: skip


def test_reward_for_the_whole_ticket_is_spread_to_the_cent() -> None:
    reward = (
        '<LineItem><LoyaltyReward acs:detailedData="true"><acs:RewardCategory>Monetary'
        "</acs:RewardCategory><acs:ExtendedRewardAmount>-1.00</acs:ExtendedRewardAmount>"
        "</LoyaltyReward></LineItem>"
    )

    order = _order(
        *(line("5.00", number=str(n), item=f"A-{n}") for n in (1, 2, 3)),
        reward,
        tender("14.00"),
        total="14.00",
    )

    assert [each.discount for each in order.lines] == [
        Decimal("0.34"), Decimal("0.33"), Decimal("0.33"),
    ]  # fmt: skip


def test_change_within_the_tender_is_taken_off() -> None:
    change = "<TenderChange><Amount>2.62</Amount></TenderChange>"

    order = _order(line("17.38"), tender("20.00", inside=change), total="17.38")

    assert [(paid.kind, paid.amount) for paid in order.tenders] == [
        ("cash", Decimal("20.00")), ("change", Decimal("-2.62")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (transaction("<ControlTransaction><NoSale/></ControlTransaction>"), CONTROL),
        (transaction("<TenderControlTransaction/>"), CONTROL),
        (transaction("<acs:SomethingNew><acs:Note>hi</acs:Note></acs:SomethingNew>"), CONTROL),
        (transaction("<RetailTransaction><LineItem/></RetailTransaction>"), CONTROL),
        (sale("1", line("1"), flags=' TrainingModeFlag="true"'), "skipped.training"),
        (sale("1", line("1"), status=' TransactionStatus="Suspended"'), "skipped.suspended_ticket"),
        (sale("1", line("1"), status=' TransactionStatus="acs:Voided"'), "skipped.voided_ticket"),
    ],
)
def test_what_sells_nothing_is_skipped_with_its_reason(text: str, reason: str) -> None:
    found = outcomes(poslog(text), POSLOG)

    assert list(found.skipped.values()) == [reason]
    assert (found.held, found.events) == ({}, {})


def test_unknown_kind_with_a_tender_is_held() -> None:
    problem = _held(transaction(f"<acs:Lottery>{tender('5.00')}</acs:Lottery>"))

    assert (problem.code, problem.pointer) == ("ticket.kind_unknown", "/Transaction/Lottery")


def test_lines_that_miss_the_total_are_held_with_both_numbers() -> None:
    problem = _held(sale("6.00", line("5.00"), tender("6.00")))

    assert problem.code == "order.totals_differ"
    assert problem.words == (
        "Ticket 1, store 9 till 34: Its lines, discounts and taxes come to 5.00 USD, its total says "
        "6.00 USD. They must be equal. Correct the ticket at the till, or release it with the line "
        "that is missing."
    )
    assert problem.amount == Money(amount=Decimal("6.00"), currency="USD")


def test_tenders_that_miss_the_total_are_held_with_both_numbers() -> None:
    problem = _held(sale("5.00", line("5.00"), tender("4.99")))

    assert problem.code == "order.totals_differ"
    assert "come to 4.99 USD, the total is 5.00 USD" in problem.words


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("amount.scale", sale("5.005", line("5.00"), tender("5.00"))),
        ("amount.invalid", sale("five", line("5.00"), tender("5.00"))),
        ("amount.invalid", sale("1e2", line("5.00"), tender("5.00"))),
        ("amount.range", sale("9" * 13, line("5.00"), tender("5.00"))),
        ("quantity.scale", sale("5.00", line("5.00", quantity="0.0000000001"), tender("5.00"))),
        ("time.invalid", simple(1).replace("T12:00:00", "T24:00:00")),
        ("time.invalid", simple(1).replace("T12:00:00", "T12:00:00+25:00")),
        ("time.invalid", simple(1).replace("2026-03-07<", "07.03.2026<")),
        ("order.currency_differs", simple(1).replace("USD", "CAD")),
        (
            "order.total_missing",
            transaction(f"<RetailTransaction>{line('5.00')}</RetailTransaction>"),
        ),
    ],
)
def test_wrong_values_are_held_with_their_code(code: str, text: str) -> None:
    assert _held(text).code == code


def test_yen_have_no_decimals() -> None:
    problem = _held(
        sale("10.50", line("10"), tender("10"), currency="JPY"), {**POSLOG, "currency": "JPY"}
    )

    assert problem.code == "amount.scale"


@pytest.mark.parametrize(
    ("ended", "zone", "expected"),
    [
        ("2026-03-29T02:30:00", "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (
            "2026-03-07T12:00:00.1234567+02:00",
            "",
            datetime(2026, 3, 7, 10, 0, 0, 123456, tzinfo=UTC),
        ),
    ],
)
def test_local_time_in_a_gap_or_fold_or_with_an_offset_is_placed(
    ended: str, zone: str, expected: datetime
) -> None:
    text = sale("5.00", line("5.00"), tender("5.00"), ended=ended)

    found = outcomes(poslog(text), {**POSLOG, "timezone": zone})

    assert [event.occurred_at for event in found.events.values()] == [expected]
    assert [event.business_day for event in found.events.values()] == [date(2026, 3, 7)]


def test_local_time_without_a_zone_is_held() -> None:
    assert _held(simple(1), {**POSLOG, "timezone": None}).code == "time.zone_missing"


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../../etc/passwd", "America"])
def test_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(HoldRecord) as refused:
        outcomes(poslog(simple(1)), {**POSLOG, "timezone": zone})

    assert refused.value.code == "time.zone_unknown"
