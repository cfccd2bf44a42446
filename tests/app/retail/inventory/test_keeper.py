"""What is due is folded whoever is just telling more of it: nobody waits for anybody."""

from __future__ import annotations

from app.retail.inventory.fact_book import mark_due
from app.retail.inventory.keeper import keep_batch
from infra.clock import now
from infra.database.pool import Database
from infra.database.unit import begin
from tests.stage import open_stage


async def test_an_article_is_folded_while_somebody_tells_more_of_it(database: Database) -> None:
    async with open_stage(database) as stage:
        retailer = await stage.retailer()
        async with begin(retailer.scope, database) as session:
            await mark_due(session, retailer.tenant_id, {"SKU-1": now(), "SKU-2": now()})

        async with begin(retailer.scope, database) as telling:
            await mark_due(telling, retailer.tenant_id, {"SKU-1": now()})
            meanwhile = await keep_batch(retailer.scope, database)
        afterwards = await keep_batch(retailer.scope, database)

        assert (meanwhile.articles, afterwards.articles) == (2, 1)
        assert await stage.rows(retailer, "select from stock_due") == []
