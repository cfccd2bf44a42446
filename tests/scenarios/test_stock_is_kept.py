"""Stock told in any order gives one position, and each channel shows what it may."""

from __future__ import annotations

import pytest

from tests.scenarios.stock_shop import (
    StockShop,
    count,
    line,
    movement,
    open_stock_shop,
    order,
    position,
    shipment,
    ticket,
)
from tests.stage import Stage


@pytest.fixture
async def shop(stage: Stage) -> StockShop:
    return await open_stock_shop(stage)


async def test_sales_after_the_moment_of_a_late_file_are_taken_off_it(shop: StockShop) -> None:
    """E-I01. The file of ten comes after sales of three past ten; nothing is overwritten."""
    await shop.tell("till", ticket(1, 3), ticket(2, 4, line(1, 2)))
    await shop.work()
    await shop.tell("wms", position(10, 0, "store-1"))
    await shop.work()

    assert await shop.positions() == {"store-1 available": "7"}
    assert await shop.targets() == {"web": 7}


async def test_an_older_count_after_a_newer_one_changes_nothing(shop: StockShop) -> None:
    """E-I02, E-I03. Nor does a movement from before the last count; both are on record."""
    await shop.tell("wms", position(10, 60))
    await shop.work()
    await shop.tell("wms", position(99, 30), movement("m-1", 5, 45, ("dc", "customer")))
    await shop.work()

    assert await shop.positions() == {"dc available": "10"}
    (facts,) = await shop.stage.rows(shop.retailer, "select count(*) from stock_fact")
    assert facts["count"] == 3
    await shop.tell("wms", count("c-1", 8, 61), movement("m-2", 1, 62, ("dc", "customer")))
    await shop.work()
    assert await shop.positions() == {"dc available": "7"}


async def test_an_order_keeps_goods_and_its_shipment_takes_them(shop: StockShop) -> None:
    await shop.rule("web", pool=("dc",))
    await shop.tell("wms", position(10, 0))
    await shop.tell("web", order(1, 5, line(1, 2)))
    await shop.work()
    assert await shop.positions() == {"dc available": "8", "dc committed": "2"}

    await shop.tell("web", order(1, 6, line(1, 3), verb="changed", version="2"))
    await shop.tell("web", shipment("f-1", 1, 10, 1))
    await shop.work()
    assert await shop.positions() == {"dc available": "7", "dc committed": "2"}

    await shop.tell("web", order(1, 20, line(1, 3), verb="cancelled", version="3"))
    await shop.work()
    assert await shop.positions() == {"dc available": "9", "dc committed": "0"}
    assert await shop.targets() == {"web": 9}
