"""Overrides change an event by rules, within its contract and its identity, and within bounded work."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.flows.overrides import (
    MOST_RULES,
    NO_OVERRIDES,
    Fault,
    apply_overrides,
    compile_overrides,
)
from connectors.canonical.event import ORDER_PLACED, ORDER_REFUNDED, Event
from connectors.canonical.money import Money
from connectors.canonical.order import Customer, Line, Order, Tax
from infra.errors import Unprocessable

TYPES = (ORDER_PLACED, ORDER_REFUNDED)


def line(number: int, sku: str | None = "SKU-1") -> Line:
    return Line(
        line_id=str(number),
        sku=sku,
        title="Scarf",
        quantity=Decimal(1),
        unit_price=Decimal("10.00"),
        net=Decimal("10.00"),
        gross=Decimal("10.00"),
        taxes=(Tax(name="VAT 19", amount=Decimal("1.60")),),
    )


def order(*lines: Line, **changes: Any) -> Event:
    placed = datetime(2026, 11, 20, 10, tzinfo=UTC)
    content: dict[str, Any] = {
        "order_id": "o-1",
        "number": "#1",
        "kind": "web",
        "currency": "USD",
        "placed_at": placed,
        "lines": lines or (line(1), line(2, "SKU-2")),
        "total": Decimal("20.00"),
        **changes,
    }
    return Event(
        type=ORDER_PLACED,
        key="order:o-1",
        object_id="o-1",
        label="Order #1",
        occurred_at=placed,
        amount=Money(amount=Decimal("20.00"), currency="USD"),
        body=Order(**content),
    )


def applied(event: Event, *rules: dict[str, Any]) -> Event | Fault:
    return apply_overrides(event, compile_overrides(rules, TYPES))


def body(event: Event | Fault) -> Order:
    assert isinstance(event, Event)
    assert isinstance(event.body, Order)
    return event.body


def refusal(*rules: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(Unprocessable) as refused:
        compile_overrides(rules, TYPES)
    assert refused.value.code == "mapping.invalid"
    return refused.value.errors[0].pointer, refused.value.errors[0].detail


def test_without_rules_the_very_same_event_is_sent() -> None:
    event = order()

    assert compile_overrides([], TYPES) is NO_OVERRIDES
    assert apply_overrides(event, NO_OVERRIDES) is event


def test_a_constant_is_written_into_every_field_that_the_path_names() -> None:
    event = order()

    changed = applied(
        event,
        {"path": "body.lines[*].uom", "kind": "constant", "value": "PCS"},
        {"path": "body.lines[1].title", "kind": "constant", "value": "Shawl"},
        {"path": "body.store", "kind": "constant", "value": "012"},
        {"path": "head.label", "kind": "constant", "value": "Web order #1"},
        {"path": "body.lines[*].taxes[*].name", "kind": "constant", "value": "VAT"},
    )

    assert [each.uom for each in body(changed).lines] == ["PCS", "PCS"]
    assert [each.title for each in body(changed).lines] == ["Scarf", "Shawl"]
    assert body(changed).store == "012"
    assert [each.taxes[0].name for each in body(changed).lines] == ["VAT", "VAT"]
    assert isinstance(changed, Event)
    assert changed.label == "Web order #1"
    assert body(event).store is None  # the event before is untouched


def test_a_lookup_replaces_what_its_table_knows_and_holds_or_keeps_the_rest() -> None:
    rule = {"path": "body.lines[*].sku", "kind": "lookup", "table": {"SKU-1": "10001"}}

    kept = applied(order(), {**rule, "otherwise": "keep"})
    held = applied(order(), rule)

    assert [each.sku for each in body(kept).lines] == ["10001", "SKU-2"]
    assert isinstance(held, Fault)
    assert (held.code, held.pointer) == ("mapping.no_match", "/body/lines/1/sku")
    assert "SKU-2" not in held.words
    assert "rule 1" in held.words


def test_a_field_that_is_empty_has_nothing_to_look_up() -> None:
    rule = {"path": "body.lines[*].sku", "kind": "lookup", "table": {"SKU-1": "10001"}}

    changed = applied(order(line(1), line(2, None)), rule)

    assert [each.sku for each in body(changed).lines] == ["10001", None]


def test_an_expression_sees_the_event_the_line_and_the_value() -> None:
    changed = applied(
        order(store="7"),
        {
            "path": "body.lines[*].sku",
            "kind": "cel",
            "expression": 'body.store + "-" + item.line_id + "-" + value',
            "when": 'item.line_id != "2"',
        },
        {"path": "body.operator", "kind": "cel", "expression": "string(size(body.lines))"},
    )

    assert [each.sku for each in body(changed).lines] == ["7-1-SKU-1", "SKU-2"]
    assert body(changed).operator == "2"


def test_later_rules_see_what_earlier_ones_wrote() -> None:
    changed = applied(
        order(),
        {"path": "body.store", "kind": "constant", "value": "7"},
        {"path": "body.workstation", "kind": "cel", "expression": 'body.store + "/1"'},
    )

    assert body(changed).workstation == "7/1"


def test_what_the_event_does_not_have_is_not_made() -> None:
    rule = {"path": "body.customer.name", "kind": "constant", "value": "Walk-in"}

    without = applied(order(), rule)
    with_one = applied(order(customer=Customer(external_id="c1")), rule)

    assert body(without).customer is None
    assert body(with_one).customer == Customer(external_id="c1", name="Walk-in")


def test_a_rule_for_another_kind_of_event_leaves_this_one_alone() -> None:
    event = order()

    assert applied(event, {"path": "body.refund_id", "kind": "constant", "value": "r"}) is event


@pytest.mark.parametrize(
    ("rule", "pointer", "words"),
    [
        ({"path": "body.total", "kind": "constant", "value": "much"}, "/body/total", "Invalid dec"),
        ({"path": "body.total", "kind": "constant", "value": "1e30"}, "", "beyond 10^13"),
        ({"path": "body.kind", "kind": "constant", "value": "barter"}, "/body/kind", "Not one of"),
        ({"path": "head.label", "kind": "constant", "value": ""}, "/head/label", "1 to 200"),
        (
            {"path": "body.lines[*].sku", "kind": "cel", "expression": "1"},
            "/body/lines/sku",
            "Expected `str",
        ),
        (
            {"path": "body.store", "kind": "cel", "expression": "body.missing"},
            "/body/store",
            "does not have",
        ),
        ({"path": "body.store", "kind": "cel", "expression": "1 / 0"}, "/body/store", "by zero"),
        (
            {"path": "body.shipping", "kind": "cel", "expression": "double(body.total) * 0.1"},
            "/body/shipping",
            "not exact",
        ),
        (
            {"path": "body.store", "kind": "constant", "value": "1", "when": "body.order_id"},
            "/body/store",
            "true or false",
        ),
    ],
)
def test_what_breaks_the_contract_or_cannot_be_computed_is_a_fault_with_its_place(
    rule: dict[str, Any], pointer: str, words: str
) -> None:
    fault = applied(order(), rule)

    assert isinstance(fault, Fault)
    assert (fault.code, fault.pointer) == ("mapping.fault", pointer)
    assert words in fault.words


@pytest.mark.parametrize(
    ("rule", "pointer", "words"),
    [
        ({"path": "head.key", "kind": "constant", "value": "x"}, "/overrides/0/path", "cannot be"),
        ({"path": "head.type", "kind": "constant", "value": "x"}, "/overrides/0/path", "cannot be"),
        (
            {"path": "head.object_id", "kind": "constant", "value": "x"},
            "/overrides/0/path",
            "cannot be",
        ),
        ({"path": "lines[*].sku", "kind": "constant"}, "/overrides/0/path", "begins with"),
        ({"path": "body.lines.sku", "kind": "constant"}, "/overrides/0/path", "No event of this"),
        ({"path": "body.lines[*]", "kind": "constant"}, "/overrides/0/path", "ends with"),
        ({"path": "body.tax_code", "kind": "constant"}, "/overrides/0/path", "No event of this"),
        ({"path": "body.__class__", "kind": "constant"}, "/overrides/0/path", "joined by dots"),
        ({"path": "body.store", "kind": "constant", "value": 1.5}, "/overrides/0/value", "as text"),
        ({"path": "body.store", "kind": "lookup", "table": {}}, "/overrides/0/table", "at least"),
        ({"path": "body.store", "kind": "cel", "expression": "1 +"}, "/overrides/0/expression", ""),
        (
            {"path": "body.store", "kind": "cel", "expression": "secret"},
            "/overrides/0/expression",
            "is not known here",
        ),
        (
            {"path": "body.store", "kind": "cel", "expression": "value.evil()"},
            "/overrides/0/expression",
            "no function evil",
        ),
        (
            {"path": "body.store", "kind": "cel", "expression": "'" + "x" * 1_000 + "'"},
            "/overrides/0/expression",
            "at most 1000",
        ),
        ({"path": "body.store", "kind": "python", "value": "1"}, "/overrides/0", ""),
        ({"path": "body.store", "kind": "constant", "odd": 1}, "/overrides/0/odd", ""),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_when_it_is_written(
    rule: dict[str, Any], pointer: str, words: str
) -> None:
    told_pointer, told = refusal(rule)

    assert told_pointer == pointer
    assert words in told


def test_a_flow_has_a_bounded_number_of_rules() -> None:
    rule = {"path": "body.store", "kind": "constant", "value": "1"}

    assert refusal(*[rule] * (MOST_RULES + 1))[1] == "A flow has at most 100 rules."


def test_an_expression_that_would_take_minutes_is_stopped_before_it_begins() -> None:
    lines = tuple(line(number) for number in range(1_000))
    nested = "string(size(body.lines.map(a, body.lines.map(b, a.sku + b.sku))))"

    fault = applied(order(*lines), {"path": "body.store", "kind": "cel", "expression": nested})
    small = applied(order(), {"path": "body.store", "kind": "cel", "expression": nested})

    assert isinstance(fault, Fault)
    assert "Too much to compute" in fault.words
    assert body(small).store == "2"


def test_a_rule_over_a_thousand_lines_that_reads_only_its_line_is_computed() -> None:
    lines = tuple(line(number) for number in range(1_000))
    rule = {
        "path": "body.lines[*].sku",
        "kind": "cel",
        "expression": 'body.currency + "-" + value',
    }

    changed = applied(order(*lines), rule)

    assert {each.sku for each in body(changed).lines} == {"USD-SKU-1"}
