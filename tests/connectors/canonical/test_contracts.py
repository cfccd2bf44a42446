"""Contracts: what was published stays readable, and a version rises as far as its changes need."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.compatibility import (
    LEVELS,
    changes,
    needed_level,
    rises_enough,
)
from connectors.canonical.contracts import (
    CONTRACTS,
    FOLDER,
    Contract,
    file_name,
    publish,
    refusal,
    written_versions,
)
from connectors.canonical.customer import Consent, CustomerProfile, Email
from connectors.canonical.event import ORDER_PLACED, ORDER_REFUNDED, Event, decode, encode
from connectors.canonical.inventory import (
    InventoryCount,
    InventoryMovement,
    Reservation,
    StockPlace,
)
from connectors.canonical.location import Location, OpeningHours
from connectors.canonical.loyalty import LoyaltyAccount, LoyaltyEntry
from connectors.canonical.order import Order, Refund
from connectors.canonical.price import Price
from connectors.canonical.product import Component, Product, TradeNumber, Variant
from connectors.canonical.promotion import Benefit, Promotion
from connectors.canonical.purchase import (
    AcknowledgedLine,
    GoodsReceipt,
    InvoicedLine,
    NoticeLine,
    Pack,
    PurchaseAcknowledgement,
    PurchaseLine,
    PurchaseOrder,
    ReceivedLine,
    ShipNotice,
    VendorInvoice,
)
from connectors.canonical.upcasters import (
    Fields,
    Steps,
    UnreadableContract,
    brought_up,
    parsed,
)

AT, WALL = datetime(2026, 11, 20, 12, tzinfo=UTC), datetime.fromisoformat("2026-11-27")
D = Decimal
ENCODER = msgspec.json.Encoder(decimal_format="string")
PO = {"order_number": "PO-1", "line_id": "1", "quantity": D(12)}

EXAMPLES: dict[str, msgspec.Struct] = {
    "customer": CustomerProfile(
        customer_id="1",
        emails=(Email(value="anna@example.com"),),
        consents=(Consent(purpose="news", state="granted", at=AT),),
    ),
    "goods_receipt": GoodsReceipt(
        receipt_id="R", location="dc", received_at=AT, lines=(ReceivedLine(sku="A", counted=D(3)),)
    ),
    "inventory_count": InventoryCount(
        count_id="1", sku="A", location="main", state="on_hand", quantity=D("1.275"), as_of=AT
    ),
    "inventory_movement": InventoryMovement(
        movement_id="1",
        sku="A",
        quantity=D(2),
        from_place=StockPlace(location="main"),
        to_place=StockPlace(location="customer"),
        occurred_at=AT,
    ),
    "location": Location(
        location_id="41",
        kind="store",
        name="Main",
        zone="America/New_York",
        currency="USD",
        hours=(OpeningHours(weekday=5, opens=WALL.time(), closes=AT.time()),),
    ),
    "loyalty_account": LoyaltyAccount(
        account_id="7",
        program="Club",
        entries=(LoyaltyEntry(entry_id="1", kind="earn", points=5, at=AT),),
    ),
    "price": Price(price_id="1", sku="A", amount=D("9.99"), currency="USD", effective_from=WALL),
    "product": Product(
        product_id="p",
        title="Set",
        variants=(
            Variant(
                sku="SET",
                kind="bundle",
                gtins=(TradeNumber(written="036000241457"),),
                components=(Component(sku="A", quantity=D(2), revenue_share=D(100)),),
            ),
        ),
    ),
    "promotion": Promotion(
        promotion_id="1",
        name="Ten off",
        kind="percent",
        benefit=Benefit(percent=D(10)),
        effective_from=WALL,
    ),
    "purchase_acknowledgement": PurchaseAcknowledgement(
        acknowledgement_id="1",
        order_number="PO-1",
        answered_at=AT,
        lines=(AcknowledgedLine(line_id="1", answer="backordered", quantity=D(12)),),
    ),
    "purchase_order": PurchaseOrder(
        number="PO-1",
        vendor="V",
        ship_to="dc",
        currency="USD",
        ordered_at=AT,
        lines=(PurchaseLine(line_id="1", sku="A", quantity=D(12), cost=D("4.00")),),
    ),
    "reservation": Reservation(
        reservation_id="1",
        sku="A",
        location="main",
        quantity=D(1),
        channel="web",
        created_at=AT,
        expires_at=AT,
    ),
    "ship_notice": ShipNotice(
        notice_id="1",
        vendor="V",
        shipped_at=AT,
        packs=(Pack(sscc="006141411234567890", lines=(NoticeLine(**PO),)),),  # type: ignore[arg-type]
        lines=(NoticeLine(**PO),),  # type: ignore[arg-type]
    ),
    "vendor_invoice": VendorInvoice(
        number="I",
        vendor="V",
        currency="USD",
        issued_on=date(2026, 11, 21),
        lines=(InvoicedLine(**PO, cost=D(4)),),  # type: ignore[arg-type]
        total=D(48),
    ),
}
# What events carry is held in the tests of the connector that takes them from anybody.
CARRIED = {"order", "refund", "fulfilment", "stock_position"}


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_published_shape_is_that_of_the_code(name: str) -> None:
    contract = CONTRACTS[name]

    assert refusal(contract) == ""
    stored = json.loads((FOLDER / contract.file_name).read_bytes())
    assert stored == contract.schema(), "run: python -m connectors.canonical.contracts"


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_version_that_was_ever_published_can_be_read(name: str) -> None:
    versions = written_versions()[name]
    current = f"{name}/{'.'.join(map(str, CONTRACTS[name].version))}"

    assert versions[-1] == CONTRACTS[name].version
    for version in versions:
        brought_up({}, f"{name}/{'.'.join(map(str, version))}", current)


def test_nothing_is_published_that_is_no_object() -> None:
    assert set(written_versions()) == set(CONTRACTS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_object_is_written_within_its_contract_and_read_as_it_was(name: str) -> None:
    example = EXAMPLES[name]
    written = ENCODER.encode(example)

    jsonschema_rs.validator_for(CONTRACTS[name].schema()).validate(json.loads(written))
    assert msgspec.json.decode(written, type=type(example)) == example


def test_every_object_has_an_example() -> None:
    assert CARRIED & set(EXAMPLES) == set()
    assert set(CONTRACTS) - set(EXAMPLES) >= CARRIED
    assert set(EXAMPLES) <= set(CONTRACTS)


class Tag(msgspec.Struct):
    """A part of a thing."""

    word: str


class Thing(msgspec.Struct):
    """What is changed below, field by field."""

    id: str
    kind: Literal["a", "b"] = "a"
    amount: Decimal = Decimal(0)
    tags: tuple[Tag, ...] = ()
    note: str | None = None


def shape(body: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(msgspec.json.schema(body)))
    return told


def altered(**fields: Any) -> Any:
    """Give Thing with other fields: a type, (type, default), or None for a field that is gone."""
    kept: dict[str, Any] = {
        "id": str,
        "kind": (Literal["a", "b"], "a"),
        "amount": (Decimal, Decimal(0)),
        "tags": (tuple[Tag, ...], ()),
        "note": (str | None, None),
    }
    made = [
        (name, *field) if isinstance(field, tuple) else (name, field)
        for name, field in (kept | fields).items()
        if field is not None
    ]
    return msgspec.defstruct("Thing", made, kw_only=True)


class TwoWords(msgspec.Struct):
    """A part with one field more."""

    word: str
    other: str = ""


class OneNumber(msgspec.Struct):
    """A part whose field means something else."""

    word: int


CHANGES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "nothing": (altered(), []),
    "an optional field more": (
        altered(extra=(str, "")),
        [("optional field added", "/extra")],
    ),
    "a value more": (
        altered(kind=(Literal["a", "b", "c"], "a")),
        [("value added", "/kind")],
    ),
    "a field more in a part": (
        altered(tags=(tuple[TwoWords, ...], ())),
        [("optional field added", "/tags/[]/other")],
    ),
    "a needed field more": (altered(extra=str), [("required field added", "/extra")]),
    "a field less": (altered(note=None), [("field removed", "/note")]),
    "another name": (
        altered(note=None, remark=(str | None, None)),
        [("field removed", "/note"), ("optional field added", "/remark")],
    ),
    "a field that is needed now": (
        altered(amount=Decimal),
        [("field became required", "/amount")],
    ),
    "a field that may be left out now": (
        altered(id=(str, "")),
        [("field became optional", "/id")],
    ),
    "a value less": (altered(kind=(Literal["a"], "a")), [("value removed", "/kind")]),
    "another type": (
        altered(amount=(int, 0)),
        [
            ("default changed", "/amount"),
            ("type changed", "/amount"),
        ],
    ),
    "another type in a part": (
        altered(tags=(tuple[OneNumber, ...], ())),
        [("type changed", "/tags/[]/word")],
    ),
    "one where there were many": (
        altered(tags=(Tag | None, None)),
        [
            ("default changed", "/tags"),
            ("empty allowed", "/tags"),
            ("type changed", "/tags"),
        ],
    ),
    "empty where it was not": (
        altered(amount=(Decimal | None, Decimal(0))),
        [("empty allowed", "/amount")],
    ),
    "never empty any more": (
        altered(note=(str, "")),
        [("default changed", "/note"), ("empty no longer allowed", "/note")],
    ),
    "another value when left out": (
        altered(kind=(Literal["a", "b"], "b")),
        [("default changed", "/kind")],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_of_a_contract_is_found(case: str) -> None:
    after, wanted = CHANGES[case]

    found = changes(shape(Thing), shape(after))

    assert [(change.kind, change.pointer) for change in found] == wanted


def test_every_kind_of_change_is_in_the_table_and_only_additions_are_minor() -> None:
    seen = {kind for _, wanted in CHANGES.values() for kind, _ in wanted}

    assert seen == set(LEVELS)
    assert {kind for kind, level in LEVELS.items() if level != "major"} == {
        "optional field added",
        "value added",
    }


@pytest.mark.parametrize(
    ("case", "level", "enough", "too_little"),
    [
        ("nothing", "none", (1, 0, 0), None),
        ("an optional field more", "minor", (1, 1, 0), (1, 0, 9)),
        ("a value more", "minor", (1, 1, 0), (1, 0, 0)),
        ("another name", "major", (2, 0, 0), (1, 9, 0)),
        ("nothing", "none", (1, 0, 1), (0, 9, 9)),
    ],
)
def test_a_version_rises_as_far_as_its_changes_need(
    case: str, level: str, enough: Any, too_little: Any
) -> None:
    found = changes(shape(Thing), shape(CHANGES[case][0]))

    assert needed_level(found) == level
    assert rises_enough((1, 0, 0), enough, found)
    assert too_little is None or not rises_enough((1, 0, 0), too_little, found)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_does_not_differ_from_itself(name: str) -> None:
    assert changes(CONTRACTS[name].schema(), CONTRACTS[name].schema()) == []


def test_words_of_a_contract_may_change_at_any_time() -> None:
    told = shape(Thing)
    told["$defs"]["Thing"]["description"] = "Said better."

    assert changes(shape(Thing), told) == []


def test_a_shape_is_published_once_and_never_another_under_its_version(tmp_path: Path) -> None:
    first = Contract("thing", (1, 0, 0), Thing)
    assert publish([first], tmp_path) == []
    (file,) = tmp_path.iterdir()
    published = file.read_bytes()

    refused = publish([Contract("thing", (1, 0, 0), altered(note=None))], tmp_path)
    halfway = publish([Contract("thing", (2, 0, 0), altered(note=None))], tmp_path)

    assert refused == ["thing: field removed at /note. Raise its version by a major one."]
    assert halfway == ["thing: no step in upcasters.STEPS leads to version 2."]
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [
        (file_name("thing", (1, 0, 0)), published)
    ]
    steps: Steps = {("thing", (2, 0, 0)): dict}
    assert refusal(Contract("thing", (2, 0, 0), altered(note=None)), tmp_path, steps) == ""


def _renamed(fields: Fields) -> Fields:
    fields["remark"] = fields.pop("note", None)
    return fields


def _in_cents(fields: Fields) -> Fields:
    fields["amount_minor"] = int(Decimal(fields.pop("amount", "0")).scaleb(2))
    return fields


STEPS: Steps = {("thing", (3, 0, 0)): _in_cents, ("thing", (2, 0, 0)): _renamed}


@pytest.mark.parametrize(
    ("written", "fields", "wanted"),
    [
        ("thing/1.0.0", {"note": "n", "amount": "1.20"}, {"remark": "n", "amount_minor": 120}),
        ("thing/1.7.0", {"note": "n", "amount": "1.20"}, {"remark": "n", "amount_minor": 120}),
        ("thing/2.0.0", {"remark": "n", "amount": "1.20"}, {"remark": "n", "amount_minor": 120}),
        ("thing/3.0.0", {"remark": "n", "amount_minor": 120}, {"remark": "n", "amount_minor": 120}),
        ("thing/3.5.0", {"remark": "n", "later": 1}, {"remark": "n", "later": 1}),
    ],
)
def test_an_old_body_is_led_step_by_step_to_the_newest(
    written: str, fields: Fields, wanted: Fields
) -> None:
    before = json.dumps(fields)

    assert brought_up(fields, written, "thing/3.1.0", STEPS) == wanted
    assert json.dumps(fields) == before


@pytest.mark.parametrize(
    ("written", "current"),
    [
        ("thing/4.0.0", "thing/3.0.0"),
        ("thing/3.0.0", "thing/4.0.0"),
        ("other/3.0.0", "thing/3.0.0"),
        ("thing/3", "thing/3.0.0"),
        ("thing/3.0.99999", "thing/3.0.0"),
    ],
)
def test_what_no_step_leads_on_from_is_not_guessed(written: str, current: str) -> None:
    with pytest.raises(UnreadableContract):
        brought_up({}, written, current, STEPS)


versions = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))


@given(versions)
def test_a_version_is_read_as_it_is_written(version: tuple[int, int, int]) -> None:
    assert parsed(f"thing/{'.'.join(map(str, version))}") == ("thing", version)


def placed() -> Event:
    order = Order(
        order_id="1", number="#1", kind="web", currency="USD", placed_at=AT, total=D("9.99")
    )
    return Event(
        type=ORDER_PLACED,
        key="order:1",
        object_id="1",
        label="Order #1",
        occurred_at=AT,
        body=order,
    )


def marked(contract: str, **more: Any) -> bytes:
    """Give a stored event as another release would have written it."""
    stored = json.loads(encode(placed()))
    stored["head"]["contract"] = contract
    stored["body"] |= more
    return json.dumps(stored).encode()


def test_an_event_of_the_first_contract_carries_no_mark() -> None:
    refund = Refund(refund_id="9", order_id="1", currency="USD", happened_at=AT, amount=D(5))
    told = msgspec.structs.replace(placed(), type=ORDER_REFUNDED, object_id="9", body=refund)

    assert "contract" not in json.loads(encode(told))["head"]
    assert decode(encode(told)) == told


def test_an_order_of_the_first_contract_is_read_under_the_present_one() -> None:
    stored = json.loads(encode(placed()))
    assert stored["head"].pop("contract") == "order/1.1.0"

    assert decode(json.dumps(stored).encode()) == placed()


def test_an_event_that_a_later_release_wrote_is_read_without_what_is_not_known_here() -> None:
    assert decode(marked("order/1.4.0", gift_message="Enjoy")) == placed()


@pytest.mark.parametrize("contract", ["order/2.0.0", "order/0.9.0", "refund/1.0.0", "order"])
def test_an_event_of_a_contract_that_cannot_be_read_is_refused(contract: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(marked(contract))
