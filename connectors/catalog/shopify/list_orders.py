"""The heads of a shop's orders, page by page: what there is, whatever webhooks told of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from connectors.canonical.money import Money
from connectors.catalog.shopify.admin_api import ask
from connectors.catalog.shopify.documents import LIST_ORDERS
from connectors.catalog.shopify.fetch_order import not_asked
from connectors.sdk.message import ListedOrder, OrderPage
from connectors.sdk.transport import Transport


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Head(msgspec.Struct, rename="camel"):
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    currency_code: str
    total_price_set: dict[str, Any]
    processed_at: datetime | None = None


class _Heads(msgspec.Struct, rename="camel"):
    page_info: _PageInfo
    nodes: list[_Head]


class _Listed(msgspec.Struct):
    orders: _Heads


async def list_orders(
    since: datetime, until: datetime, page: str, transport: Transport
) -> OrderPage:
    """Give one page of orders by when they changed last, oldest first; raises NotSent."""
    query = f"updated_at:>='{_text(since)}' updated_at:<'{_text(until)}'"
    variables = {"query": query, "after": page or None}
    answer = await ask(transport, LIST_ORDERS, variables, _Listed)
    if not isinstance(answer, _Listed):
        raise not_asked(answer)
    info = answer.orders.page_info
    following = info.end_cursor if info.has_next_page else None
    return OrderPage(tuple(_listed(head) for head in answer.orders.nodes), following or "")


def _listed(head: _Head) -> ListedOrder:
    return ListedOrder(
        order_id=head.id.rpartition("/")[2],
        number=head.name,
        placed_at=head.processed_at or head.created_at,
        updated_at=head.updated_at,
        total=_total(head),
    )


def _total(head: _Head) -> Money | None:
    told = head.total_price_set.get("shopMoney")
    try:
        amount = Decimal(str(told["amount"] if isinstance(told, dict) else ""))
    except (InvalidOperation, KeyError):
        return None
    return Money(amount=amount, currency=head.currency_code)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
