"""What articles were sold for, the lowest of each day: the worth of a return without a receipt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.connections.tenant import acting_tenant
from app.retail.returns.sale import LOWEST_PRICE_DAYS, PriceSeen
from app.retail.told import Told
from connectors.canonical.event import ORDER_PLACED, TILL_SALE
from connectors.canonical.order import Line, Order
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

SALE_TYPES = frozenset({ORDER_PLACED, TILL_SALE})
ZERO = Decimal(0)
# What is beyond these is a mistake of its sender and no price.
LARGEST, LARGEST_RATE = Decimal(10**12), Decimal(100)

_SEE = """
insert into price_paid (tenant_id, sku, currency, day, gross, rate, at)
select $1, * from unnest($2::text[], $3::text[], $4::date[], $5::numeric[], $6::numeric[],
    $7::timestamptz[])
on conflict (tenant_id, sku, currency, day) do update
set gross = excluded.gross, rate = excluded.rate, at = excluded.at
where excluded.gross < price_paid.gross
"""
_SEEN = """
select sku, gross, rate, at from price_paid
where tenant_id = $1 and sku = any($2) and currency = $3 and day >= $4 and at <= $5
"""

_Key = tuple[str, str, date]
_Price = tuple[Decimal, Decimal, datetime]


async def take_prices_paid(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Note the lowest price of each article and day; nothing is ever held for it."""
    lowest: dict[_Key, _Price] = {}
    for key, price in _prices(one.event.body for one in told):
        if key not in lowest or price[0] < lowest[key][0]:
            lowest[key] = price
    if lowest:
        rows = [(*key, *price) for key, price in sorted(lowest.items())]
        columns = [list(column) for column in zip(*rows, strict=True)]
        await session.execute(_SEE, acting_tenant(session), *columns)
    return {}


async def prices_seen(
    session: Session, skus: Sequence[str], currency: str, at: datetime
) -> list[PriceSeen]:
    """Give what articles were sold for in the time that counts."""
    since = (at - timedelta(days=LOWEST_PRICE_DAYS)).date()
    rows = await session.fetch(_SEEN, acting_tenant(session), list(skus), currency, since, at)
    return [PriceSeen(row["sku"], row["gross"], row["rate"], row["at"]) for row in rows]


def _prices(orders: Iterable[Any]) -> Iterable[tuple[_Key, _Price]]:
    for order in orders:
        if isinstance(order, Order) and not order.is_test:
            for line in order.lines:
                price = _price_of(line)
                if price is not None and line.sku is not None:
                    day = order.business_day or order.placed_at.date()
                    yield (line.sku, order.currency, day), (*price, order.placed_at)


def _price_of(line: Line) -> tuple[Decimal, Decimal] | None:
    """Give the price of one piece with its tax, and the share of the tax in its net."""
    if line.is_voided or line.quantity <= 0 or not 0 < line.gross < LARGEST:
        return None
    tax = sum((each.amount for each in line.taxes), ZERO)
    net = line.gross - tax
    rate = (tax / net).quantize(Decimal("0.000001")) if net else ZERO
    price = (line.gross / line.quantity).quantize(Decimal("0.000001"))
    return (price, rate) if price < LARGEST and 0 <= rate < LARGEST_RATE else None
