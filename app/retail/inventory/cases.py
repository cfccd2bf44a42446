"""Oversell cases: orders for which there are no goods, found when stock is folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from app.retail.inventory.channels import Oversold, oversold
from app.retail.inventory.stockroom import Stockroom
from infra.database.unit import Session
from infra.ids import new_id

# What a person decided stays decided; a case that is open follows what is missing now.
_OPEN = """
insert into oversell_case as known (tenant_id, id, sku, connection_id, order_id, units, amount,
    currency, cause)
select $1, * from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::numeric[],
    $7::numeric[], $8::text[], $9::text[])
on conflict (tenant_id, connection_id, order_id, sku) do update set units = excluded.units,
    amount = coalesce(excluded.amount, known.amount), cause = excluded.cause,
    currency = coalesce(excluded.currency, known.currency), state = 'open', ended_at = null
where known.state <> 'resolved' and (known.state <> 'open' or known.units <> excluded.units)
"""
_OVER = """
update oversell_case c set state = 'cancelled', ended_at = now(), resolution = 'goods_came'
where c.tenant_id = $1 and c.sku = any ($2) and c.state = 'open'
    and (c.sku, c.connection_id, c.order_id) not in (
        select sku, connection_id, order_id
        from unnest($3::text[], $4::uuid[], $5::text[]) as still (sku, connection_id, order_id))
"""


async def write_cases(session: Session, tenant_id: UUID, room: Stockroom) -> int:
    """Open a case for each order that gets nothing, close those whose goods came; gives the open."""
    found = _found(room)
    rows = [
        (
            new_id(), sku, each.connection_id, each.order_id, each.units, *_worth(room, sku, each),
            each.cause,
        )
        for sku, cases in found.items()
        for each in cases
    ]  # fmt: skip
    if rows:
        await session.execute(_OPEN, tenant_id, *_columns(rows))
    still = [
        (sku, each.connection_id, each.order_id) for sku, all_ in found.items() for each in all_
    ]
    columns = _columns(still) if still else [[], [], []]
    await session.execute(_OVER, tenant_id, list(room.skus), *columns)
    return len(rows)


def _found(room: Stockroom) -> Mapping[str, Sequence[Oversold]]:
    return {
        sku: cases
        for sku in room.skus
        if room.shelves[sku].gathered.orders and (cases := oversold(room.shelves[sku], room.rules))
    }


def _worth(room: Stockroom, sku: str, case: Oversold) -> tuple[Decimal | None, str | None]:
    price = room.shelves[sku].gathered.price
    return (round(case.units * price.amount, 2), price.currency) if price else (None, None)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
