"""What the tests against a real Tryton need: a plain transport, orders, and a look into the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from types import TracebackType
from typing import Any, Self

import aiohttp

from connectors.canonical.event import ORDER_CANCELLED, ORDER_PLACED, TILL_SALE, Event
from connectors.canonical.money import Money
from connectors.canonical.order import Address, Customer, Line, Order, Tax, Tender
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.connector import TrytonConnector
from connectors.catalog.tryton.settings import read_settings
from connectors.registry import manifest
from connectors.sdk.connector import Dispatch
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent
from infra import clock

CONNECTOR = TrytonConnector(manifest("tryton"))
TIMEOUT_S = 5.0
_NUMBERS = count(1)


class HttpTransport:
    """Calls over HTTP with the key added, as the platform's own transport does it."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._key = key
        self.calls: list[str] = []

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(force_close=True)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def request(self, call: Call) -> Answer:
        self.calls.append(f"{call.method} {call.path}")
        headers = {**call.headers, "authorization": f"Bearer {self._key}"}
        try:
            async with self._session.request(
                call.method,
                self._base_url + call.path,
                params=call.query if isinstance(call.query, tuple) else dict(call.query),
                headers=headers,
                data=call.body or None,
                timeout=aiohttp.ClientTimeout(TIMEOUT_S),
            ) as answer:
                body = await answer.read()
                lower = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, lower, body, 0)
        except aiohttp.ClientConnectorError as error:
            raise NotSent("target.unreachable", str(error)) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AnswerLost(str(error) or "No answer.") from error


@dataclass(frozen=True)
class Books:
    """Reads what stands in Tryton."""

    transport: HttpTransport
    settings: dict[str, Any]

    def api(self) -> Tryton:
        return Tryton(self.transport, read_settings(self.settings))

    async def sales(self, order: Order) -> list[dict[str, Any]]:
        fields = (
            "state", "untaxed_amount", "tax_amount", "total_amount", "lines.description",
            "lines.product.code", "lines.quantity", "lines.amount", "party.code",
            "invoices.total_amount", "invoices.tax_amount", "invoices.state", "shipments.state",
        )  # fmt: skip
        return await self.api().search("sale.sale", [["reference", "=", order.number]], fields)

    async def tickets(self, total_paid: Decimal) -> list[dict[str, Any]]:
        """Give the POS sales in which this amount was paid in one payment."""
        fields = (
            "state", "number", "total", "total_tax", "payments.amount", "payments.method.name",
            "lines.product.code", "lines.quantity", "move.state",
        )  # fmt: skip
        domain = [["payments", "where", [["amount", "=", total_paid]]]]
        return await self.api().search("sale.point.sale", domain, fields)

    async def on_hand(self, sku: str) -> Decimal:
        context = {"locations": [self.settings["storage_location"]]}
        domain = [["code", "=", sku]]
        rows = await self.api().search("product.product", domain, ("quantity",), context=context)
        return Decimal(rows[0]["quantity"])


def placed(order: Order, settings: dict[str, Any], attempt: int = 1) -> Dispatch:
    return _dispatch("create_order", ORDER_PLACED, order, settings, attempt)


def rung_up(order: Order, settings: dict[str, Any], attempt: int = 1) -> Dispatch:
    return _dispatch("create_ticket", TILL_SALE, order, settings, attempt)


def called_off(order: Order, settings: dict[str, Any], attempt: int = 1) -> Dispatch:
    return _dispatch("cancel_order", ORDER_CANCELLED, order, settings, attempt)


def _dispatch(
    action: str, event_type: str, order: Order, settings: dict[str, Any], attempt: int
) -> Dispatch:
    event = Event(
        type=event_type,
        key=f"order:{order.order_id}",
        object_id=order.order_id,
        label=f"Order {order.number}",
        occurred_at=order.placed_at,
        amount=Money(amount=order.total, currency=order.currency),
        body=order,
    )
    return Dispatch(action, event, f"key-{order.order_id}", settings, attempt)


def line(
    sku: str | None,
    quantity: str,
    net: str,
    tax: str = "0",
    *,
    rate: str | None = "0.20",
    title: str = "Article",
    unit_price: str = "0",
    discount: str = "0",
) -> Line:
    taxes = (Tax(name="VAT", rate=Decimal(rate) if rate else None, amount=Decimal(tax)),)
    return Line(
        line_id="1",
        sku=sku,
        title=title,
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        discount=Decimal(discount),
        net=Decimal(net),
        taxes=taxes if Decimal(tax) else (),
        gross=Decimal(net) + Decimal(tax),
    )


def web_order(*lines: Line, **changes: Any) -> Order:
    """Make a web order with a number of its own; its total is what its parts come to."""
    number = f"W-{next(_NUMBERS):04d}"
    parts: dict[str, Any] = {
        "order_id": f"id-{number}",
        "number": number,
        "kind": "web",
        "currency": "USD",
        "placed_at": clock.now(),
        "lines": lines,
        "ship_to": Address(name="Ada Retail", line1="1 Main Street", city="Bern", postcode="3000"),
        **changes,
    }
    extras = sum(
        (parts.get(name, Decimal(0)) for name in ("shipping", "fees", "rounding")), Decimal(0)
    )
    parts.setdefault("total", sum((one.gross for one in lines), extras))
    return Order(**parts)


def ticket(*lines: Line, tenders: tuple[tuple[str, str], ...], **changes: Any) -> Order:
    """Make a till sale with a sequence of its own."""
    sequence = f"{next(_NUMBERS):04d}"
    paid = tuple(
        Tender(kind=kind, name=kind, amount=Decimal(amount))  # type: ignore[arg-type]
        for kind, amount in tenders
    )
    till = {"store": "S1", "workstation": "T1", "sequence": sequence, "business_day": today()}
    number, kind = f"S1-T1-{sequence}", {"kind": "pos", "tenders": paid}
    return web_order(
        *lines, **{"order_id": number, "number": number, "ship_to": None, **till, **kind, **changes}
    )


def customer(external_id: str) -> Customer:
    return Customer(external_id=external_id, name="Ada Retail")


def today() -> date:
    return clock.now().date()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
