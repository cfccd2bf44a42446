"""Shapes of returns: what is told in which order, what people answer, and what must be so in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from app.retail.returns.facts import (
    Fact,
    Inspected,
    Move,
    Opened,
    Policy,
    Received,
    Refunded,
    RefundRefused,
    SaleKnown,
    StockMoved,
)
from app.retail.returns.sale import (
    PaidTender,
    PriceSeen,
    Sale,
    SoldLine,
    sale_without_receipt,
)
from app.retail.returns.steps import End
from connectors.canonical.order import Tax, TenderKind
from connectors.canonical.returns import (
    Disposition,
    Exchange,
    PayBack,
    Return,
    ReturnKind,
    ReturnLine,
)

D = Decimal
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Act = Literal["run", "limits"]


@dataclass(slots=True)
class Shape:
    """One return from its first word to its end.

    `told` are batches of facts, between them what the platform does; then all that is due is done
    and every question answered by `answers` (kind -> choice), until nothing moves any more.
    """

    name: str
    told: list[list[Fact] | Act]
    end: End
    refunded: D
    paid_to: dict[str, D]
    stock: dict[tuple[str, str], D]
    answers: dict[str, str] = field(default_factory=dict)
    refuses: Counter[str] = field(default_factory=Counter)
    points: int = 0
    breaks: tuple[str, ...] = ()
    # What the till or channel did itself.
    paid_elsewhere: list[PayBack] = field(default_factory=list)
    moved_elsewhere: list[Move] = field(default_factory=list)


def tender(kind: TenderKind, amount: str, refunded: str = "0") -> PaidTender:
    return PaidTender(tender_id=kind, kind=kind, amount=D(amount), refunded=D(refunded))


# Three shirts and a book; 8.25 % state and 1.10 % city tax on the shirts, 7 % on the book.
SHIRTS = SoldLine(
    line_id="1",
    sku="SHIRT",
    quantity=D(3),
    net=D("29.99"),
    taxes=(
        Tax(name="State", rate=D("0.0825"), amount=D("2.47")),
        Tax(name="City", rate=D("0.0110"), amount=D("0.33")),
    ),
)
BOOK = SoldLine(
    line_id="2",
    sku="BOOK",
    quantity=D(1),
    net=D("10.00"),
    taxes=(Tax(name="Reduced", rate=D("0.07"), amount=D("0.70")),),
)
GOODS = D("43.49")
SHIPPING = D("4.90")


def sale(*tenders: PaidTender, **changed: Any) -> Sale:
    """Make the sale of shirts and book; without tenders all was paid by card."""
    made = Sale(
        order_id="1001",
        currency="USD",
        sold_at=AT - timedelta(days=5),
        lines=(SHIRTS, BOOK),
        tenders=tenders or (tender("card", str(GOODS)),),
    )
    return msgspec.structs.replace(made, **changed)


def opened(
    kind: ReturnKind = "in_store",
    quantities: tuple[str, str] = ("3", "1"),
    policy: Policy | None = None,
    **changed: Any,
) -> Opened:
    lines = tuple(
        ReturnLine(line_id=f"r{place}", order_line_id=str(place), sku=sku, requested=D(quantity))
        for place, (sku, quantity) in enumerate(zip(("SHIRT", "BOOK"), quantities, strict=True), 1)
        if D(quantity)
    )
    request = Return(
        return_id="R-1",
        number="R-1",
        kind=kind,
        order_id="1001",
        currency="USD",
        initiated_at=AT,
        lines=lines,
    )
    request = msgspec.structs.replace(request, **changed)
    return Opened(key="opened", at=AT, request=request, policy=policy or Policy())


def known(of: Sale) -> SaleKnown:
    return SaleKnown(key="sale", at=AT, sale=of)


def received(name: str = "1", dismissed: dict[str, D] | None = None, **lines: str) -> Received:
    return Received(
        key=f"received:{name}",
        at=AT + timedelta(minutes=1),
        lines={line: D(quantity) for line, quantity in lines.items()},
        dismissed=dismissed or {},
        location="store-1",
    )


def inspected(
    name: str, line: str, quantity: str, disposition: Disposition = "restock", minute: int = 2
) -> Inspected:
    return Inspected(
        key=f"inspected:{name}:{minute}",
        at=AT + timedelta(minutes=minute),
        inspection=name,
        line_id=line,
        quantity=D(quantity),
        disposition=disposition,
        location="store-1",
    )


def refunded(
    reference: str, kind: TenderKind, amount: str, *, is_all: bool = False, by: str = "till"
) -> Refunded:
    return Refunded(
        key=f"{by}:{reference}",
        at=AT + timedelta(minutes=1),
        paid=PayBack(tender_id=kind, kind=kind, amount=D(amount)),
        reference=reference,
        is_all=is_all,
    )


ALL_IN: list[Fact] = [
    received(r1="3", r2="1"),
    inspected("a", "r1", "3"),
    inspected("b", "r2", "1", "damaged"),
]
ALL_STOCK = {("store-1", "available"): D(3), ("store-1", "damaged"): D(1)}


def _till_did_it() -> Shape:
    moves = (
        Move(line_id="r1", sku="SHIRT", location="store-1", state="available", quantity=D(3)),
        Move(line_id="r2", sku="BOOK", location="store-1", state="damaged", quantity=D(1)),
    )
    moved = StockMoved(key="till:stock", at=AT, moves=moves, reference="till-77")
    money = refunded("till-77", "card", "43.49", is_all=True)
    return Shape(
        "the till took the goods and paid before we heard of it",
        [[money], [moved, *ALL_IN], "run", [opened(), known(sale())]],
        "closed_complete",
        GOODS,
        {"card": GOODS},
        ALL_STOCK,
        paid_elsewhere=[money.paid],
        moved_elsewhere=list(moves),
    )


def _twice_paid() -> Shape:
    till = refunded("till-1", "card", "43.49", is_all=True)
    portal = refunded("portal-1", "card", "43.49", by="portal")
    return Shape(
        "till and portal both paid",
        [[opened(), known(sale()), *ALL_IN, till, portal], [till]],
        "closed_with_accepted_break",
        GOODS * 2,
        {"card": GOODS * 2},
        ALL_STOCK,
        answers={"over_refund": "accept_loss"},
        breaks=("over_refund",),
        paid_elsewhere=[till.paid, portal.paid],
    )


def _marketplace(*, comes: bool) -> Shape:
    money = refunded("amz-1", "marketplace", "43.49", by="channel")
    start: list[Fact] = [
        opened("marketplace", policy=Policy(goods_wait_days=0)),
        known(sale(tender("marketplace", "43.49"))),
        money,
    ]
    return Shape(
        "the marketplace paid, then the goods came" if comes else "paid, and nothing came",
        [start, "run", ALL_IN] if comes else [start, "limits"],
        "closed_complete" if comes else "written_off",
        GOODS,
        {"marketplace": GOODS},
        ALL_STOCK if comes else {},
        answers={"goods_missing": "write_off"},
        breaks=() if comes else ("goods_missing_write_off",),
        paid_elsewhere=[money.paid],
    )


def _no_receipt() -> Shape:
    request = opened(
        order_id=None,
        lines=(ReturnLine(line_id="r1", sku="SHIRT", requested=D(2)),),
    )
    prices = [
        PriceSeen("SHIRT", D("9.99"), D("0.0825"), AT - timedelta(days=91)),
        PriceSeen("SHIRT", D("10.82"), D("0.0825"), AT - timedelta(days=80)),
        PriceSeen("SHIRT", D("12.99"), D("0.0825"), AT - timedelta(days=1)),
    ]
    facts: list[Fact] = [received(r1="2"), inspected("a", "r1", "2")]
    return Shape(
        "no receipt",
        [[request, known(sale_without_receipt(request.request, prices)), *facts]],
        "closed_complete",
        D("21.64"),
        {"store_credit": D("21.64")},
        {("store-1", "available"): D(2)},
    )


def shapes() -> list[Shape]:
    """Make all shapes anew: what they hold is used up by being played."""
    split = sale(tender("card", "20.00"), tender("gift_card", "13.49"), tender("cash", "10.00"))
    with_shipping = sale(
        tender("card", "48.39"), shipping=D("4.58"), points=43,
        shipping_taxes=(Tax(name="State", rate=D("0.07"), amount=D("0.32")),),
    )  # fmt: skip
    two_cards = sale(tender("card", "20.00"), tender("wallet", "23.49"))
    return [
        Shape("split tender", [[opened(), known(split), *ALL_IN]], "closed_complete", GOODS,
              {"card": D("20.00"), "gift_card": D("13.49"), "cash": D("10.00")}, ALL_STOCK),
        Shape("gift card first, by mail",
              [[opened("mail_in", ("1", "0")), known(split)], "run",
               [received(r1="1"), inspected("a", "r1", "1")]],
              "closed_complete", D("10.93"), {"gift_card": D("10.93")},
              {("store-1", "available"): D(1)}),
        Shape("a wrong article among them, two cards",
              [[opened(quantities=("2", "1")), known(two_cards)],
               [received(r1="1", r2="1", dismissed={"r1": D(1)}),
                inspected("a", "r1", "1"), inspected("b", "r2", "1", "destroy")]],
              "closed_complete", D("21.63"), {"card": D("9.95"), "wallet": D("11.68")},
              {("store-1", "available"): D(1)}),
        Shape("in three parcels",
              [[opened("mail_in", ("3", "0"), rma="RMA-1"), known(sale())],
               [received("1", r1="1"), inspected("a", "r1", "1")], "run",
               [received("2", r1="1"), inspected("b", "r1", "1")], "run",
               [received("3", r1="1"), inspected("c", "r1", "1")]],
              "closed_complete", D("32.79"), {"card": D("32.79")},
              {("store-1", "available"): D(3)}),
        Shape("split tender in two parcels",
              [[opened("mail_in", rma="RMA-1"), known(split)],
               [received("1", r1="3"), inspected("a", "r1", "3")], "run",
               [received("2", r2="1"), inspected("b", "r2", "1", "damaged")]],
              "closed_complete", GOODS,
              {"card": D("20.00"), "gift_card": D("13.49"), "cash": D("10.00")}, ALL_STOCK),
        Shape("exchange for something cheaper",
              [[opened("exchange", exchange=Exchange(order_id="1002", total=D("30.00"))),
                known(sale()), *ALL_IN]],
              "closed_complete", GOODS, {"exchange": D("30.00"), "card": D("13.49")}, ALL_STOCK),
        Shape("exchange for something dearer",
              [[opened("exchange", exchange=Exchange(order_id="1002", total=D("99.00"))),
                known(sale()), *ALL_IN]],
              "closed_complete", GOODS, {"exchange": GOODS}, ALL_STOCK),
        _no_receipt(),
        Shape("all taxes, shipping, points and fees",
              [[opened(policy=Policy(refunds_shipping=True, restocking_fee=D("5.00"),
                                     label_fee=D("3.95"))), known(with_shipping), *ALL_IN]],
              "closed_complete", D("39.44"), {"card": D("39.44")}, ALL_STOCK, points=43),
        _till_did_it(),
        Shape("the till paid less than the sale says",
              [[opened(), known(sale()), *ALL_IN,
                refunded("till-1", "card", "40.00", is_all=True)]],
              "closed_complete", GOODS, {"card": GOODS}, ALL_STOCK,
              answers={"refund_differs": "pay_rest"},
              paid_elsewhere=[PayBack(tender_id="card", kind="card", amount=D("40.00"))]),
        Shape("the card is closed", [[opened(), known(two_cards), *ALL_IN]], "closed_complete",
              GOODS, {"store_credit": D("20.00"), "wallet": D("23.49")}, ALL_STOCK,
              answers={"alternative_tender": "store_credit"}, refuses=Counter({"pay:card": 99})),
        Shape("the bank sends a refund back",
              [[opened(), known(sale()), *ALL_IN, refunded("psp-1", "card", "43.49", by="psp")],
               [RefundRefused(key="psp:failed", at=AT + timedelta(days=2), tender_id="card",
                              words="Account closed.", undoes="psp-1")]],
              "closed_complete", GOODS, {"store_credit": GOODS}, ALL_STOCK,
              answers={"alternative_tender": "store_credit"}),
        Shape("the books refuse for good", [[opened(), known(sale()), *ALL_IN]],
              "closed_with_accepted_break", GOODS, {"card": GOODS}, ALL_STOCK,
              answers={"erp_refuses": "accept"}, refuses=Counter({"post:erp": 99}),
              breaks=("in_suspense",)),
        Shape("the books refuse at first", [[opened(), known(sale()), *ALL_IN]],
              "closed_complete", GOODS, {"card": GOODS}, ALL_STOCK,
              answers={"erp_refuses": "retry"}, refuses=Counter({"post:erp": 3})),
        Shape("the points are spent", [[opened(), known(sale(points=50)), *ALL_IN]],
              "closed_with_accepted_break", GOODS, {"card": GOODS}, ALL_STOCK,
              answers={"points_short": "accept"}, refuses=Counter({"points": 99}),
              breaks=("points_kept",)),
        Shape("the shop's history refuses", [[opened(), known(sale()), *ALL_IN]],
              "closed_with_accepted_break", GOODS, {"card": GOODS}, ALL_STOCK,
              refuses=Counter({"tell:channel": 1}), breaks=("history_incomplete",)),
        Shape("judged anew after the restock",
              [[opened(), known(sale()), *ALL_IN], "run",
               [inspected("a", "r1", "3", "damaged", minute=9)]],
              "closed_complete", GOODS, {"card": GOODS}, {("store-1", "damaged"): D(4)}),
        _twice_paid(),
        _marketplace(comes=True),
        _marketplace(comes=False),
        Shape("a large refund is approved",
              [[opened(policy=Policy(approve_above=D(40))), known(sale()), *ALL_IN]],
              "closed_complete", GOODS, {"card": GOODS}, ALL_STOCK,
              answers={"approve_refund": "approve"}),
        Shape("too late, and rejected",
              [[opened(initiated_at=AT + timedelta(days=60)), known(sale())]],
              "rejected", D(0), {}, {}, answers={"validate": "reject"}),
        Shape("announced and never sent",
              [[opened("mail_in", policy=Policy(goods_wait_days=0)), known(sale())], "run",
               "limits"],
              "expired", D(0), {}, {}),
        Shape("lost on the way back", [[opened("lost_in_transit"), known(sale())]],
              "closed_complete", GOODS, {"card": GOODS}, {}),
    ]  # fmt: skip
