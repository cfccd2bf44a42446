"""The connector's pure rules: wrapped values, exact prices, what answers mean, how settings fail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.catalog.tryton.answers import check
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.encoding import decode, encode
from connectors.catalog.tryton.order_lines import sale_lines, totals
from connectors.catalog.tryton.pricing import priced
from connectors.catalog.tryton.settings import read_settings
from connectors.catalog.tryton.stopped import Refused, Stopped
from connectors.lab.scripted import Scripted, answered
from connectors.registry import load
from connectors.sdk.connector import Dispatch
from connectors.sdk.message import HoldRecord, RawMessage
from connectors.sdk.outcome import Rejected, RetryLater, Unknown
from connectors.sdk.transport import Answer
from tests.connectors.tryton.real import CONNECTOR, line, moment, placed, web_order

FIXTURES = Path(__file__).parents[3] / "connectors" / "catalog" / "tryton" / "fixtures"
SETTINGS = {"database": "tryton", "company": 1, "currency": "USD", "taxes": {"0.2": 7}}


@pytest.mark.parametrize(
    "value",
    [
        Decimal("12.3400"),
        date(2026, 11, 20),
        datetime(2026, 11, 20, 18, 41, 15, 661941, tzinfo=UTC),
        b"receipt",
        {"nested": [Decimal("0.01"), None, "text", 3, True]},
    ],
)
def test_wrapped_values_come_back_as_they_went(value: object) -> None:
    assert decode(encode(value)) == value


def test_quantities_are_read_as_the_decimal_that_is_written() -> None:
    assert decode(b'{"quantity": 98.725}') == {"quantity": Decimal("98.725")}


@given(
    quantity=st.decimals("0.001", "99999", places=3),
    cents=st.integers(0, 10_000_000),
    tax_cents=st.integers(0, 1_000_000),
    sign=st.sampled_from([1, -1]),
)
def test_parts_of_a_line_always_come_to_the_amounts(
    quantity: Decimal, cents: int, tax_cents: int, sign: int
) -> None:
    net = sign * Decimal(cents).scaleb(-2)
    gross = net + sign * Decimal(tax_cents).scaleb(-2)

    parts = priced(sign * quantity, net, gross, 4)

    cent = Decimal("0.01")
    assert sum(part.quantity for part in parts) == sign * quantity
    assert sum((part.net_unit * part.quantity).quantize(cent) for part in parts) == net
    assert sum((part.gross_unit * part.quantity).quantize(cent) for part in parts) == gross


def test_discount_is_in_the_unit_price_and_voided_lines_are_left_out() -> None:
    kept = line("A", "3", "29.70", "5.94", unit_price="11.00", discount="3.30")
    order = web_order(kept)

    rows = sale_lines(order, {}, read_settings(SETTINGS))

    assert [(row["quantity"], row["unit_price"]) for row in rows] == [(3.0, Decimal("9.9000"))]
    assert rows[0]["taxes"] == [["add", [7]]]
    assert totals(order, read_settings(SETTINGS)).tax == Decimal("5.94")


def test_refusal_is_rejected_with_trytons_words() -> None:
    body = (FIXTURES / "refusal.json").read_bytes()

    with pytest.raises(Refused) as refused:
        check(Answer(400, {}, body, 1), changes=True)

    words = "Tryton says: The code on party must be unique."
    assert refused.value.outcome == Rejected("target.refused", "", words, 400)


NO_RECORDS = [b'{"error": "nope"}', b'["nope"]', b'[{"state": "done"}]', b"null", b'"done"']


@pytest.mark.parametrize("body", NO_RECORDS)
async def test_good_status_without_records_is_asked_again(body: bytes) -> None:
    tryton = Tryton(Scripted(answered(200, body)), read_settings(SETTINGS))

    with pytest.raises(Stopped) as stopped:
        await tryton.search("sale.sale", [], ("state",))

    words = "Tryton's answer is none that Tryton gives, or it broke off."
    assert stopped.value.outcome == RetryLater("target.unreadable", words, None, 200)


async def test_good_status_with_an_error_inside_leaves_open_whether_the_change_was_made() -> None:
    target = Scripted(answered(200, b'{"error": "nope", "success": false}'))

    with pytest.raises(Stopped) as stopped:
        await Tryton(target, read_settings(SETTINGS)).create("sale.sale", {"party": 1})

    words = "Tryton's answer is none that Tryton gives, or it broke off."
    assert stopped.value.outcome == Unknown(words, 200)


def test_polled_record_is_read_with_the_moment_of_the_change_as_version() -> None:
    body = (FIXTURES / "stock.json").read_bytes()

    (event,) = CONNECTOR.read(RawMessage("stock", body, moment("2026-11-20T19:00"))).events

    assert event.key == "stock:main/SKU-015"
    assert event.version == "2026-11-20T18:41:15.661941+00:00"


def test_polled_record_without_quantity_is_held() -> None:
    body = b'{"sku": "A", "location": "main", "as_of": "2026-11-20T18:41:15Z"}'

    with pytest.raises(HoldRecord) as held:
        CONNECTOR.read(RawMessage("stock", body, moment("2026-11-20T19:00")))

    assert held.value.pointer == "/quantity"


async def test_unusable_settings_are_rejected_with_the_name_of_the_setting() -> None:
    dispatch: Dispatch = placed(web_order(line("A", "1", "1.00")), {"database": "tryton"})

    outcome = await CONNECTOR.send(dispatch, _NoTransport())

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.pointer) == ("settings.invalid", "/settings/company")


def test_catalogue_loads_the_connector_and_every_action_is_done() -> None:
    connector = load("tryton")

    actions = [action.name for action in connector.manifest.actions]

    assert actions == ["create_order", "create_ticket", "cancel_order"]


class _NoTransport:
    async def request(self, call: object) -> Answer:
        raise AssertionError("nothing may be sent")
