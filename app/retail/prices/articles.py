"""What prices need to know of articles: what one costs, and whether it may be sold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.connections.tenant import acting_tenant
from app.retail.told import Told
from connectors.canonical.money import Money
from connectors.canonical.product import Product
from infra.database.unit import Session

_COSTS = """
select sku, cost, cost_currency from priced_article
where tenant_id = $1 and sku = any ($2) and cost is not null
"""
# Told late, an older telling changes nothing; in the order of the key, so that nobody deadlocks.
_SET = """
insert into priced_article (tenant_id, sku, product_id, title, status, cost, cost_currency, told_at)
select $1, sku, product_id, title, status, cost, cost_currency, told_at
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::text[],
    $8::timestamptz[])
as told (sku, product_id, title, status, cost, cost_currency, told_at)
on conflict (tenant_id, sku) do update set product_id = excluded.product_id, title = excluded.title,
    status = excluded.status, cost = coalesce(excluded.cost, priced_article.cost),
    cost_currency = coalesce(excluded.cost_currency, priced_article.cost_currency),
    told_at = excluded.told_at
where priced_article.told_at <= excluded.told_at
"""


async def costs_of(session: Session, skus: Iterable[str]) -> dict[str, Money]:
    """Give what one unit of each article costs the retailer, where that is known."""
    rows = await session.fetch(_COSTS, acting_tenant(session), sorted(set(skus)))
    return {
        row["sku"]: Money(amount=row["cost"], currency=row["cost_currency"].strip()) for row in rows
    }


async def set_articles(session: Session, told: Sequence[tuple[Told, Product]]) -> None:
    """Write down what products say of their articles; of several tellings the newest counts."""
    rows: dict[str, tuple[object, ...]] = {}
    for one, product in sorted(told, key=lambda each: each[0].event.occurred_at):
        for variant in product.variants:
            cost = variant.cost.money if variant.cost is not None else None
            rows[variant.sku] = (
                variant.sku,
                product.product_id,
                variant.title or product.title,
                product.status,
                cost.amount if cost else None,
                cost.currency if cost else None,
                one.event.occurred_at,
            )
    if rows:
        ordered = [rows[sku] for sku in sorted(rows)]
        columns = (list(column) for column in zip(*ordered, strict=True))
        await session.execute(_SET, acting_tenant(session), *columns)
