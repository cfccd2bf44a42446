"""JSON that others send: read strictly into canonical events, or held with field, words and money."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors import registry
from connectors.canonical.event import Event
from connectors.canonical.money import Money
from connectors.canonical.order import Order
from connectors.sdk.message import HoldRecord, RawMessage

AT = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


def order(**changes: Any) -> dict[str, Any]:
    line = {
        "line_id": "1", "sku": "MM-1", "title": "Mug", "quantity": 2, "unit_price": "5.005",
        "net": "10.01", "gross": "10.01",
    }  # fmt: skip
    told = {
        "order_id": "A1", "number": "1001", "kind": "web", "currency": "USD",
        "placed_at": "2026-11-27T10:00:00-05:00", "lines": [line], "total": "10.01",
    }  # fmt: skip
    return told | changes


def envelope(data: object, **changes: Any) -> dict[str, Any]:
    head = {"specversion": "1.0", "id": "evt-1", "source": "/x", "type": "retail.order.placed.v1"}
    return head | {"data": data} | changes


def read(payload: object, topic: str = "event", **settings: Any) -> Event:
    message = RawMessage(topic, msgspec.json.encode(payload), AT, settings=settings)
    (event,) = registry.load("http").read(message).events
    return event


def held(payload: object, topic: str = "event") -> HoldRecord:
    with pytest.raises(HoldRecord) as caught:
        read(payload, topic)
    return caught.value


def test_an_order_in_an_envelope_becomes_an_event_with_its_key_and_money() -> None:
    event = read(envelope(order(), time="2026-11-27T15:00:05Z"))

    assert (event.type, event.key, event.object_id) == ("retail.order.placed.v1", "order:A1", "A1")
    assert (event.version, event.label) == ("evt-1", "Order 1001")
    assert event.occurred_at == datetime(2026, 11, 27, 15, 0, 5, tzinfo=UTC)
    assert event.amount == Money(amount=Decimal("10.01"), currency="USD")
    assert isinstance(event.body, Order)
    assert event.body.lines[0].unit_price == Decimal("5.005")


def test_every_change_of_an_order_is_a_fact_of_its_own() -> None:
    first = read(envelope(order(), type="retail.order.changed.v1", id="evt-1"))
    second = read(envelope(order(), type="retail.order.changed.v1", id="evt-2"))
    told = read(envelope(order(), type="retail.order.changed.v1", id="evt-3", objectversion=7))

    assert (first.version, second.version, told.version) == ("evt-1", "evt-2", "7")


def test_a_bare_object_takes_its_type_from_the_topic() -> None:
    assert read(order(), topic="retail.order.cancelled.v1").type == "retail.order.cancelled.v1"


def test_a_senders_own_words_are_translated() -> None:
    payload = order(what="sale.new")

    event = read(payload, topic_field="what", event_types={"sale.new": "retail.order.placed.v1"})

    assert event.type == "retail.order.placed.v1"


def test_fields_we_do_not_know_are_left_aside() -> None:
    assert read(envelope(order(colour="blue"), extension="x")) == read(envelope(order()))


def test_a_cent_per_line_is_carried_as_rounding() -> None:
    event = read(order(total="10.02"), topic="retail.order.placed.v1")

    assert isinstance(event.body, Order)
    assert event.body.rounding == Decimal("0.01")


def test_voided_lines_do_not_count() -> None:
    voided = order()["lines"][0] | {"is_voided": True, "gross": "99.00"}

    event = read(order(lines=[*order()["lines"], voided]), topic="retail.order.placed.v1")

    assert isinstance(event.body, Order)
    assert event.body.rounding == 0


HELD = [
    (order(total="10.03"), "order.totals_differ", "/data/total"),
    (order(total="10.031"), "amount.scale", "/data/total"),
    (order(total="10,01"), "number.locale", "/data/total"),
    (order(total=None), "contract.missing_field", "/data/total"),
    (order(total=True), "contract.wrong_type", "/data/total"),
    (order(order_id=""), "contract.wrong_type", "/data/order_id"),
    (order(order_id=["A1"]), "contract.wrong_type", "/data/order_id"),
    (order(currency="usd"), "currency.unknown", "/data/currency"),
    (order(placed_at="2026-11-27T10:00:00"), "time.zone_missing", "/data/placed_at"),
    (order(placed_at="27/11/2026"), "time.invalid", "/data/placed_at"),
    (order(kind="telegram"), "contract.value_unknown", "/data/kind"),
    (order(is_test="true"), "contract.wrong_type", "/data/is_test"),
    (order(lines=[{"line_id": "1"}]), "contract.missing_field", "/data/lines/0/title"),
    (order(lines={"0": {}}), "contract.wrong_type", "/data/lines"),
    (order(lines=["x"]), "contract.wrong_type", "/data/lines/0"),
    (order(customer="Robin"), "contract.wrong_type", "/data/customer"),
    (order(number="a\x00b"), "text.nul", "/data/number"),
]


@pytest.mark.parametrize(("data", "code", "pointer"), HELD)
def test_a_wrong_field_holds_the_record_and_is_pointed_at(
    data: dict[str, Any], code: str, pointer: str
) -> None:
    hold = held(envelope(data))

    assert (hold.code, hold.pointer) == (code, pointer)
    assert hold.words


def test_a_held_order_says_what_money_is_at_stake() -> None:
    assert held(envelope(order(kind="x"))).amount == Money(amount=Decimal("10.01"), currency="USD")
    assert held(envelope(order(total="x"))).amount is None


def test_totals_that_differ_are_explained_with_both_figures() -> None:
    assert held(envelope(order(total="12.00"))).words == (
        "Order 1001 says 12.00 USD in total, but its lines, shipping, fees and rounding make"
        " 10.01 USD. Correct it at the sender."
    )


TYPES = [
    (envelope(order(), type="retail.order.placed.v2"), "contract.version_unknown", "/type"),
    (envelope(order(), type="retail.order.mislaid.v1"), "event.type_unknown", "/type"),
    (envelope(order(), type=""), "event.type_unknown", "/type"),
    (envelope(order(), type=5), "contract.wrong_type", "/type"),
    (envelope(order(), specversion="0.3"), "contract.version_unknown", "/specversion"),
    (envelope(order(), dataschema="order/2.0.0"), "contract.version_unknown", "/dataschema"),
    (envelope(None), "contract.missing_field", "/data"),
    (envelope([]), "contract.wrong_type", "/data"),
]


@pytest.mark.parametrize(("payload", "code", "pointer"), TYPES)
def test_what_is_no_event_of_ours_is_held(payload: dict[str, Any], code: str, pointer: str) -> None:
    hold = held(payload)

    assert (hold.code, hold.pointer) == (code, pointer)


@pytest.mark.parametrize("schema", ["order/1.9.0", "https://example.com/order/1.0.0", "urn:theirs"])
def test_newer_minor_contracts_and_schemas_of_others_are_read(schema: str) -> None:
    assert read(envelope(order(), dataschema=schema)).object_id == "A1"


@pytest.mark.parametrize("field", ["store", "workstation", "sequence", "business_day"])
def test_a_ticket_without_its_natural_key_is_held(field: str) -> None:
    ticket = order(store="S1", workstation="W1", sequence="17", business_day="2026-11-27")
    del ticket[field]

    hold = held(ticket, topic="retail.till.sale.v1")

    assert (hold.code, hold.pointer) == ("contract.missing_field", f"/{field}")


def test_tickets_of_one_till_keep_their_order() -> None:
    ticket = order(store="S1", workstation="W1", sequence="17", business_day="2026-11-27")

    event = read(ticket, topic="retail.till.sale.v1")

    assert (event.key, event.label) == ("till:S1/W1", "Ticket 17, store S1 till W1")


def test_tracking_numbers_must_be_a_list_of_texts() -> None:
    shipment = {
        "fulfilment_id": "F1", "order_id": "A1", "status": "success",
        "shipped_at": "2026-11-28T08:00:00Z", "tracking_numbers": ["PX-1", 5],
    }  # fmt: skip

    hold = held(shipment, topic="retail.order.fulfilled.v1")

    assert (hold.code, hold.pointer) == ("contract.wrong_type", "/tracking_numbers/1")
