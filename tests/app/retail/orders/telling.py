"""Tell the core of orders as a channel does, one telling after the other, in its own transactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.retail.orders.take import take_orders
from app.retail.told import Told
from connectors.canonical.event import (
    ORDER_CANCELLED,
    ORDER_CHANGED,
    ORDER_FULFILLED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    Event,
)
from connectors.canonical.order import Fulfilment, Line, Order, Refund, Tax, Tender
from connectors.sdk.message import HoldRecord
from infra.database.unit import begin
from infra.ids import new_id
from tests.stage import Retailer, Stage

AT = datetime(2026, 11, 27, 15, tzinfo=UTC)
D = Decimal
Goods = tuple[str, int, str]


def line(line_id: str, quantity: int, gross: str, tax: str = "0", sku: str | None = "A") -> Line:
    """Make a line that comes to `gross`, tax included."""
    net = D(gross) - D(tax)
    return Line(
        line_id=line_id,
        sku=sku,
        title="Article",
        quantity=D(quantity),
        unit_price=net,
        net=net,
        taxes=(Tax(name="Tax", amount=D(tax)),) if D(tax) else (),
        gross=D(gross),
    )


def order(*goods: Goods, number: str = "1", **changes: Any) -> Order:
    """Make a paid web order of (line id, quantity, gross)."""
    lines = tuple(line(*each) for each in goods)
    total = sum((each.gross for each in lines), D(0)) + changes.get("shipping", D(0))
    told: dict[str, Any] = {
        "order_id": f"o-{number}",
        "number": f"#{number}",
        "kind": "web",
        "currency": "USD",
        "placed_at": AT,
        "lines": lines,
        "total": total,
        "tenders": (Tender(kind="card", name="Card", amount=total),) if total else (),
    }
    return Order(**(told | changes))


def _event(kind: str, body: Any, object_id: str, at: datetime, version: int) -> Event:
    return Event(
        type=kind,
        key=f"order:{body.order_id}",
        object_id=object_id,
        version=str(version),
        label=f"Order {body.order_id}",
        occurred_at=at,
        body=body,
    )


def placed(body: Order, version: int = 1) -> Event:
    """A channel tells of a new order."""
    return _event(ORDER_PLACED, body, body.order_id, body.placed_at, version)


def changed(body: Order, version: int) -> Event:
    """A channel tells of an order as it is now."""
    at = AT + timedelta(minutes=version)
    return _event(ORDER_CHANGED, body, body.order_id, at, version)


def cancelled(body: Order, version: int) -> Event:
    """A channel tells that an order is cancelled."""
    at = AT + timedelta(minutes=version)
    return _event(ORDER_CANCELLED, body, body.order_id, at, version)


def refunded(
    refund_id: str, amount: str, *lines: Line, number: str = "1", version: int = 1
) -> Event:
    """A channel tells that money went back; `lines` have negative quantities and amounts."""
    body = Refund(
        refund_id=refund_id,
        order_id=f"o-{number}",
        currency="USD",
        happened_at=AT + timedelta(hours=version),
        lines=lines,
        amount=D(amount),
    )
    return _event(ORDER_REFUNDED, body, refund_id, body.happened_at, version)


def shipped(
    shipment_id: str, *lines: Line, number: str = "1", status: str = "success", version: int = 1
) -> Event:
    """Somebody tells that goods left for an order."""
    body = Fulfilment(
        fulfilment_id=shipment_id,
        order_id=f"o-{number}",
        status=status,
        shipped_at=AT + timedelta(hours=2),
        lines=lines,
        currency="USD",
    )
    return _event(ORDER_FULFILLED, body, shipment_id, body.shipped_at, version)


@dataclass
class Channel:
    """A retailer with a web shop, and what its orders come to."""

    stage: Stage
    retailer: Retailer

    async def tell(self, *events: Event, by: str = "shop") -> list[HoldRecord]:
        """Let the core take these in one batch; gives what it holds."""
        key = await self.stage.vault.current(self.retailer.tenant_id)
        told = [
            Told(new_id(), self.retailer.connections[by], each, AT + timedelta(minutes=1))
            for each in events
        ]
        async with begin(self.retailer.scope, self.stage.database) as session:
            return list((await take_orders(session, key, told)).values())

    async def order(self, number: str = "1") -> dict[str, Any]:
        """Give one order as it is kept."""
        (row,) = await self.stage.rows(
            self.retailer, "select * from sales_order where order_id = $1", f"o-{number}"
        )
        return row

    async def agreements(self, number: str = "1") -> list[tuple[str, str]]:
        """Give reason and amount of each agreement, in order."""
        rows = await self.stage.rows(
            self.retailer,
            "select a.reason, a.total from agreement a join sales_order o on o.id = a.order_key"
            " where o.order_id = $1 order by a.number",
            f"o-{number}",
        )
        return [(row["reason"], f"{row['total']:.2f}") for row in rows]

    async def standing(self, number: str = "1") -> dict[tuple[str, str], tuple[Decimal, ...]]:
        """Sum up all agreements of an order by line: quantity, net, tax and gross."""
        rows = await self.stage.rows(
            self.retailer,
            "select line_type, line_id, sum(quantity) as quantity, sum(net) as net,"
            " sum(tax) as tax, sum(gross) as gross from agreement_line l"
            " join sales_order o on o.id = l.order_key where o.order_id = $1"
            " group by 1, 2 having sum(abs(quantity)) + sum(abs(gross)) <> 0"
            " and (sum(quantity) <> 0 or sum(gross) <> 0 or sum(net) <> 0 or sum(tax) <> 0)",
            f"o-{number}",
        )
        return {
            (row["line_type"], row["line_id"]): (
                row["quantity"], row["net"], row["tax"], row["gross"],
            )
            for row in rows
        }  # fmt: skip

    async def breaks(self) -> list[tuple[str, str]]:
        """Give kind and key of every open break."""
        rows = await self.stage.rows(
            self.retailer, "select kind, key from break where state = 'open' order by kind, key"
        )
        return [(row["kind"], row["key"]) for row in rows]
