"""What a channel may show follows from what there is: kits, pools, silent places, reservations."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from app.exceptions.release import release_hold
from app.retail.inventory.kits import set_kit
from app.retail.inventory.places import StockPlace, put_place
from app.retail.inventory.units import set_conversion
from app.retail.inventory.upkeep import keep_stock
from infra.database.unit import begin
from tests.scenarios.stock_shop import (
    TEN,
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

MANY_S = 10**8


@pytest.fixture
async def shop(stage: Stage) -> StockShop:
    return await open_stock_shop(stage, channels=("web", "market"))


async def kit(shop: StockShop, name: str, minutes: int, **parts: int) -> None:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        wanted = {sku.replace("_", "-"): Decimal(units) for sku, units in parts.items()}
        moment = TEN + timedelta(minutes=minutes)
        await set_kit(session, shop.retailer.tenant_id, name, wanted, moment)


async def place(shop: StockShop, location: str, **values: object) -> None:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        await put_place(session, StockPlace(location, **values))  # type: ignore[arg-type]


async def test_a_burst_after_three_hours_is_ordered_by_business_time(shop: StockShop) -> None:
    """900 tickets of a shop that was offline: the count between them stands where it was."""
    await shop.tell("wms", position(1000, 0, "store-1"), position(400, 90, "store-1"))
    await shop.work()
    tickets = [ticket(n, n / 5) for n in range(1, 901)]
    await shop.tell("till", *reversed(tickets))
    await shop.work(60)

    assert await shop.positions() == {"store-1 available": str(400 - 450)}
    (row,) = await shop.stage.rows(shop.retailer, "select max(seq) as most from channel_position")
    assert row["most"] <= 8  # worked out again batch by batch, not sale by sale
    assert await shop.targets() == {"web": 0, "market": 0}


async def test_more_sold_than_on_record_asks_for_a_count_and_closes_with_it(
    shop: StockShop,
) -> None:
    """E-I07. The shelf is below nothing, nothing is shown, a count ends it."""
    await shop.tell("wms", position(1, 0, "store-1"))
    await shop.tell("till", ticket(1, 5), ticket(2, 6))
    await shop.work()
    (row,) = await shop.stage.rows(
        shop.retailer, "select quantity, negative_since from stock_position"
    )
    found = await shop.stage.rows(shop.retailer, "select words, amount, currency from break")
    assert (row["quantity"], row["negative_since"]) == (-1, TEN + timedelta(minutes=6))
    assert await shop.targets() == {"web": 0, "market": 0}
    assert await shop.breaks() == [("stock_negative", "store-1/SKU-1")]
    assert found[0]["words"].startswith("SKU-1 at store-1: 1 more sold than were on record")
    assert (found[0]["amount"], found[0]["currency"]) == (Decimal(10), "USD")

    await shop.tell("till", count("cycle", 3, 10, location="store-1", method="cycle"))
    await shop.work()

    assert await shop.positions() == {"store-1 available": "3"}
    assert await shop.breaks() == []


async def test_a_sold_kit_takes_the_parts_it_was_made_of_then(shop: StockShop) -> None:
    """E-I14, E-I15. Parts go by the version of the moment of sale; all kits of a part follow."""
    for sku in ("MUG", "TEA", "BOX"):
        await shop.tell("wms", position(10, 0, sku=sku))
    await kit(shop, "GIFT", 0, MUG=2, TEA=1)
    await kit(shop, "DUO", 0, TEA=2)
    await kit(shop, "GIFT", 60, MUG=1, TEA=1, BOX=1)
    await shop.work()
    assert await shop.targets("GIFT") == {"web": 10, "market": 10}
    assert await shop.targets("DUO") == {"web": 5, "market": 5}

    await shop.tell("till", ticket(1, 90, line(1, 1, "GIFT"), store="dc"))
    await shop.tell("till", ticket(2, 30, line(1, 1, "GIFT"), store="dc"))
    await shop.tell("till", ticket(3, 91, line(1, 3, "TEA"), store="dc"))
    await shop.work()

    assert await shop.positions("MUG") == {"dc available": "7"}
    assert await shop.positions("BOX") == {"dc available": "9"}
    assert await shop.positions("TEA") == {"dc available": "5"}
    assert await shop.targets("GIFT") == {"web": 5, "market": 5}
    assert await shop.targets("DUO") == {"web": 2, "market": 2}
    assert await shop.positions("GIFT") == {}


async def test_safety_above_what_there_is_shows_nothing_and_changes_no_position(
    shop: StockShop,
) -> None:
    """E-I23. Nothing is shown, never less than nothing; what there is stays as it was."""
    await shop.tell("wms", position(4, 0))
    await shop.work()
    before = await shop.stage.rows(shop.retailer, "select * from stock_position")

    await shop.rule("web", safety_units=5)
    await shop.work()

    assert await shop.targets() == {"web": 0, "market": 4}
    assert await shop.stage.rows(shop.retailer, "select * from stock_position") == before


async def test_a_silent_shop_leaves_the_pools_until_it_is_heard_of(shop: StockShop) -> None:
    """E-I06. Twice its heartbeat without news: nothing there is shown, or a rule keeps some back."""
    await shop.tell("wms", position(10, 0, "store-1"), position(6, 0, "store-2"), position(5, 0))
    await shop.work()
    await place(shop, "store-1", heartbeat_s=60)
    await place(shop, "store-2", heartbeat_s=60, dark_keeps=4)
    await place(shop, "dc", heartbeat_s=MANY_S)
    await keep_stock(shop.stage.database)
    await shop.work()
    assert await shop.targets() == {"web": 5 + 2, "market": 5 + 2}
    assert await shop.breaks() == [("place_dark", "store-1"), ("place_dark", "store-2")]
    (row, _) = await shop.stage.rows(shop.retailer, "select words from break order by key")
    assert "store-1 was last heard of 2026-11-20 10:00 UTC" in row["words"]

    await place(shop, "store-1", heartbeat_s=MANY_S)
    await keep_stock(shop.stage.database)
    await shop.work()

    assert await shop.targets() == {"web": 17, "market": 17}
    assert await shop.breaks() == [("place_dark", "store-2")]


async def test_a_count_of_uncertain_time_keeps_back_what_may_have_been_sold(
    shop: StockShop,
) -> None:
    """E-I04. The count stands as far back as it may be, and the pace of sales is kept back."""
    # 70 in seven days before the count: 10 a day; half a day uncertain: 5.
    await shop.tell("wms", movement("m-0", 70, -60, ("store-1", "customer")))
    await shop.tell("wms", movement("m-1", 2, 630, ("store-1", "customer")))
    named = {"location": "store-1", "uncertainty_s": 12 * 3600}
    await shop.tell("wms", count("file", 30, 720, **named))
    await shop.work()

    assert await shop.positions() == {"store-1 available": "28"}
    assert await shop.targets() == {"web": 23, "market": 23}


async def test_what_only_one_channel_sells_is_in_no_pool_of_another(shop: StockShop) -> None:
    await shop.tell("wms", position(9, 0, "fba"), position(2, 0))
    await place(shop, "fba", only_channel=shop.channel("market"))
    await shop.work()

    assert await shop.targets() == {"web": 2, "market": 11}


async def test_orders_without_a_place_are_kept_from_all_channels_of_the_pool(
    shop: StockShop,
) -> None:
    await shop.rule("web", pool=("dc", "store-1"))
    await shop.rule("market", pool=("store-1", "store-2"))
    await shop.rule("till", pool=("store-2",))
    await shop.tell("wms", position(5, 0), position(5, 0, "store-1"), position(5, 0, "store-2"))
    await shop.tell("web", order(1, 5, line(1, 3)))
    await shop.work()

    assert await shop.positions() == {
        "web committed": "3", "dc available": "5", "store-1 available": "5",
        "store-2 available": "5",
    }  # fmt: skip
    assert await shop.targets() == {"web": 7, "market": 7, "till": 5}

    # It left, nobody knows from where: it is missing until both places were counted afterwards.
    await shop.tell("web", shipment("f-1", 1, 30, 3))
    await shop.tell("wms", position(5, 60))
    await shop.work()
    assert await shop.targets() == {"web": 7, "market": 7, "till": 5}
    await shop.tell("wms", position(2, 61, "store-1"))
    await shop.work()
    assert await shop.targets() == {"web": 7, "market": 7, "till": 5}


async def test_goods_that_a_place_sends_and_a_channel_tells_again_leave_once(
    shop: StockShop,
) -> None:
    await shop.rule("web", pool=("dc", "store-1"))
    await shop.tell("wms", position(5, 0), position(5, 0, "store-1"))
    await shop.tell("web", order(1, 5, line(1, 3)), shipment("f-1", 1, 30, 3))
    await shop.tell(
        "wms", movement("m-1", 3, 29, ("store-1", "customer"), document="o-1", reason="sale")
    )
    await shop.work()

    assert await shop.positions() == {
        "web committed": "0", "dc available": "5", "store-1 available": "2",
    }  # fmt: skip
    assert (await shop.targets())["web"] == 7


async def test_weighed_goods_and_cases_are_kept_in_one_unit(shop: StockShop) -> None:
    """1.275 kg from the scale leaves 8.725 kg; a case of twelve is twelve pieces."""
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        tenant_id = shop.retailer.tenant_id
        await set_conversion(session, tenant_id, "HAM", "GRM", "KGM", Fraction(1, 1000))
        await set_conversion(session, tenant_id, "SOAP", "CS", "EA", Fraction(12))
    ham = {"sku": "HAM", "uom": "KGM", "location": "store-1"}
    soap = {"sku": "SOAP", "uom": "CS"}
    await shop.tell("wms", count("h", 10, 0, **ham), count("s", 2, 0, **soap))
    await shop.tell("till", ticket(1, 5, line(1, "1.275", "HAM", uom="KGM")))
    await shop.tell("till", ticket(2, 6, line(1, 100, "HAM", uom="GRM")))
    await shop.tell("wms", count("bad", 1, 7, sku="SOAP", uom="PL"))
    await shop.tell("till", ticket(3, 8, line(1, 1, "SOAP", uom="PL")))
    await shop.work()

    assert await shop.positions("HAM") == {"store-1 available": "8.625"}
    assert await shop.positions("SOAP") == {"dc available": "24"}
    assert await shop.targets("HAM") == {"web": 8, "market": 8}
    assert await shop.holds() == ["stock.unit_unknown"]
    assert await shop.breaks() == [("stock_unit_unknown", "SOAP/PL")]


async def test_a_corrected_ticket_counts_instead_of_the_first(shop: StockShop) -> None:
    await shop.tell("wms", position(10, 0, "store-1"), position(10, 0, "store-1", "SKU-2"))
    await shop.tell("till", ticket(1, 5, line(1, 2)))
    await shop.work()
    await shop.tell("till", ticket(1, 5, line(1, 1, "SKU-2")))
    async with shop.stage.engine():
        await shop.stage.until(shop.retailer, "select count(*) from hold", 1)
    assert await shop.holds() == ["record.content_changed"]
    (hold,) = await shop.stage.rows(shop.retailer, "select id from hold where state = 'open'")

    await release_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "it was so", lambda: None
    )
    await shop.work()

    assert await shop.positions() == {"store-1 available": "10"}
    assert await shop.positions("SKU-2") == {"store-1 available": "9"}


async def test_lines_without_an_article_training_and_refunds_move_nothing(shop: StockShop) -> None:
    await shop.tell("wms", position(5, 0, "store-1"))
    await shop.tell("till", ticket(1, 5, line(1, 1), line(2, 1, None)))
    await shop.tell("till", ticket(2, 6, is_test=True))
    await shop.tell("till", ticket(3, 7, line(1, -1)))
    await shop.work()

    assert await shop.positions() == {"store-1 available": "5"}
    assert await shop.holds() == []


async def test_where_nothing_was_ever_counted_nothing_is_missing(shop: StockShop) -> None:
    await shop.tell("till", ticket(1, 5), order(9, 6))
    await shop.tell("web", order(1, 5), order(2, 6, store="store-1"))
    await shop.tell("wms", position(0, 0, sku="SKU-2"))
    await shop.tell("wms", order(3, 7, line(1, 1, "SKU-2")))
    await shop.work()

    assert (await shop.cases(), await shop.breaks()) == ([], [])
    assert await shop.targets() == {"web": 0, "market": 0}
