"""What systems tell of one return gives the same case in any order and with any repetition."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.retail.returns.facts import Fact
from app.retail.returns.fold import Case, fold
from app.retail.returns.money import standing
from app.retail.returns.tell import tellings
from app.retail.told import Told
from connectors.canonical.event import (
    ORDER_REFUNDED,
    RETURN_TOLD,
    STOCK_MOVEMENT,
    TILL_SALE,
    Body,
    Event,
)
from connectors.canonical.inventory import InventoryMovement, StockPlace
from connectors.canonical.order import Line, Order, Refund, Tax, Tender
from connectors.canonical.returns import Return, ReturnLine

D = Decimal
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOP, WMS = UUID(int=1), UUID(int=2)


def told(source: UUID, event_type: str, object_id: str, body: Body, version: str = "") -> Told:
    event = Event(
        type=event_type, key="k", object_id=object_id, version=version, label="l",
        occurred_at=AT, body=body,
    )  # fmt: skip
    return Told(UUID(int=9), source, event, AT)


def a_return(received: str, disposition: Any = None) -> Return:
    line = ReturnLine(
        line_id="r1", order_line_id="1", sku="SCARF", requested=D(3), received=D(received),
        disposition=disposition, restock_location="store-1",
    )  # fmt: skip
    return Return(
        return_id="R1", number="R-1", kind="mail_in", order_id="o-1", currency="USD",
        initiated_at=AT, lines=(line,),
    )  # fmt: skip


def a_movement(number: int, quantity: str) -> InventoryMovement:
    return InventoryMovement(
        movement_id=f"m{number}", sku="SCARF", quantity=D(quantity),
        from_place=StockPlace(location="customer"), to_place=StockPlace(location="store-1"),
        reason="return", document="R-1", occurred_at=AT + timedelta(hours=number),
    )  # fmt: skip


REFUND = Refund(
    refund_id="f1", order_id="o-1", currency="USD", happened_at=AT, amount=D("5.00"),
    tenders=(Tender(kind="card", name="Visa", amount=D("-5.00"), reference="c1"),),
)  # fmt: skip
ALL = [
    told(SHOP, RETURN_TOLD, "R1", a_return("0"), "1"),
    told(SHOP, RETURN_TOLD, "R1", a_return("1", "restock"), "2"),
    told(SHOP, RETURN_TOLD, "R1", a_return("3", "restock"), "10"),
    told(WMS, STOCK_MOVEMENT, "m1", a_movement(1, "1")),
    told(WMS, STOCK_MOVEMENT, "m2", a_movement(2, "2")),
    told(SHOP, ORDER_REFUNDED, "f1", REFUND),
]


def facts_of(all_told: list[Told]) -> list[Fact]:
    return [fact for one in all_told for each in tellings(one) for fact in each.facts]


def shown(case: Case) -> tuple[object, ...]:
    return (
        dict(case.received), dict(case.moved), case.refunded,
        sorted((each.line_id, each.quantity) for each in case.inspections.values()),
        case.request,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.permutations(ALL), st.lists(st.sampled_from(ALL), max_size=6))
def test_any_order_and_repetition_of_tellings_gives_one_case(
    ordered: list[Told], again: list[Told]
) -> None:
    case = fold(facts_of([*ordered, *again]))

    assert shown(case) == shown(fold(facts_of(ALL)))
    # Shop and warehouse tell of the same three pieces; the warehouse judged last.
    assert case.received == {"r1": D(3)}
    assert sum(each.quantity for each in case.inspections.values()) == 3
    assert case.refunded == D("5.00")


def test_the_latest_version_of_one_source_counts_also_downwards() -> None:
    fewer = told(SHOP, RETURN_TOLD, "R1", a_return("2", "restock"), "11")

    case = fold(facts_of([fewer, *ALL[:3]]))

    assert case.received == {"r1": D(2)}


amounts = st.integers(1, 500_000).map(lambda cents: D(cents) / 100)


@given(
    st.lists(st.tuples(st.integers(1, 9), amounts, amounts), min_size=1, max_size=4),
    amounts,
    st.sampled_from(["cash", "card", "gift_card"]),
)
def test_a_ticket_that_takes_goods_back_is_even_to_the_cent(
    returned: list[tuple[int, Decimal, Decimal]], bought: Decimal, kind: Any
) -> None:
    back = tuple(
        Line(
            line_id=str(place), sku=f"S{place}", title="Thing", quantity=D(-pieces),
            unit_price=net, net=-net, gross=-(net + tax),
            taxes=(Tax(name="State", rate=D("0.1"), amount=-tax),),
        )
        for place, (pieces, net, tax) in enumerate(returned)
    )  # fmt: skip
    new = Line(
        line_id="n", sku="N", title="New", quantity=D(1), unit_price=bought, net=bought,
        gross=bought,
    )  # fmt: skip
    total = bought + sum((line.gross for line in back), D(0))
    paid = (Tender(kind=kind, name="t", amount=total),) if total else ()
    ticket = Order(
        order_id="t1", number="1", kind="pos", currency="USD", placed_at=AT, store="S1",
        lines=(*back, new), total=total, tenders=paid,
    )  # fmt: skip

    (telling,) = tellings(told(SHOP, TILL_SALE, "t1", ticket))
    case = fold(telling.facts)
    money = standing(case, goods_are_final=True)

    assert money.is_even
    assert money.owed == -sum((line.gross for line in back), D(0))
    assert sum(case.posted[key] for key in case.posted if key.startswith("money:")) == money.owed


def test_a_sale_a_void_and_a_movement_without_a_return_say_nothing() -> None:
    sale = Order(
        order_id="t1", number="1", kind="pos", currency="USD", placed_at=AT, total=D(0), store="S"
    )
    void = msgspec.structs.replace(sale, cancels="t0")
    moved = msgspec.structs.replace(a_movement(1, "1"), document="")

    assert list(tellings(told(SHOP, TILL_SALE, "t1", sale))) == []
    assert list(tellings(told(SHOP, TILL_SALE, "t1", void))) == []
    assert list(tellings(told(WMS, STOCK_MOVEMENT, "m1", moved))) == []
