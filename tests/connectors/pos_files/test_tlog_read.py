"""What a T-log ticket means: goods, postage, credits, adjustments, and how it was paid."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.canonical.money import Money
from connectors.canonical.order import Order
from connectors.sdk.message import HoldRecord, JsonObject
from tests.connectors.pos_files.reading import FIXTURES, TLOG, outcomes
from tests.connectors.pos_files.test_tlog_split import HEADER


def _ticket(*rows: str) -> bytes:
    return "\n".join((HEADER, *rows, "")).encode()


def _held(content: bytes, settings: JsonObject = TLOG) -> HoldRecord:
    ((_, problem),) = outcomes(content, settings).held.items()
    return problem


def test_fixture_sale_is_read_with_postage_as_a_line_without_sku() -> None:
    settings = {**TLOG, "store": "7", "workstation": "2", "tender": "account"}

    found = outcomes((FIXTURES / "three_tickets.csv").read_bytes(), settings)

    event = found.events["900001/2026-03-07"]
    assert (event.key, event.label) == ("till:7/2", "Ticket 900001, store 7 till 2")
    assert event.occurred_at == datetime(2026, 3, 7, 9, tzinfo=UTC)
    assert event.business_day == date(2026, 3, 7)
    assert event.amount == Money(amount=Decimal("18.95"), currency="GBP")
    order = event.body
    assert isinstance(order, Order)
    assert [(each.sku, each.title, each.net) for each in order.lines] == [
        ("MUG-1", 'Mug, blue "large"', Decimal("15.00")),
        (None, "POST POSTAGE", Decimal("3.95")),
    ]
    assert [(paid.kind, paid.amount) for paid in order.tenders] == [("account", Decimal("18.95"))]
    assert order.customer is not None
    assert order.customer.external_id == "4711"


def test_fixture_credit_is_a_sale_with_negative_lines() -> None:
    found = outcomes((FIXTURES / "three_tickets.csv").read_bytes(), TLOG)

    order = found.events["C900002/2026-03-07"].body
    assert isinstance(order, Order)
    assert (order.total, order.lines[0].quantity, order.sequence) == (
        Decimal("-7.50"), Decimal(-1), "900002",
    )  # fmt: skip
    assert order.tenders == ()
    assert order.cancels is None


def test_free_line_on_a_paid_ticket_is_sold() -> None:
    found = outcomes((FIXTURES / "three_tickets.csv").read_bytes(), TLOG)

    order = found.events["900003/2026-03-07"].body
    assert isinstance(order, Order)
    assert [each.net for each in order.lines] == [Decimal("12.75"), Decimal("0.00")]
    assert order.lines[0].title == "Tea towel\ntwo-sided"


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (
            "skipped.finance_adjustment",
            "A5,B,Adjust bad debt,1,2026-03-07 09:00:00,-11062.06,,France",
        ),
        ("skipped.stock_adjustment", "5,A1,damages,-10,2026-03-07 09:00:00,0.0,,France"),
        ("skipped.stock_adjustment", "5,A1,found,66,2026-03-07 09:00:00,0.0,,France"),
    ],
)
def test_what_is_no_sale_is_skipped_with_its_reason(reason: str, text: str) -> None:
    found = outcomes(_ticket(text), TLOG)

    assert list(found.skipped.values()) == [reason]
    assert (found.events, found.held) == ({}, {})


def test_free_ticket_of_a_known_customer_is_a_sale() -> None:
    found = outcomes(_ticket("5,A1,Gift,1,2026-03-07 09:00:00,0.0,12.0,France"), TLOG)

    assert [order.total for order in found.orders()] == [Decimal("0.00")]


@pytest.mark.parametrize(
    ("code", "pointer", "text"),
    [
        ("price.negative", "UnitPrice", "5,A1,Thing,1,2026-03-07 09:00:00,-2.00,,France"),
        ("ticket.sign_unclear", "Quantity", "C5,A1,Thing,1,2026-03-07 09:00:00,2.00,,France"),
        ("quantity.invalid", "Quantity", "5,A1,Thing,,2026-03-07 09:00:00,2.00,,France"),
        ("quantity.range", "Quantity", f"5,A1,Thing,{2**63},2026-03-07 09:00:00,2.00,,France"),
        ("time.invalid", "InvoiceDate", "5,A1,Thing,1,01/02/2024,2.00,,France"),
    ],
)
def test_wrong_value_is_held_with_its_column(code: str, pointer: str, text: str) -> None:
    problem = _held(_ticket(text))

    assert (problem.code, problem.pointer) == (code, f"/rows/0/{pointer}")


def test_amount_of_a_held_ticket_is_what_its_rows_come_to() -> None:
    problem = _held(_ticket("5,A1,Thing,3,not a time,2.00,,France"))

    assert problem.amount == Money(amount=Decimal("6.00"), currency="GBP")
    assert problem.words.startswith('Ticket 5: "not a time" is not a time that exists.')


@pytest.mark.parametrize(
    ("code", "setting", "value"),
    [
        ("currency.missing", "currency", ""),
        ("time.zone_missing", "timezone", ""),
        ("tender.unknown", "tender", "shells"),
    ],
)
def test_setting_that_is_missing_or_unknown_holds_the_ticket(
    code: str, setting: str, value: str
) -> None:
    content = _ticket("5,A1,Thing,3,2026-03-07 09:00:00,2.00,,France")

    assert _held(content, {**TLOG, setting: value}).code == code
