"""How orders and proofs of completeness are answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.api.shapes import Answer, MoneyShape, Request, money_of
from app.retail.orders.completeness import Proof
from app.retail.orders.read import OrderDetail, OrderRow
from app.retail.orders.watch import Running


class OrderShape(Answer):
    """One order as it stands; nothing of who bought it."""

    id: str
    order_id: str = Field(description="The channel's own id.")
    number: str = Field(description="What people call it.")
    channel: str
    kind: str
    status: str = Field(description="awaited, pending, open, cancelled or closed.")
    payment: str
    fulfilment: str
    is_test: bool
    placed_at: datetime
    day: date = Field(description="Its business day.")
    total: MoneyShape | None = Field(description="What the order comes to, without its refunds.")
    refunded: MoneyShape | None
    standing: MoneyShape | None = Field(description="The sum of its agreements: total - refunded.")
    agreements: int
    overtaken: int = Field(description="Tellings that a newer one had overtaken when they came.")
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    ship_by: datetime | None
    shipped_at: datetime | None = Field(description="When all of it had left.")


class AgreementLineShape(Answer):
    """What one agreement adds to a line, or takes from it."""

    type: str
    line_id: str
    sku: str | None
    refund: str = Field(description="The refund it belongs to; empty for the order itself.")
    quantity: str
    net: str
    discount: str
    tax: str
    gross: str


class AgreementShape(Answer):
    """One agreement: why, when, who said so, and whether it is posted to the books."""

    number: int
    reason: str
    happened_at: datetime
    made_by: str
    total: MoneyShape | None
    posting: str = Field(description="due, said (handed over to the flow) or not_needed.")
    posted_at: datetime | None
    lines: list[AgreementLineShape]


class ShipmentShape(Answer):
    """Goods that left."""

    shipment_id: str
    status: str
    shipped_at: datetime
    carrier: str
    tracking_numbers: list[str]


class FateShape(Answer):
    """What became of one telling, posting or acknowledgement at one target."""

    label: str
    type: str
    target: str
    state: str
    words: str


class OrderDetailShape(OrderShape):
    """An order with its agreements, its ways, and where it is stuck."""

    stuck: list[str] = Field(description="Where it is stuck, in words; empty when it goes its way.")
    agreed: list[AgreementShape]
    shipments: list[ShipmentShape]
    fates: list[FateShape]


class OrderPageShape(Answer):
    """One page of orders."""

    items: list[OrderShape]
    next_cursor: str | None


class RunningShape(Answer):
    """A clock of an order of which half or more is gone."""

    order: str = Field(description="Id of the order here.")
    number: str
    channel: str
    clock: str = Field(description="acknowledge or ship.")
    ends_at: datetime
    share_gone: float = Field(description="1 and more when it ran out.")
    amount: MoneyShape | None
    words: str


class RunningList(Answer):
    """Clocks at risk, the first to run out first."""

    items: list[RunningShape]


class AtTargetShape(Answer):
    """How many orders a target has, and why it has not the others."""

    target: str
    orders: int
    explained: dict[str, int]
    missing: list[str] = Field(description="Numbers that nothing explains, at most 100.")


class ProofShape(Answer):
    """The proof of one channel's day."""

    channel: str
    day: date
    listed: int | None = Field(description="By the channel's own list; null if it gives none.")
    listed_at: datetime | None
    here: int
    missing_here: list[str] = Field(description="Listed there and not here, at most 100.")
    not_listed: int = Field(description="Here and not in its list.")
    targets: list[AtTargetShape]
    is_complete: bool
    words: str = Field(description="The statement in one sentence.")


class ProofList(Answer):
    """The proofs of one day, by channel."""

    items: list[ProofShape]


class CancelOrderRequest(Request):
    """Why an order is cancelled."""

    reason: str = Field(min_length=1, max_length=1000)


class CancelledShape(Answer):
    """What the cancellation means."""

    meaning: str = Field(description="taken_back or asked.")
    words: str


def order_fields(order: OrderRow) -> dict[str, Any]:
    """Give what every answer about an order says."""
    currency = order.currency or None
    same = (
        "order_id", "number", "channel", "kind", "status", "payment", "fulfilment", "is_test",
        "placed_at", "day", "agreements", "overtaken", "acknowledge_by", "acknowledged_at",
        "ship_by", "shipped_at",
    )  # fmt: skip
    return {name: getattr(order, name) for name in same} | {
        "id": str(order.id),
        "total": money_of(order.total, currency),
        "refunded": money_of(order.refunded, currency),
        "standing": money_of(order.standing, currency),
    }


def order_shape(order: OrderRow) -> OrderShape:
    """Answer one order of a list."""
    return OrderShape(**order_fields(order))


def order_detail(found: OrderDetail) -> OrderDetailShape:
    """Answer one order with everything."""
    currency = found.order.currency
    return OrderDetailShape(
        **order_fields(found.order),
        stuck=list(found.stuck),
        agreed=[
            AgreementShape(
                number=each["number"],
                reason=each["reason"],
                happened_at=each["happened_at"],
                made_by=each["made_by"],
                total=money_of(each["total"], currency),
                posting=each["posting"],
                posted_at=each["posted_at"],
                lines=_lines(found.lines.get(each["number"], ())),
            )
            for each in found.agreements
        ],
        shipments=[ShipmentShape(**each) for each in found.shipments],
        fates=[
            FateShape(label=f.label, type=f.type, target=f.target, state=f.state, words=f.words)
            for f in found.fates
        ],
    )


def running_shape(running: Running) -> RunningShape:
    """Answer one clock at risk."""
    return RunningShape(
        order=str(running.order_key),
        number=running.number,
        channel=running.channel,
        clock=running.clock,
        ends_at=running.ends_at,
        share_gone=round(running.share_gone, 3),
        amount=money_of(running.amount, running.currency or None),
        words=running.words,
    )


def proof_shape(proof: Proof) -> ProofShape:
    """Answer one proof."""
    return ProofShape(
        channel=proof.channel,
        day=proof.day,
        listed=proof.listed,
        listed_at=proof.listed_at,
        here=proof.known_here,
        missing_here=list(proof.missing_here),
        not_listed=proof.not_listed,
        targets=[
            AtTargetShape(
                target=each.name,
                orders=each.orders,
                explained=each.explained,
                missing=list(each.missing),
            )
            for each in proof.targets
        ],
        is_complete=proof.is_complete,
        words=proof.words,
    )


def _lines(lines: Sequence[dict[str, Any]]) -> list[AgreementLineShape]:
    return [
        AgreementLineShape(
            type=line["line_type"],
            line_id=line["line_id"],
            sku=line["sku"],
            refund=line["part"],
            **{
                name: f"{line[name].normalize():f}"
                for name in ("quantity", "net", "discount", "tax", "gross")
            },
        )
        for line in lines
    ]
