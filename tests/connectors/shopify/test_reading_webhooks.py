"""Shopify webhooks become canonical events, to the cent, or are held with both figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.canonical.event import Event, decode, encode
from connectors.canonical.money import Money
from connectors.canonical.order import Fulfilment, Line, Order, Refund, Tax, Tender
from connectors.registry import load, manifest
from connectors.sdk.message import HoldRecord, RawMessage, Reading

FIXTURES = Path(__file__).parents[3] / "connectors/catalog/shopify/fixtures"


def fixture(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return loaded


def read(topic: str, payload: dict[str, Any], **chosen: Any) -> Reading:
    message = RawMessage(
        topic=topic,
        body=json.dumps(payload).encode(),
        received_at=datetime(2026, 11, 27, 15, tzinfo=UTC),
        headers={"x-shopify-shop-domain": "maple-main.myshopify.com"},
        settings=chosen,
    )
    return load("shopify").read(message)


def event_of(topic: str, payload: dict[str, Any], **settings: Any) -> Event:
    (event,) = read(topic, payload, **settings).events
    assert decode(encode(event)) == event
    return event


def order_of(payload: dict[str, Any]) -> Order:
    order = event_of("orders/create", payload).body
    assert isinstance(order, Order)
    return order


def hold_of(topic: str, payload: dict[str, Any], **settings: Any) -> HoldRecord:
    with pytest.raises(HoldRecord) as caught:
        read(topic, payload, **settings)
    return caught.value


def test_new_order_becomes_an_order_placed_with_its_key_version_label_and_money() -> None:
    event = event_of("orders/create", fixture("order_placed"))

    assert event.type == "retail.order.placed.v1"
    assert event.key == "order:5500100200300"
    assert event.object_id == "5500100200300"
    assert event.version == "2026-11-27T14:03:11Z"
    assert event.label == "Order #1042"
    assert event.amount == Money(amount=Decimal("69.77"), currency="USD")
    assert event.occurred_at == datetime(2026, 11, 27, 14, 3, 10, tzinfo=UTC)


def test_lines_carry_their_share_of_the_order_discount_and_the_tax_that_shopify_told() -> None:
    order = order_of(fixture("order_placed"))

    assert order.lines[0] == Line(
        line_id="7100000001",
        sku="MM-0001",
        title="Canvas Tote - Natural",
        quantity=Decimal(2),
        unit_price=Decimal("24.50"),
        discount=Decimal("4.90"),
        net=Decimal("44.10"),
        taxes=(Tax(name="State Tax", rate=Decimal("0.0825"), amount=Decimal("3.64")),),
        gross=Decimal("47.74"),
    )
    assert order.lines[1].sku is None
    assert order.shipping == Decimal("6.44")
    assert order.shipping_taxes[0].amount == Decimal("0.49")
    assert order.tenders == (Tender(kind="card", name="shopify_payments", amount=Decimal("69.77")),)
    assert order.customer is not None
    assert order.customer.name == "Robin Example"
    assert order.ship_to is not None
    assert order.ship_to.postcode == "62701"


def test_parts_of_an_order_always_make_its_total() -> None:
    for name in ("order_placed", "order_at_till"):
        order = order_of(fixture(name))

        parts = sum((line.gross for line in order.lines), Decimal(0))
        assert parts + order.shipping + order.fees + order.rounding == order.total


def test_till_order_with_tax_included_tip_and_cash_rounding_is_exact() -> None:
    order = order_of(fixture("order_at_till"))

    assert order.kind == "pos"
    assert (order.store, order.workstation, order.operator) == ("7001", "12", "99")
    assert order.tax_inclusive is True
    assert [line.sku for line in order.lines] == ["MM-0003"]
    assert order.lines[0].gross == order.lines[0].net == Decimal("21.29")
    assert order.lines[0].taxes[0].amount == Decimal("2.45")
    assert order.fees == Decimal("2.00")
    assert order.rounding == Decimal("0.01")
    assert order.total == Decimal("23.30")
    assert order.tenders == (Tender(kind="cash", name="cash", amount=Decimal("23.30")),)


def test_duties_and_additional_fees_are_fees_unless_the_prices_contain_the_duties() -> None:
    duty = {"shop_money": {"amount": "3.00", "currency_code": "USD"}, "tax_lines": []}
    payload = fixture("order_placed") | {
        "total_price": "73.77",
        "original_total_additional_fees_set": {"shop_money": {"amount": "1.00"}},
    }
    payload["line_items"][0]["duties"] = [duty]

    assert order_of(payload).fees == Decimal("4.00")
    assert order_of(payload | {"total_price": "70.77", "duties_included": True}).fees == Decimal(1)


def test_shipping_discount_lowers_shipping_and_may_stand_in_total_discounts_or_not() -> None:
    payload = fixture("order_placed") | {"total_price": "63.33", "total_tax": "4.83"}
    payload["shipping_lines"][0] |= {
        "discount_allocations": [{"amount": "5.95"}],
        "tax_lines": [],
    }

    for told in ("6.50", "12.45"):
        assert order_of(payload | {"total_discounts": told}).shipping == Decimal(0)
    assert hold_of("orders/create", payload | {"total_discounts": "9.00"}).pointer == (
        "/total_discounts"
    )


def test_removed_shipping_line_is_not_charged() -> None:
    payload = fixture("order_placed") | {"total_price": "63.33"}
    payload["shipping_lines"][0]["is_removed"] = True

    assert order_of(payload).shipping == Decimal(0)


@pytest.mark.parametrize(("total", "carried"), [("69.80", "0.03"), ("69.74", "-0.03")])
def test_one_cent_for_each_line_is_carried_as_rounding(total: str, carried: str) -> None:
    order = order_of(fixture("order_placed") | {"total_price": total})

    assert order.rounding == Decimal(carried)
    assert order.total == Decimal(total)


@pytest.mark.parametrize("total", ["69.81", "69.73", "100.00"])
def test_order_whose_parts_miss_its_total_is_held_with_both_figures_and_its_money(
    total: str,
) -> None:
    held = hold_of("orders/create", fixture("order_placed") | {"total_price": total})

    assert held.code == "order.totals_differ"
    assert held.pointer == "/total_price"
    assert f"{total} USD" in held.words
    assert "69.77 USD" in held.words
    assert "#1042" in held.words
    assert held.amount == Money(amount=Decimal(total), currency="USD")


def test_discount_that_is_not_on_the_lines_is_held() -> None:
    held = hold_of("orders/create", fixture("order_placed") | {"total_discounts": "9.99"})

    assert (held.code, held.pointer) == ("order.totals_differ", "/total_discounts")


@pytest.mark.parametrize(
    ("topic", "event_type", "occurred_at"),
    [
        (
            "orders/updated",
            "retail.order.changed.v1",
            datetime(2026, 11, 27, 14, 3, 12, tzinfo=UTC),
        ),
        ("orders/paid", "retail.order.changed.v1", datetime(2026, 11, 27, 14, 3, 12, tzinfo=UTC)),
        ("orders/edited", "retail.order.changed.v1", datetime(2026, 11, 27, 14, 3, 12, tzinfo=UTC)),
        ("orders/cancelled", "retail.order.cancelled.v1", datetime(2026, 11, 27, 16, tzinfo=UTC)),
    ],
)
def test_later_news_of_an_order_keep_its_key(
    topic: str, event_type: str, occurred_at: datetime
) -> None:
    payload = fixture("order_placed") | {"cancelled_at": "2026-11-27T11:00:00-05:00"}

    event = event_of(topic, payload)

    assert (event.type, event.key) == (event_type, "order:5500100200300")
    assert event.occurred_at == occurred_at


def test_returned_goods_stay_in_the_order_because_the_refund_tells_them() -> None:
    payload = fixture("order_placed") | {
        "financial_status": "partially_refunded",
        "current_total_price": "45.90",
    }
    payload["line_items"][0]["current_quantity"] = 1

    order = event_of("orders/updated", payload).body

    assert isinstance(order, Order)
    assert order.total == Decimal("69.77")
    assert order.lines[0].quantity == Decimal(2)
    assert order.tenders[0].amount == Decimal("69.77")


def test_part_payment_tells_what_was_captured_and_an_unpaid_order_has_no_tender() -> None:
    partly = fixture("order_placed") | {
        "financial_status": "partially_paid",
        "total_outstanding": "19.77",
    }

    assert order_of(partly).tenders[0].amount == Decimal("50.00")
    assert order_of(partly | {"financial_status": "pending"}).tenders == ()


def test_test_order_is_marked() -> None:
    assert order_of(fixture("order_placed") | {"test": True}).is_test is True


def test_yen_order_has_no_decimals_and_half_a_yen_is_held() -> None:
    payload = {
        "id": 1, "name": "#1", "currency": "JPY", "taxes_included": True,
        "created_at": "2026-11-27T09:00:00+09:00", "updated_at": "2026-11-27T09:00:00+09:00",
        "total_price": "3000", "line_items": [{"id": 2, "title": "Mug", "quantity": 2, "price": "1500"}],
    }  # fmt: skip

    assert order_of(payload).total == Decimal(3000)
    held = hold_of("orders/create", payload | {"total_price": "3000.50"})
    assert (held.code, held.pointer) == ("amount.scale", "/total_price")


def test_refund_counts_the_money_that_moved_and_takes_the_goods_back() -> None:
    event = event_of("refunds/create", fixture("refund"))
    refund = event.body

    assert isinstance(refund, Refund)
    assert event.key == "order:5500100200300"
    assert event.object_id == "9900000001"
    assert event.amount == Money(amount=Decimal("23.87"), currency="USD")
    assert [(each.kind, each.amount) for each in refund.tenders] == [
        ("card", Decimal("20.00")),
        ("gift_card", Decimal("3.87")),
    ]
    (line,) = refund.lines
    assert (line.line_id, line.sku, line.quantity) == ("7100000001", "MM-0001", Decimal(-1))
    assert (line.net, line.taxes[0].amount, line.gross) == (
        Decimal("-22.05"),
        Decimal("-1.82"),
        Decimal("-23.87"),
    )
    assert line.unit_price * line.quantity - line.discount == line.net


def test_refund_in_a_shop_with_taxed_prices_does_not_add_the_tax_again() -> None:
    refund = event_of("refunds/create", fixture("refund"), taxes_included=True).body

    assert isinstance(refund, Refund)
    assert refund.lines[0].gross == Decimal("-22.05")


def test_refund_without_money_needs_the_currency_of_the_connection() -> None:
    payload = fixture("refund") | {"transactions": []}

    held = hold_of("refunds/create", payload)
    refund = event_of("refunds/create", payload, currency="USD").body

    assert (held.code, held.pointer) == ("contract.missing_field", "/transactions/0/currency")
    assert isinstance(refund, Refund)
    assert (refund.amount, refund.currency) == (Decimal(0), "USD")


@pytest.mark.parametrize("topic", ["fulfillments/create", "fulfillments/update"])
def test_fulfilment_tells_parcels_goods_and_the_order_number(topic: str) -> None:
    event = event_of(topic, fixture("fulfilment"))
    fulfilment = event.body

    assert isinstance(fulfilment, Fulfilment)
    assert event.type == "retail.order.fulfilled.v1"
    assert event.version == "2026-11-28T13:05:00Z"
    assert fulfilment.order_number == "#1042"
    assert fulfilment.status == "success"
    assert fulfilment.tracking_numbers == ("1Z9990000000000001",)
    assert [(line.sku, line.quantity) for line in fulfilment.lines] == [("MM-0001", Decimal(2))]


def test_edit_notice_says_nothing_because_the_whole_order_follows() -> None:
    assert read("orders/edited", fixture("order_edit_notice")) == Reading(
        skipped="skipped.thin_notice"
    )


def test_unknown_topic_is_held_by_name() -> None:
    held = hold_of("carts/create", {})

    assert (held.code, held.pointer) == ("event.type_unknown", "x-shopify-topic")
    assert '"carts/create"' in held.words


def test_webhook_of_another_shop_of_the_same_app_is_held() -> None:
    held = hold_of("orders/create", fixture("order_placed"), shop_domain="other-shop.myshopify.com")

    assert held.code == "connection.shop_differs"
    own = event_of("orders/create", fixture("order_placed"), shop_domain="Maple-Main.myshopify.com")
    assert own.object_id == "5500100200300"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"line_items": None}, "contract.missing_field", "/line_items"),
        ({"id": None}, "contract.missing_field", "/id"),
        ({"created_at": "2026-11-27T09:03:12"}, "time.zone_missing", "/created_at"),
        ({"total_price": "69,77"}, "number.locale", "/total_price"),
        ({"test": "true"}, "contract.wrong_type", "/test"),
    ],
)
def test_broken_field_is_held_by_its_pointer(
    change: dict[str, Any], code: str, pointer: str
) -> None:
    held = hold_of("orders/create", fixture("order_placed") | change)

    assert (held.code, held.pointer) == (code, pointer)


def test_hold_inside_an_order_tells_the_money_at_stake() -> None:
    payload = fixture("order_placed")
    payload["line_items"][1]["quantity"] = "three"

    held = hold_of("orders/create", payload)

    assert (held.code, held.pointer) == ("contract.wrong_type", "/line_items/1/quantity")
    assert held.amount == Money(amount=Decimal("69.77"), currency="USD")


def read_or_hold(topic: str, payload: dict[str, Any]) -> Reading | HoldRecord:
    try:
        return read(topic, payload)
    except HoldRecord as held:
        return held


JUNK = st.sampled_from(
    [None, "", "x", "1e5", "9" * 30, "-0.001", 0, -7, 10**29, 0.1, True, [], [1], {}, {"a": 1}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))
        else:
            yield (*path, key)


FUZZED = [
    (topic, name, path)
    for topic, name in (
        ("orders/create", "order_placed"),
        ("orders/updated", "order_at_till"),
        ("refunds/create", "refund"),
        ("fulfillments/create", "fulfilment"),
    )
    for path in places(fixture(name))
    if path
]


@settings(max_examples=1_500, deadline=None)
@given(place=st.sampled_from(FUZZED), junk=JUNK)
def test_junk_in_any_field_is_read_or_held_and_never_crashes(
    place: tuple[str, str, tuple[Any, ...]], junk: Any
) -> None:
    topic, name, path = place
    payload: Any = fixture(name)
    target = payload
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = junk

    result = read_or_hold(topic, payload)

    if isinstance(result, HoldRecord):
        assert result.words
        assert result.pointer
    else:
        assert len(result.events) == 1


def test_manifest_declares_dedup_by_webhook_id_and_keeps_the_time_it_was_triggered() -> None:
    webhook = manifest("shopify").webhook

    assert webhook.id_header == "x-shopify-webhook-id"
    assert webhook.topic_header == "x-shopify-topic"
    assert {"x-shopify-triggered-at", "x-shopify-shop-domain"} <= set(webhook.keep_headers)
